// SPDX-License-Identifier: MIT
// A clock that stands still until a test moves it.
#pragma once

#include "core/time.hpp"

namespace meterbridge::fakes {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant now = Instant(std::chrono::seconds(1'700'000'000))) : now_(now) {}

  [[nodiscard]] Instant now() const override { return now_; }

  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return steady_; }

  void advance(Milliseconds by) {
    now_ += by;
    steady_ += by;
  }

  // The system clock is set; durations do not notice.
  void jump(Milliseconds by) { now_ += by; }

 private:
  Instant now_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
};

}  // namespace meterbridge::fakes
