// SPDX-License-Identifier: MIT
// What a value of a meter can be at all: ranges, largest steps, fastest growth of a counter.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"

#include <optional>
#include <string>

namespace meterbridge::meter {

// In the unit in which the reading leaves the program. Nothing = no limit known.
struct Limits {
  std::optional<Decimal> minimum;
  std::optional<Decimal> maximum;
  std::optional<Decimal> step;      // between two values that follow each other
  std::optional<Decimal> per_hour;  // growth of a cumulative register
  bool assumed = false;             // per_hour is our default: a larger power reading widens it
};

// The user's own limits win over max_power and main_fuse, these over wide defaults that hold for
// any meter of the kind. A factor above one (current transformer) widens the defaults with it.
[[nodiscard]] Limits limits_of(const ReadingKey& key, Unit unit,
                               const config::MeterSettings& meter);

// "15 kW"
[[nodiscard]] std::string with_unit(const Decimal& value, Unit unit);

// A register that is not updated all the time (gas once an hour, some electricity meters each
// quarter of an hour) shows at once what grew in this time.
[[nodiscard]] Milliseconds update_period(const ReadingKey& key) noexcept;

}  // namespace meterbridge::meter
