// SPDX-License-Identifier: MIT
// The text of one telegram, already checked, taken apart into items and readings.
#pragma once

#include "protocol/telegram.hpp"

#include <chrono>
#include <string_view>

namespace meterbridge::protocol::p1 {

enum class Country : std::uint8_t { automatic, nl, be, lu, at, hu, se, fi, lt, si, pl };

// Of the normal time. `header` decides when the country is not configured.
[[nodiscard]] std::chrono::minutes normal_offset(Country country, std::string_view header) noexcept;

struct DecodeOptions {
  Country country = Country::automatic;
  // A check sum or tag proved the text: an unreadable line is then what the meter really sent.
  bool proved = true;
};

// `text` begins with the slash. A line that cannot be read is left out; it never costs the
// telegram.
[[nodiscard]] Telegram decode_text(std::string_view text, const DecodeOptions& options);

}  // namespace meterbridge::protocol::p1
