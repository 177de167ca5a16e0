// SPDX-License-Identifier: MIT
// IEC 62056-21: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::iec62056_21 {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol iec62056_21_protocol;

}  // namespace meterbridge::protocol::iec62056_21

namespace meterbridge::protocol {
using iec62056_21::iec62056_21_protocol;
}  // namespace meterbridge::protocol
