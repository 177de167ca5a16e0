// SPDX-License-Identifier: MIT
// The settings of a P1 meter, once declared, and what they become.
#pragma once

#include "core/setting.hpp"
#include "protocol/p1/cipher.hpp"
#include "protocol/p1/receiver.hpp"

#include <span>

namespace meterbridge::protocol::p1 {

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

struct P1Settings {
  ReceiverOptions options;
  CipherKeys keys;
  Milliseconds patience{};
};

// Error: invalid, in words, without the key.
Result<P1Settings> read_settings(const SettingValues& values);

}  // namespace meterbridge::protocol::p1
