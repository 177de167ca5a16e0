// SPDX-License-Identifier: MIT
// What the user wants to be told about a meter, as plain structs (docs/alarms.md).
#pragma once

#include "core/decimal.hpp"
#include "core/reading_key.hpp"
#include "core/time.hpp"

#include <optional>
#include <string>

namespace meterbridge::config {

enum class AlarmKind : std::uint8_t {
  limit,          // a reading beyond a limit, or in a state
  silent,         // no reading for `span`
  fault,          // the meter's state on the fault ladder is not ok
  stuck,          // a value that should move and does not
  sign,           // negative where only positive makes sense
  lost_phase,     // voltages of the phases far apart
  phase_sum,      // the phases' powers are not the total
  power_product,  // voltage times current is not the power
  energy,         // the counter grows otherwise than the power says
};

enum class AlarmSeverity : std::uint8_t { info, warning, critical };

[[nodiscard]] std::string_view name(AlarmKind kind) noexcept;          // "lost_phase"
[[nodiscard]] std::string_view name(AlarmSeverity severity) noexcept;  // "warning"

// Hours of each day, local time; over midnight when it ends before it begins.
struct DayWindow {
  std::chrono::minutes from{};
  std::chrono::minutes to{};
  friend bool operator==(const DayWindow&, const DayWindow&) = default;
};

struct AlarmSettings {
  AlarmSettings() = default;
  std::string name;   // part of the entity's identity
  std::string label;  // shown name; empty = made from the name
  AlarmKind kind = AlarmKind::limit;
  std::optional<ReadingKey> key;
  // Of a limit, in the unit in which the reading is published.
  std::optional<Decimal> above;
  std::optional<Decimal> below;
  Decimal hysteresis;
  std::string is;  // text, or on and off
  std::string is_not;
  std::optional<Milliseconds> per;  // the change in this time counts, not the value
  Milliseconds delay{};
  Milliseconds clear_delay{};
  Milliseconds span{};  // `for` of silent, stuck and energy
  Decimal tolerance;    // percent, of kinds that compare
  std::optional<DayWindow> between;
  AlarmSeverity severity = AlarmSeverity::warning;
  bool automatic = false;  // from `anomalies: true`: announced when it could be judged once
  friend bool operator==(const AlarmSettings&, const AlarmSettings&) = default;
};

}  // namespace meterbridge::config
