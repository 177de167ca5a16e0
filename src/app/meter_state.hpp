// SPDX-License-Identifier: MIT
#pragma once

#include "app/fault_log.hpp"
#include "app/known.hpp"
#include "homeassistant/documents.hpp"

#include <bitset>
#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace meterbridge::app {

struct MeterPlan;

// Everything the bridge holds of one meter, or of one sub-meter behind it.
struct MeterState {
  using Time = std::chrono::steady_clock::time_point;

  // A value and when it came last, by the clock that never jumps.
  struct Kept {
    Kept() = default;

    Kept(Value v, Time t) : value(std::move(v)), at(t) {}

    Value value;
    Time at{};
    bool stale = false;
  };

  MeterState() = default;

  [[nodiscard]] bool is_submeter() const noexcept { return !facts.parent.empty(); }

  const MeterPlan* plan = nullptr;  // of the configured meter, for sub-meters of their parent
  KnownMeter* known = nullptr;
  homeassistant::MeterFacts facts;
  std::map<ReadingKey, Kept> values;
  Instant time{};  // of the last sample
  std::optional<Time> last_reading;
  homeassistant::HealthFacts health;
  Time health_published{};
  Fault fault_published = Fault::starting;
  double health_tokens = 4;  // early publications that are left; one comes back each minute
  FaultLog log;
  FaultLog remarks;         // of what is wrong on the line although the meter is read
  std::bitset<100> failed;  // the last hundred attempts
  std::size_t attempts = 0;
  bool online = false;
  bool announced = false;  // in this connection
};

}  // namespace meterbridge::app
