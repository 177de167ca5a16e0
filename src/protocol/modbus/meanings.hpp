// SPDX-License-Identifier: MIT
// All numbers that registers can mean: for a person who knows the right one from the display, and
// looks for type and word order (P20).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::modbus {

struct Meaning {
  Meaning() = default;
  std::size_t first = 0;  // of the words
  std::size_t count = 1;
  std::string_view type;             // as in a register table
  std::array<std::string, 4> texts;  // in the orders ABCD, CDAB, BADC, DCBA
};

// From every word on, as far as the words reach: 16, 32 and, where there are four words, 64 bits.
[[nodiscard]] std::vector<Meaning> meanings(std::span<const std::uint16_t> words);

}  // namespace meterbridge::protocol::modbus
