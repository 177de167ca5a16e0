// SPDX-License-Identifier: MIT
// The check sums that P1 meters print behind the exclamation mark.
#pragma once

#include <cstdint>
#include <string_view>

namespace meterbridge::protocol::p1 {

// Reflected CRC-16 in pieces. arc: polynomial 8005, start 0000 (BB3D for "123456789"); x25:
// polynomial 1021, start and final exclusive-or FFFF (906E).
class Crc16 {
 public:
  enum class Kind : std::uint8_t { arc, x25 };

  explicit Crc16(Kind kind = Kind::arc) noexcept;
  void add(std::string_view text) noexcept;
  [[nodiscard]] std::uint16_t value() const noexcept;

 private:
  Kind kind_;
  std::uint16_t state_;
};

[[nodiscard]] std::uint16_t crc16(std::string_view text,
                                  Crc16::Kind kind = Crc16::Kind::arc) noexcept;

}  // namespace meterbridge::protocol::p1
