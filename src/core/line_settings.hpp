// SPDX-License-Identifier: MIT
// Speed and framing of a serial line.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge {

enum class Parity : std::uint8_t { none, even, odd };

struct LineSettings {
  std::uint32_t baud = 9600;
  std::uint8_t data_bits = 8;
  Parity parity = Parity::none;
  std::uint8_t stop_bits = 1;

  // baud 300..921600 and mode "8N1", "7E1", "8O2" ... Error: invalid, in words.
  static Result<LineSettings> parse(std::uint32_t baud, std::string_view mode);
  [[nodiscard]] std::string text() const;  // "9600 8N1"
  friend bool operator==(const LineSettings&, const LineSettings&) = default;
};

}  // namespace meterbridge
