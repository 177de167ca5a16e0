// SPDX-License-Identifier: MIT
// Mode D: meters that send by themselves. Nothing is ever sent to them.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::iec62056_21 {

extern const Protocol iec62056_21_push_protocol;

}  // namespace meterbridge::protocol::iec62056_21

namespace meterbridge::protocol {
using iec62056_21::iec62056_21_push_protocol;
}  // namespace meterbridge::protocol
