// SPDX-License-Identifier: MIT
// Decides which failures of a meter are worth a line in the log (P22, P54): one when it begins, one
// when it is over, summaries that become rarer while it lasts, and never more than a few lines a
// day however it flutters. Trouble that lasts is always named; failures that are gone with the next
// attempt are mostly left to the summaries.
#pragma once

#include "app/token_bucket.hpp"
#include "core/fault.hpp"
#include "core/result.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
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
  [[nodiscard]] std::string hint() const;

  // So many failures in a row are lasting trouble.
  static constexpr std::uint64_t lasting = 3;
  // The first summary carries the hint and comes early; while the trouble goes on the others become
  // rare.
  static constexpr std::array<std::chrono::minutes, 4> summaries{
      std::chrono::minutes(5), std::chrono::hours(1), std::chrono::hours(6),
      std::chrono::hours(24)};

  TokenBucket brief_trouble_{2, std::chrono::hours(24)};
  TokenBucket lasting_trouble_{4, std::chrono::hours(2)};
  bool bad_ = false;         // the last attempt failed
  bool announced_ = false;   // the beginning of this trouble was written
  Fault fault_ = Fault::ok;  // kind that was written last
  Time since_{};
  Time summary_from_{};
  std::size_t summary_ = 0;  // of `summaries`
  bool summary_due_ = false;
  std::uint64_t failures_ = 0;  // since the last summary
  std::uint64_t successes_ = 0;
  std::uint64_t in_trouble_ = 0;  // failures of this trouble
  Fault worst_ = Fault::ok;       // kind seen last since the last summary
};

}  // namespace meterbridge::app
