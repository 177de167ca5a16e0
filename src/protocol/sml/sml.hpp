// SPDX-License-Identifier: MIT
// SML: binary lists that German meters send by themselves, about once a second.
#pragma once

#include "protocol/registry.hpp"

namespace meterbridge::protocol::sml {

// anatomy.cpp
[[nodiscard]] Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings);
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise);

extern const Protocol sml_protocol;

}  // namespace meterbridge::protocol::sml

namespace meterbridge::protocol {
using sml::sml_protocol;
}  // namespace meterbridge::protocol
