// SPDX-License-Identifier: MIT
// What is written into Home Assistant's long-term statistics for hours that it missed. Pure.
#pragma once

#include "core/decimal.hpp"
#include "core/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::hastats {

// An hour as Home Assistant keeps it: the counter at its end, and the sum of what was counted.
struct Row {
  Row() = default;
  Seconds start{};
  Decimal state;
  Decimal sum;
};

// The counter at the end of each hour that the journal knows.
using Hours = std::map<Seconds, Decimal>;

struct Range {
  Range() = default;
  std::optional<Seconds> from;  // given: hours that are there are made right, too
  std::optional<Seconds> to;
};

// One row of the work, in the order in which it is done.
struct Step {
  Step() = default;
  Row row;
  std::optional<Row> before;       // what is there now
  std::optional<Decimal> counted;  // since the hour before it
};

// Behind a group of rows: by how much all later sums are wrong.
struct Shift {
  Shift() = default;
  std::size_t after = 0;  // so many steps
  Seconds from{};
  Decimal by;
};

struct Plan {
  Plan() = default;
  std::vector<Step> steps;
  std::vector<Shift> shifts;
};

// `there` oldest first. Hours that are not over are the caller's to leave out. Error: refused, in
// words, when a counter falls; malformed when numbers are too long.
Result<Plan> make_plan(const std::vector<Row>& there, const Hours& hours, const Range& range);

// Without zeros at the end.
[[nodiscard]] std::string short_text(const Decimal& number);

}  // namespace meterbridge::hastats
