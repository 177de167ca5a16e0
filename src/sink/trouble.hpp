// SPDX-License-Identifier: MIT
// Which troubles of a sink are worth a line in the log (P54): one when it begins, one when it is
// over, and summaries that become rarer while it lasts.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace meterbridge::sink {

class Trouble {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Each returns the line to write, or nothing.
  std::optional<std::string> failed(Time now, const std::string& reason);
  std::optional<std::string> good(Time now);
  std::optional<std::string> tick(Time now);

  [[nodiscard]] bool lasts() const noexcept { return bad_; }

  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  bool may_speak(Time now);

  static constexpr std::array<std::chrono::minutes, 4> summaries{
      std::chrono::minutes(5), std::chrono::hours(1), std::chrono::hours(6),
      std::chrono::hours(24)};
  // A place that comes and goes is told so often in so long.
  static constexpr int most_lines = 8;
  static constexpr std::chrono::hours span{6};

  bool bad_ = false;
  bool announced_ = false;
  std::string reason_;  // most recent one; stays when the trouble is over
  Time since_{};
  Time next_summary_{};
  std::size_t summary_ = 0;
  std::uint64_t failures_ = 0;  // of this trouble
  Time span_from_{};
  int spoken_ = 0;  // lines in this span
};

}  // namespace meterbridge::sink
