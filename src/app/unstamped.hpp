// SPDX-License-Identifier: MIT
// What was read while our own clock was not set: after a boot without network, on a board without a
// battery (P29). Every telegram is held, up to a bound, and stamped when the clock is right. Pure:
// times are handed in.
#pragma once

#include "core/time.hpp"
#include "protocol/telegram.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace meterbridge::app {

struct KeptTelegram {
  protocol::Telegram telegram;
  std::optional<Milliseconds> took;
  Instant at{};  // when it came, by the clock that is right now
};

class Unstamped {
 public:
  using Steady = std::chrono::steady_clock;

  // Of one meter: an hour and more of usual meters that are asked every ten seconds.
  static constexpr std::size_t most_bytes = 4'000'000;

  // Where there is no room the oldest leave.
  void hold(const protocol::Telegram& telegram, std::optional<Milliseconds> took,
            Steady::time_point came);
  // What is held, oldest first, once the clock is set.
  [[nodiscard]] std::vector<KeptTelegram> release(Instant now, Steady::time_point steady);

  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }  // since the last release

 private:
  struct Held {
    protocol::Telegram telegram;
    std::optional<Milliseconds> took;
    Steady::time_point came;
    std::size_t weight;
  };

  std::deque<Held> held_;
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace meterbridge::app
