// SPDX-License-Identifier: MIT
// A budget for lines and messages: so many at once, and a new one after each `refill`.
#pragma once

#include <algorithm>
#include <chrono>

namespace meterbridge::app {

struct TokenBucket {
  using Time = std::chrono::steady_clock::time_point;

  double tokens;
  std::chrono::minutes refill;
  double capacity = tokens;
  Time filled{};

  // False when nothing is left; else one less is left.
  bool take(Time now) {
    if (filled == Time{}) filled = now;
    const std::chrono::duration<double> passed = now - filled;
    tokens = std::min(capacity, tokens + passed / refill);
    filled = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  }
};

}  // namespace meterbridge::app
