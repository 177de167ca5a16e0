// SPDX-License-Identifier: MIT
// What was read while our own clock was not set: after a boot without network, on a board without a
// battery (P29). The newest telegram is held, and stamped when the clock is right. Pure: times are
// handed in.
#pragma once

#include "core/time.hpp"
#include "protocol/telegram.hpp"

#include <chrono>
#include <optional>

namespace meterbridge::app {

struct KeptTelegram {
  KeptTelegram() = default;
  protocol::Telegram telegram;
  std::optional<Milliseconds> took;
  Instant at{};  // when it came, by the clock that is right now
};

class Unstamped {
 public:
  using Steady = std::chrono::steady_clock;

  void hold(const protocol::Telegram& telegram, std::optional<Milliseconds> took,
            Steady::time_point came);
  // What is held, once the clock is set.
  [[nodiscard]] std::optional<KeptTelegram> release(Instant now, Steady::time_point steady);

 private:
  std::optional<KeptTelegram> kept_;
  Steady::time_point came_{};
};

}  // namespace meterbridge::app
