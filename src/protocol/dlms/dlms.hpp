// SPDX-License-Identifier: MIT
// Meters that push DLMS/COSEM lists (customer interfaces in Austria, Norway, Sweden, Denmark,
// Switzerland and elsewhere): the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::dlms {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol dlms_protocol;

}  // namespace meterbridge::protocol::dlms

namespace meterbridge::protocol {
using dlms::dlms_protocol;
}  // namespace meterbridge::protocol
