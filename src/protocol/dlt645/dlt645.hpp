// SPDX-License-Identifier: MIT
// DL/T 645: the entry of the registry.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::dlt645 {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol dlt645_protocol;

}  // namespace meterbridge::protocol::dlt645

namespace meterbridge::protocol {
using dlt645::dlt645_protocol;
}  // namespace meterbridge::protocol
