// SPDX-License-Identifier: MIT
// The P1 port (DSMR 2.2 to 5, eMUCS, Smarty, H1 and their relatives): the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::p1 {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol p1_protocol;

}  // namespace meterbridge::protocol::p1

namespace meterbridge::protocol {
using p1::p1_protocol;
}  // namespace meterbridge::protocol
