// SPDX-License-Identifier: MIT
// The readings that alarms look at: the last value of each, when it moved last, and, where a change
// in a time is watched, what it was before.
#pragma once

#include "config/alarm_settings.hpp"
#include "core/reading.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::meter {

struct Trace {
  using Time = std::chrono::steady_clock::time_point;

  Trace() = default;
  Value value;
  Unit unit = Unit::none;
  Time at{};                                  // of the value
  Time first{};                               // when it was seen first in this run
  Time changed{};                             // when it took this value
  bool moved = false;                         // at least once in this run
  std::uint64_t seen = 0;                     // times since it took this value
  std::uint64_t moves_of_others = 0;          // Traces::moves when it took this value
  std::deque<std::pair<Time, Decimal>> past;  // oldest first; for a change in a time

  [[nodiscard]] const Decimal* number() const noexcept { return std::get_if<Decimal>(&value); }
};

// Which of a meter's readings: the meter itself has an empty source.
struct TraceName {
  std::string source;
  ReadingKey key;
  friend auto operator<=>(const TraceName&, const TraceName&) = default;

  [[nodiscard]] std::string text() const {
    return source.empty() ? key.text() : source + " " + key.text();
  }
};

class Traces {
 public:
  using Time = Trace::Time;
  using Map = std::map<TraceName, Trace>;

  explicit Traces(const std::vector<config::AlarmSettings>& alarms);

  void take(const std::string& source, const std::vector<Reading>& readings, Time now);

  // Older values are none from now on.
  void stale_after(Milliseconds limit) noexcept { stale_after_ = limit; }

  [[nodiscard]] bool fresh(const Trace& trace, Time now) const noexcept {
    return now - trace.at < stale_after_;
  }

  // Of the meter itself, while it is fresh; else null.
  [[nodiscard]] const Trace* find(const ReadingKey& key, Time now) const;
  // For whom a key speaks: the reading itself, or, where there is none, those of L1, L2 and L3; of
  // the meter and of sub-meters. Stale ones too.
  [[nodiscard]] std::vector<const Map::value_type*> spoken_for(const ReadingKey& key) const;

  [[nodiscard]] std::vector<const Map::value_type*> everything() const;

  [[nodiscard]] const Map& all() const noexcept { return all_; }

  [[nodiscard]] std::uint64_t moves() const noexcept { return moves_; }

 private:
  [[nodiscard]] bool wanted(const ReadingKey& key) const;
  [[nodiscard]] Milliseconds longest_look_back(const ReadingKey& key) const;

  std::vector<config::AlarmSettings> alarms_;
  Map all_;
  std::uint64_t moves_ = 0;
  Milliseconds stale_after_{};
};

// A measured value, neither register nor text: what moves while something runs.
[[nodiscard]] bool is_measured(const ReadingKey& key) noexcept;
// The same key of another phase.
[[nodiscard]] ReadingKey of_phase(ReadingKey key, Phase phase) noexcept;

}  // namespace meterbridge::meter
