// SPDX-License-Identifier: MIT
// From the list of a telegram to its items, and to the readings of the meter.
#pragma once

#include "protocol/dlms/layout.hpp"
#include "protocol/telegram.hpp"

#include <string>
#include <string_view>

namespace meterbridge::protocol::dlms {

// What the meter's clock is worth where it does not say its offset from UTC.
enum class ClockRule : std::uint8_t {
  automatic,  // what is known of the make
  local,      // the time of the house
  standard,   // normal time of Central Europe all year
  off,        // not used
};

struct DecodeOptions {
  ClockRule clock = ClockRule::automatic;
};

// "KFM6750000881": three letters of the maker, then a number of five bytes. Empty for no title.
[[nodiscard]] std::string title_text(std::string_view title);

[[nodiscard]] Telegram telegram_of(const List& list, const Head& head,
                                   std::string_view system_title, const DecodeOptions& options);

}  // namespace meterbridge::protocol::dlms
