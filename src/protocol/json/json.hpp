// SPDX-License-Identifier: MIT
// JSON documents and plain payloads, mostly over MQTT: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::json {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol json_protocol;

}  // namespace meterbridge::protocol::json

namespace meterbridge::protocol {
using json::json_protocol;
}  // namespace meterbridge::protocol
