// SPDX-License-Identifier: MIT
// Modbus RTU, TCP and RTU over TCP: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::modbus {

extern const Protocol modbus_protocol;

}  // namespace meterbridge::protocol::modbus

namespace meterbridge::protocol {
using modbus::modbus_protocol;
}  // namespace meterbridge::protocol
