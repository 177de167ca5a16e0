// SPDX-License-Identifier: MIT
// Modbus RTU, TCP and RTU over TCP: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::modbus {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol modbus_protocol;

}  // namespace meterbridge::protocol::modbus

namespace meterbridge::protocol {
using modbus::modbus_protocol;
}  // namespace meterbridge::protocol
