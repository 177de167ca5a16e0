// SPDX-License-Identifier: MIT
// Incotex Mercury 203.2TD, 204, 208, 230, 231, 233, 234, 236, 238: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::mercury {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol mercury_protocol;

}  // namespace meterbridge::protocol::mercury

namespace meterbridge::protocol {
using mercury::mercury_protocol;
}  // namespace meterbridge::protocol
