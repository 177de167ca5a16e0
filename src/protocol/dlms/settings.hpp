// SPDX-License-Identifier: MIT
// The settings of a DLMS meter, once declared, and what they become.
#pragma once

#include "core/setting.hpp"
#include "protocol/dlms/cipher.hpp"
#include "protocol/dlms/receiver.hpp"

#include <span>
#include <string>

namespace meterbridge::protocol::dlms {

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

struct DlmsSettings {
  ReceiverOptions options;
  CipherKeys keys;
  Milliseconds patience{};
  std::string model;  // which meter the simulator plays
};

// Error: invalid, in words, without the key.
Result<DlmsSettings> read_settings(const SettingValues& values);

}  // namespace meterbridge::protocol::dlms
