// SPDX-License-Identifier: MIT
// The settings of an SML meter, once declared, and what they become.
#pragma once

#include "core/setting.hpp"
#include "protocol/sml/decode.hpp"

#include <span>
#include <string>

namespace meterbridge::protocol::sml {

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

struct SmlSettings {
  DecodeOptions options;
  Milliseconds patience{};
  std::string model;  // which meter the simulator plays
};

[[nodiscard]] SmlSettings read_settings(const SettingValues& values);

}  // namespace meterbridge::protocol::sml
