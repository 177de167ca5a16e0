// SPDX-License-Identifier: MIT
// What both Mercury protocols share: a CRC-16/MODBUS at the end, low byte first.
#pragma once

#include "core/bytes.hpp"

namespace meterbridge::protocol::mercury {

inline constexpr std::size_t crc_length = 2;

[[nodiscard]] Bytes with_crc(Bytes body);
[[nodiscard]] bool crc_fits(ByteView frame) noexcept;

}  // namespace meterbridge::protocol::mercury
