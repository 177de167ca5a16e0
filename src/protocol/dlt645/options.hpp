// SPDX-License-Identifier: MIT
// The settings of a DL/T 645 meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/dlt645/codes.hpp"
#include "protocol/pace.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::dlt645 {

struct Options {
  Options() = default;
  Version version = Version::v2007;
  std::optional<std::int64_t> address;
  int wake_ups = 4;
  CodeTable codes;
  Pace pace;

  // Error: invalid, in words. A missing address is no error here: only a driver needs one.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;
[[nodiscard]] Version version_of(const SettingValues& settings);

}  // namespace meterbridge::protocol::dlt645
