// SPDX-License-Identifier: MIT
#pragma once

#include "app/fault_log.hpp"
#include "app/known.hpp"
#include "app/token_bucket.hpp"
#include "homeassistant/documents.hpp"
#include "meter/alarms.hpp"
#include "meter/guard.hpp"
#include "meter/publish_rate.hpp"
#include "meter/smoothing.hpp"

#include <bitset>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::app {

struct MeterPlan;

// A meter is away, and a value too old to show, after so many periods without it.
constexpr int periods_until_stale = 3;

// Everything the bridge holds of one meter, or of one sub-meter behind it.
struct MeterState {
  using Time = std::chrono::steady_clock::time_point;

  // A value and when it came last, by the clock that never jumps.
  struct Kept {
    Kept() = default;

    Kept(Value v, Time t, meter::Pace p) : value(std::move(v)), at(t), pace(p) {}

    Value value;
    Time at{};
    meter::Pace pace;
    Value shown;  // what the state topic says, which may be older (P41)
    std::optional<Time> shown_at;
    bool waits = true;  // newer than what is shown
    bool stale = false;
  };

  MeterState() = default;

  [[nodiscard]] bool is_submeter() const noexcept { return !facts.parent.empty(); }

  const MeterPlan* plan = nullptr;  // of the configured meter, for sub-meters of their parent
  KnownMeter* known = nullptr;
  homeassistant::MeterFacts facts;
  std::map<ReadingKey, Kept> values;
  std::unique_ptr<meter::Guard> guard;
  std::unique_ptr<meter::Smoothing> smoothing;
  std::unique_ptr<meter::Alarms> alarms;  // null where there are none, and for sub-meters
  std::map<std::string, TokenBucket, std::less<>> alarm_events;  // by alarm
  TokenBucket alarm_health{10, std::chrono::minutes(1)};
  TokenBucket guard_events{10, std::chrono::minutes(10)};
  TokenBucket replacements{10, std::chrono::minutes(10)};
  std::optional<bool> password_refused;  // the configured one; nothing = not looked yet
  Instant time{};                        // of the last sample
  std::optional<Time> last_reading;
  homeassistant::HealthFacts health;
  Time health_published{};
  Fault fault_published = Fault::starting;
  TokenBucket early_health{4, std::chrono::minutes(1)};
  FaultLog log;
  FaultLog remarks;         // of what is wrong on the line although the meter is read
  std::bitset<100> failed;  // the last hundred attempts
  std::size_t attempts = 0;
  std::map<std::string_view, std::uint64_t> errors;  // kind -> count since the start
  bool show_all = false;                             // with the next sample
  bool online = false;
  TokenBucket losses{5, std::chrono::minutes(5)};  // shown at once; more of them are flutter (P39)
  std::optional<Time> lost;                        // since then, and not shown yet
  bool announced = false;                          // in this connection
  bool alarms_waiting = false;                     // changed, and not published yet
  bool decided = false;                            // an alarm was told, which must be on disk
};

}  // namespace meterbridge::app
