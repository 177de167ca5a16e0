// SPDX-License-Identifier: MIT
// Incotex Mercury 200, 201, 203, 206: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::mercury200 {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol mercury200_protocol;

}  // namespace meterbridge::protocol::mercury200

namespace meterbridge::protocol {
using mercury200::mercury200_protocol;
}  // namespace meterbridge::protocol
