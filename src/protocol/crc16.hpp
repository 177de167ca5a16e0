// SPDX-License-Identifier: MIT
// The reflected CRC-16 of meter protocols: P1 prints them behind its exclamation mark, Modbus and
// Mercury send the low byte first, HDLC (ISO/IEC 13239) too.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <string_view>

namespace meterbridge::protocol {

// In pieces. arc: polynomial 8005, start 0000 (BB3D for "123456789"); modbus: the same from FFFF
// (4B37); x25: polynomial 1021, start and final exclusive-or FFFF (906E); kermit: the same
// polynomial, start 0000 and no exclusive-or (2189).
class Crc16 {
 public:
  enum class Kind : std::uint8_t { arc, modbus, x25, kermit };

  explicit Crc16(Kind kind = Kind::arc) noexcept;
  void add(std::string_view text) noexcept;
  [[nodiscard]] std::uint16_t value() const noexcept;

 private:
  Kind kind_;
  std::uint16_t state_;
};

[[nodiscard]] std::uint16_t crc16(std::string_view text,
                                  Crc16::Kind kind = Crc16::Kind::arc) noexcept;
[[nodiscard]] std::uint16_t crc16(ByteView bytes, Crc16::Kind kind) noexcept;

}  // namespace meterbridge::protocol
