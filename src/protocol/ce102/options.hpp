// SPDX-License-Identifier: MIT
// The settings of a CE102 meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/payload.hpp"
#include "protocol/pace.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::ce102 {

struct Options {
  Options() = default;
  std::optional<std::uint16_t> address;  // configured, or derived from the serial number
  Station station;
  Family family = Family::automatic;
  int tariffs = 4;
  std::optional<int> decimals;  // classic; nothing = from ReadConfig
  Instant instant;
  Pace pace;
  std::string serial;  // as configured

  // Error: invalid, in words. A missing address is no error here: only a driver needs one.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

// The last five digits of the serial number; if those exceed 65535, the last four. Error: invalid.
Result<std::uint16_t> address_from_serial(std::string_view serial);

}  // namespace meterbridge::protocol::ce102
