// SPDX-License-Identifier: MIT
// The line behind the exclamation mark, compared with the text before it.
#pragma once

#include "protocol/crc16.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge::protocol::p1 {

struct Check {
  enum class State : std::uint8_t {
    good,
    bad,
    absent,   // nothing but the end of the line behind the mark
    damaged,  // something that is no number of one to four hex digits
  };
  State state = State::damaged;
  std::uint16_t sent = 0;
  std::uint16_t calculated = 0;

  [[nodiscard]] std::string text() const;  // "CRC is 99DA, the telegram says 1234"
};

// `mark` is the place of the exclamation mark in `telegram`. A telegram whose carriage returns were
// taken away by a cooked tty is checked with them put back.
[[nodiscard]] Check check_telegram(std::string_view telegram, std::size_t mark, Crc16::Kind kind);

}  // namespace meterbridge::protocol::p1
