// SPDX-License-Identifier: MIT
// The recovery ladder as data: what is tried when a meter answers nonsense or nothing, in which
// order, and how long each attempt may take.
//
// Only valid frames stop the climb. Whether their readings are delivered is the matter of
// availability: a wrong key or a refused value never touches an adapter.
#pragma once

#include "core/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace meterbridge::app {

// From mild to hard.
enum class Rung : std::uint8_t { resynchronise, flush, reopen, usb_reset, restart, cool_down };

struct RungFacts {
  Rung rung;
  std::string_view name;  // as in the health topic
  // Touches the line that others share: not taken while any of them is understood on it.
  bool line;
  // After so long it counts as hanging, and the supervisor looks after the task.
  Milliseconds deadline;
};

inline constexpr std::array<RungFacts, 6> rungs{{
    // A new dialogue, which looks for the next beginning of a frame.
    {Rung::resynchronise, "resynchronise", false, Milliseconds(1000)},
    // What waits unread in driver and buffers is thrown away.
    {Rung::flush, "flush", false, Milliseconds(1000)},
    // A connection gives up after ten seconds by itself.
    {Rung::reopen, "reopen", true, Milliseconds(15000)},
    // Where it is allowed and possible; else the line is reopened.
    {Rung::usb_reset, "usb_reset", true, Milliseconds(10000)},
    {Rung::restart, "restart", false, Milliseconds(5000)},
    {Rung::cool_down, "cool_down", false, Milliseconds(60000)},
}};

// A rung for each failure in a row; after the last one the next round begins. A failure is a poll
// without a valid frame, or a whole limit of silence of a meter that sends by itself. The last rung
// is followed by the cool-down.
inline constexpr std::array<Rung, 6> climb_of_polled{
    Rung::resynchronise, Rung::flush, Rung::reopen, Rung::flush, Rung::usb_reset, Rung::restart};
inline constexpr std::array<Rung, 6> climb_of_pushing{
    Rung::resynchronise, Rung::reopen, Rung::flush, Rung::usb_reset, Rung::flush, Rung::restart};
inline constexpr unsigned rungs_in_a_round = climb_of_polled.size();

// While a task cools down its meter is deaf; a device on this machine is back within seconds.
inline constexpr Milliseconds local_cool_down{4000};
// An adapter that was reset in vain is not reset again before, and then ever more rarely.
inline constexpr Milliseconds first_reset_pause{300000};
inline constexpr Milliseconds longest_reset_pause{3600000};

[[nodiscard]] constexpr const RungFacts& facts_of(Rung rung) noexcept {
  return rungs[static_cast<std::size_t>(rung)];
}

[[nodiscard]] constexpr std::string_view name(Rung rung) noexcept {
  return facts_of(rung).name;
}

// The failures are counted from 1.
[[nodiscard]] constexpr Rung rung_at(unsigned failures, bool pushes) noexcept {
  const auto& climb = pushes ? climb_of_pushing : climb_of_polled;
  return climb[(failures - 1) % rungs_in_a_round];
}

}  // namespace meterbridge::app
