// SPDX-License-Identifier: MIT
// Whether a counter grows as much as the power says, by sums over a time. In whole deciwatts times
// milliseconds: no floating point, and no overflow below 100 MW over a day.
#pragma once

#include "config/alarm_settings.hpp"
#include "core/reading.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::meter {

class EnergyWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  EnergyWatch(const config::AlarmSettings& alarm, Milliseconds longest_gap)
      : span_(alarm.span), tolerance_(alarm.tolerance), longest_gap_(longest_gap) {}

  void take(const std::vector<Reading>& readings, Time now);

  // Of the last whole time; nothing = there was none yet. Empty = they agree.
  [[nodiscard]] const std::optional<std::string>& result() const noexcept { return result_; }

 private:
  struct Side {
    std::optional<Decimal> begin;   // of the counter, kWh
    std::optional<Decimal> latest;  // the same
    std::int64_t flowed = 0;        // as the power says
  };

  void begin(Time now);
  void add(std::int64_t deciwatts, Milliseconds time);
  [[nodiscard]] std::string compare(const Side& side, std::string_view counter) const;

  Milliseconds span_;
  Decimal tolerance_;
  Milliseconds longest_gap_;
  Time began_{};
  std::optional<Time> last_;
  std::int64_t power_ = 0;
  Side import_;
  Side export_;
  std::optional<std::string> result_;
};

}  // namespace meterbridge::meter
