// SPDX-License-Identifier: MIT
// What SML and DLMS share: the codes of the units, and texts that are octets on the wire.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge::protocol {

// IEC 62056-6-2, 4.3.2; empty for "no unit" and those that no meter here sends.
[[nodiscard]] std::string_view cosem_unit(std::uint8_t code) noexcept;
// Without the zeros that fill it up; as hex digits when it is no text.
[[nodiscard]] std::string readable_octets(ByteView bytes);

}  // namespace meterbridge::protocol
