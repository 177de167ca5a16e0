// SPDX-License-Identifier: MIT
// Median and mean of noisy measured values: of what is published. Files and databases get what the
// meter said.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"
#include "meter/guard.hpp"

#include <deque>
#include <map>
#include <vector>

namespace meterbridge::meter {

class Smoothing {
 public:
  explicit Smoothing(const config::MeterSettings& settings) : settings_(&settings) {}

  // In place. After a pause longer than `longest_gap` it begins anew.
  void apply(std::vector<Reading>& readings, const Moment& now, Milliseconds longest_gap);

 private:
  struct Row {
    Row() = default;
    std::deque<Decimal> values;   // as they came
    std::deque<Decimal> medians;  // of them
    std::chrono::steady_clock::time_point at{};
  };

  const config::MeterSettings* settings_;  // outlives it
  std::map<ReadingKey, Row> rows_;
};

// The one in the middle; of an even number the lower one, so that it is always one that was said.
[[nodiscard]] Decimal median_of(std::vector<Decimal> values);
// With the finest digits of them, half away from zero; the last one where the sum overflows.
[[nodiscard]] Decimal mean_of(const std::deque<Decimal>& values);

}  // namespace meterbridge::meter
