// SPDX-License-Identifier: MIT
// Decides which failures of a meter are worth a line in the log (P22, P54): one when it begins, one
// when it is over, a summary each hour while it lasts, and never more than a few lines an hour
// however it flutters.
#pragma once

#include "core/fault.hpp"
#include "core/result.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace meterbridge::app {

class FaultLog {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Each returns the line to write, or nothing.
  std::optional<std::string> failed(Time now, const Error& error);
  std::optional<std::string> good(Time now);
  std::optional<std::string> tick(Time now);

 private:
  bool may_write(Time now);
  [[nodiscard]] std::string hint() const;

  static constexpr double capacity = 4;  // troubles at once, two lines each
  static constexpr double refill_per_hour = 3;
  // The first summary carries the hint and comes early; while the trouble lasts the others are
  // rare.
  static constexpr std::chrono::minutes first_summary{5};
  static constexpr std::chrono::minutes summary_every{60};

  double tokens_ = capacity;
  Time refilled_{};
  bool bad_ = false;         // the last attempt failed
  bool announced_ = false;   // the beginning of this trouble was written
  Fault fault_ = Fault::ok;  // kind that was written last
  Time since_{};
  Time summary_from_{};
  std::chrono::minutes summary_after_ = first_summary;
  bool summary_due_ = false;
  std::uint64_t failures_ = 0;  // since the last summary
  std::uint64_t successes_ = 0;
  std::uint64_t in_trouble_ = 0;  // failures of this trouble
  Fault worst_ = Fault::ok;       // kind seen last since the last summary
};

}  // namespace meterbridge::app
