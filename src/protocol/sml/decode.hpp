// SPDX-License-Identifier: MIT
// From the list of a telegram to its items, and to the readings of the meter.
#pragma once

#include "protocol/sml/list.hpp"
#include "protocol/telegram.hpp"

#include <string>

namespace meterbridge::protocol::sml {

// DZG sends positive powers as signed numbers that are too short for them.
enum class DzgFix : std::uint8_t {
  automatic,  // by the direction in the status word
  on,         // no power is negative
  off,        // as it is sent
};

// 15.7.0 has no sign. What it is where the meter says no direction that we understand.
enum class AbsolutePower : std::uint8_t { automatic, comes, leaves, off };

struct DecodeOptions {
  DzgFix dzg = DzgFix::automatic;
  AbsolutePower absolute = AbsolutePower::automatic;
};

// Whose telegram it is: three letters (FLAG), from the server id or the maker's text. Empty when
// the list does not say.
[[nodiscard]] std::string maker_letters(const List& list);
// The number on the plate ("1DZG0042082910", DIN 43863-5), or the server id as hex digits.
[[nodiscard]] std::string serial_of(ByteView server_id);
// True when the status word says that energy leaves the house; nothing for words that we do not
// know.
[[nodiscard]] std::optional<bool> exporting(std::uint64_t status) noexcept;

[[nodiscard]] Telegram telegram_of(const List& list, const DecodeOptions& options);

}  // namespace meterbridge::protocol::sml
