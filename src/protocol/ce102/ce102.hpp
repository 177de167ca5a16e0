// SPDX-License-Identifier: MIT
// Energomera "CE" protocol (CE102, CE301M, CE307 R33): the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::ce102 {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol ce102_protocol;

}  // namespace meterbridge::protocol::ce102

namespace meterbridge::protocol {
using ce102::ce102_protocol;
}  // namespace meterbridge::protocol
