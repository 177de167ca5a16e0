// SPDX-License-Identifier: MIT
// Limits, states and anomalies that the user wants to be told of, one meter's (docs/alarms.md).
// Pure: values, state and time are handed in, events come out. Delays run by the clock that never
// jumps; times that people see are of the wall clock.
#pragma once

#include "config/settings.hpp"
#include "core/fault.hpp"
#include "core/reading.hpp"
#include "meter/energy_watch.hpp"
#include "meter/guard.hpp"
#include "meter/traces.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::meter {

// What must survive a restart, so that nothing is raised twice and every end is told.
struct AlarmMemory {
  AlarmMemory() = default;
  bool raised = false;
  bool judged = false;           // could be told at least once, in any run
  std::optional<Instant> since;  // nothing = the clock was not set
  std::string text;              // why, when it was raised
  std::optional<Decimal> worst;  // of a limit, since it was raised
};

// What judging one alarm at one moment says.
struct Finding {
  enum class Verdict : std::uint8_t { unknown, calm, nearly, over };

  Finding() = default;

  explicit Finding(Verdict v, std::string w = {}) : verdict(v), words(std::move(w)) {}

  Verdict verdict = Verdict::unknown;  // nearly: inside the hysteresis
  std::string words;                   // of what is over, or of a limit's present value
  std::optional<Decimal> value;
  bool beneath = false;  // the value is over by being too low
};

class Alarms {
 public:
  // What the meter's program knows of it besides readings.
  struct Situation {
    Fault fault = Fault::starting;
    std::string_view error;
    bool paused = false;
    Milliseconds stale_after{};  // a value that is older is none
  };

  struct Event {
    const config::AlarmSettings* alarm = nullptr;
    bool raised = false;
    std::string text;
  };

  struct State {
    const config::AlarmSettings* alarm = nullptr;
    std::optional<bool> active;  // nothing = cannot be told now
    const AlarmMemory* memory = nullptr;
  };

  explicit Alarms(const config::MeterSettings& settings);  // outlives the alarms

  // Readings as they are published; `source` names a sub-meter, empty = the meter itself.
  void take(const std::string& source, const std::vector<Reading>& readings, const Moment& now);
  // After readings, after failures, and once a second.
  [[nodiscard]] std::vector<Event> judge(const Situation& situation, const Moment& now);
  [[nodiscard]] std::vector<State> states() const;

  // True once after something that states() tells has changed.
  [[nodiscard]] bool take_changed() noexcept { return std::exchange(changed_, false); }

  [[nodiscard]] std::map<std::string, AlarmMemory> memory() const;
  void restore(const std::map<std::string, AlarmMemory>& memory);

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Watch {
    explicit Watch(const config::AlarmSettings& a) : alarm(&a) {}

    const config::AlarmSettings* alarm;
    AlarmMemory memory;
    std::optional<bool> active;
    std::optional<Time> begins;  // over since then, and not raised yet
    std::optional<Time> ends;    // calm since then, and not cleared yet
  };

  [[nodiscard]] Finding find(const config::AlarmSettings& alarm, const Situation& situation,
                             const Moment& now) const;
  std::optional<Event> advance(Watch& watch, const Finding& finding, const Moment& now);

  std::vector<Watch> watches_;
  Traces traces_;
  std::optional<EnergyWatch> energy_;
  std::optional<Time> began_;
  std::optional<Time> last_reading_;
  bool changed_ = false;
};

// The kinds that compare readings; in anomalies.cpp.
[[nodiscard]] Finding find_stuck(const config::AlarmSettings& alarm, const Traces& traces,
                                 const Moment& now);
[[nodiscard]] Finding find_sign(const Traces& traces, const Moment& now);
[[nodiscard]] Finding find_lost_phase(const config::AlarmSettings& alarm, const Traces& traces,
                                      const Moment& now);
[[nodiscard]] Finding find_phase_sum(const config::AlarmSettings& alarm, const Traces& traces,
                                     const Moment& now);
[[nodiscard]] Finding find_power_product(const config::AlarmSettings& alarm, const Traces& traces,
                                         const Moment& now);
// A reading beyond a limit, or in a state; in alarm_limits.cpp.
[[nodiscard]] Finding find_limit(const config::AlarmSettings& alarm, const Traces& traces,
                                 const Moment& now);

}  // namespace meterbridge::meter
