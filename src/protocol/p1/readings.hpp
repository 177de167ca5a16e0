// SPDX-License-Identifier: MIT
// From the items of a telegram to the readings of the meter and of the meters behind it.
#pragma once

#include "core/obis.hpp"
#include "protocol/obis_catalogue.hpp"
#include "protocol/telegram.hpp"

#include <chrono>
#include <span>

namespace meterbridge::protocol::p1 {

// What the address of an item is; one for each item of the telegram.
struct ItemCode {
  std::optional<Obis> obis;            // nothing when the address is no OBIS code
  std::optional<ObisMeaning> meaning;  // what the catalogue says of it
};

using Codes = std::span<const ItemCode>;

struct ReadingOptions {
  std::chrono::minutes normal_offset{60};
  // A line was unreadable and no check sum says that it is no damage: a sum over tariffs might lack
  // one.
  bool sums_doubtful = false;
};

// Fills meter, time and readings.
void build_readings(Telegram& telegram, Codes codes, const ReadingOptions& options);

}  // namespace meterbridge::protocol::p1
