// SPDX-License-Identifier: MIT
// Samples as rows: one for each reading.
#pragma once

#include "journal/event.hpp"
#include "journal/journal.hpp"
#include "sink/sql/connection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace meterbridge::sink::sql {

struct Value {
  std::string name;  // the reading key
  std::string unit;  // "" where there is none
  Instant at{};
  Cell number;
  Cell decimals;  // digits behind the point as the meter sent them
  Cell text;
};

struct Record {
  Record() = default;
  journal::Sequence sequence = 0;
  std::string meter;
  std::string parent;
  MeterIdentity identity;
  Instant at{};
  std::vector<Value> values;
  std::optional<journal::Event> event;  // in place of values
  std::string trouble;                  // readings that no column holds, in words; empty = none
};

// Digits before and behind the point that a column of ours holds.
inline constexpr std::size_t most_integer_digits = 19;
inline constexpr std::size_t most_decimals = 18;

[[nodiscard]] Record record_of(const journal::Entry& entry);

}  // namespace meterbridge::sink::sql
