// SPDX-License-Identifier: MIT
#include "app/unstamped.hpp"

#include <utility>

namespace meterbridge::app {

void Unstamped::hold(const protocol::Telegram& telegram, std::optional<Milliseconds> took,
                     Steady::time_point came) {
  kept_.emplace();
  kept_->telegram = telegram;
  kept_->took = took;
  came_ = came;
}

std::optional<KeptTelegram> Unstamped::release(Instant now, Steady::time_point steady) {
  if (!kept_ || !clock_is_set(now)) return std::nullopt;
  kept_->at = now - std::chrono::duration_cast<Milliseconds>(steady - came_);
  return std::exchange(kept_, std::nullopt);
}

}  // namespace meterbridge::app
