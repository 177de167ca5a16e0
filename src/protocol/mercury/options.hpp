// SPDX-License-Identifier: MIT
// The settings of a 23x meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/mercury/requests.hpp"
#include "protocol/pace.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::mercury {

struct Options {
  Options() = default;
  std::optional<std::uint8_t> address;
  Bytes password;  // as it is sent
  int tariffs = 4;
  int phases = 3;
  bool apply_ratio = false;
  bool extended = false;
  Pace pace;  // its response_timeout times the time-out multiplier of the meter

  // Error: invalid, in words. A missing address is no error here: only a driver needs one.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

}  // namespace meterbridge::protocol::mercury
