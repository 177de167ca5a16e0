// SPDX-License-Identifier: MIT
// Two clients with one client id throw each other out, and each comes back: for ever, with
// everything said again each time. MQTT 5 says so (reason 142); before it the broker only closes a
// connection that it had accepted.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace meterbridge::mqtt {

inline constexpr int session_taken_over = 142;

class Contest {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // An accepted connection came to its end. `reason`: of the broker's DISCONNECT, if there was one;
  // `by_broker`: it closed the connection, not we. True when this belongs to a contest, from the
  // third time in a row on.
  bool ended(std::optional<int> reason, bool by_broker, std::chrono::milliseconds lasted);

  // The last end, and those before it, look like one: the next attempt shall not come early.
  [[nodiscard]] bool suspected() const noexcept { return in_a_row_ > 0; }

  [[nodiscard]] bool recognised() const noexcept;
  // The connection that is open now has lasted so long. What to say when that ends a contest, once.
  std::optional<std::string> lasting(std::chrono::milliseconds so_far);
  // What to say of it, once an hour; nothing in between.
  std::optional<std::string> sentence(const std::string& client_id, Time now);

 private:
  unsigned in_a_row_ = 0;
  bool told_by_broker_ = false;
  std::optional<Time> said_;
};

}  // namespace meterbridge::mqtt
