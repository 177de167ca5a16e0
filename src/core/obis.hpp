// SPDX-License-Identifier: MIT
// OBIS identification codes A-B:C.D.E*F (IEC 62056-61).
#pragma once

#include "core/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge {

class Obis {
 public:
  constexpr Obis() = default;

  constexpr Obis(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint8_t e,
                 std::uint8_t f = 255)
      : groups_{a, b, c, d, e, f} {}

  // "1-0:1.8.0*255" or reduced "1-0:1.8.0" (F = 255). Error: malformed.
  static Result<Obis> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  // always the full form

  [[nodiscard]] constexpr std::uint8_t a() const noexcept { return groups_[0]; }

  [[nodiscard]] constexpr std::uint8_t b() const noexcept { return groups_[1]; }

  [[nodiscard]] constexpr std::uint8_t c() const noexcept { return groups_[2]; }

  [[nodiscard]] constexpr std::uint8_t d() const noexcept { return groups_[3]; }

  [[nodiscard]] constexpr std::uint8_t e() const noexcept { return groups_[4]; }

  [[nodiscard]] constexpr std::uint8_t f() const noexcept { return groups_[5]; }

  friend constexpr bool operator==(const Obis& a, const Obis& b) noexcept {
    return a.packed() == b.packed();
  }

  friend constexpr std::strong_ordering operator<=>(const Obis& a, const Obis& b) noexcept {
    return a.packed() <=> b.packed();
  }

 private:
  // All groups in their order: codes are compared for every line of a telegram.
  [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
    std::uint64_t packed = 0;
    for (const std::uint8_t group : groups_)
      packed = packed << 8U | group;
    return packed;
  }

  std::array<std::uint8_t, 6> groups_{0, 0, 0, 0, 0, 255};
};

}  // namespace meterbridge
