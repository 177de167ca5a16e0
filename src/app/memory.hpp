// SPDX-License-Identifier: MIT
// The last good values of every meter, and what its counter guard must not forget: what survives a
// restart, so that no counter falls and slow meters are not unknown until their next reading.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"
#include "meter/alarms.hpp"
#include "meter/guard.hpp"

#include <map>
#include <string>
#include <string_view>

namespace meterbridge::app {

struct RememberedValue {
  RememberedValue() = default;

  RememberedValue(Value v, Instant t) : value(std::move(v)), at(t) {}

  Value value;
  Instant at{};  // when it was read
};

struct MeterMemory {
  MeterMemory() = default;
  Instant time{};  // of the last sample
  std::map<ReadingKey, RememberedValue> values;
  meter::GuardMemory guard;
  std::map<std::string, meter::AlarmMemory> alarms;
  std::string driver;  // what its protocol remembers (protocol/remembering.hpp)
};

struct Memory {
  Memory() = default;
  std::map<std::string, MeterMemory, std::less<>> meters;

  [[nodiscard]] std::string json() const;
  // Error: malformed. What is not understood inside is left out, never guessed.
  static Result<Memory> parse(std::string_view json);
};

}  // namespace meterbridge::app
