// SPDX-License-Identifier: MIT
// Readings and samples: what Home Assistant, files and databases get.
#pragma once

#include "core/decimal.hpp"
#include "core/reading_key.hpp"
#include "core/time.hpp"
#include "core/unit.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meterbridge {

using Value = std::variant<Decimal, std::string, bool, Seconds>;

// One quantity of one meter. `unit` is the quantity's canonical unit (heat: as the meter counts).
struct Reading {
  Reading() = default;

  Reading(ReadingKey k, Value v, Unit u = Unit::none) : key(k), value(std::move(v)), unit(u) {}

  // Converts to the canonical unit exactly. Error: malformed when the unit does not belong to the
  // quantity.
  static Result<Reading> make(const ReadingKey& key, const Decimal& value, Unit unit);

  ReadingKey key;
  Value value;
  Unit unit = Unit::none;
  std::optional<Decimal> wraps;  // a counter that begins again at 0 where it would reach this
  std::optional<Seconds>
      time;  // the value's own stamp where the meter gives one (M-Bus, monthly peak)
};

// The unit that a user wrote for this key; a `value` may have any text. Error: invalid.
Result<Unit> unit_for(const ReadingKey& key, std::string_view text);

// What the meter says of itself; empty where it says nothing. Sanitised text.
struct MeterIdentity {
  MeterIdentity() = default;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
};

// The readings of one meter inside a telegram: the meter itself (submeter empty), or a sub-meter
// behind it named "<medium>_<serial>", for example "gas_4730303339303031".
struct MeterReadings {
  MeterReadings() = default;
  std::string submeter;
  MeterIdentity identity;
  std::optional<Seconds> time;  // own measuring time of a sub-meter
  std::vector<Reading> readings;

  [[nodiscard]] const Reading* find(const ReadingKey& key) const noexcept;
};

enum class TimeOrigin : std::uint8_t { arrival, meter };

// All readings of one meter at one time, ready to leave. `meter` is the configured id, or
// "<id>_<medium>_<serial>" for a sub-meter; `parent` is then the configured id, else empty.
struct Sample {
  Sample() = default;
  std::string meter;
  std::string parent;
  Instant at{};
  TimeOrigin origin = TimeOrigin::arrival;
  MeterIdentity identity;
  std::vector<Reading> readings;
  // The whole telegram in the form of an old consumer, where a sink wants it (okosmero's JSON); on
  // the meter's own sample only, else empty. Belongs to the sample wherever that is stored.
  std::string document;
};

}  // namespace meterbridge
