// SPDX-License-Identifier: MIT
// The settings of a Mercury 200/206 meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/pace.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::mercury200 {

struct Options {
  Options() = default;
  std::optional<std::uint32_t> address;  // configured, or derived from the serial number
  int tariffs = 4;
  Decimal voltage_scale{1, -1};
  bool reactive = false;
  Pace pace;

  // Error: invalid, in words. A missing address is no error here: only a driver needs one.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

// The last six digits, or all of them. Error: invalid.
Result<std::uint32_t> address_from_serial(std::string_view serial, bool last_six);

}  // namespace meterbridge::protocol::mercury200
