// SPDX-License-Identifier: MIT
#include "mqtt/contest.hpp"

namespace meterbridge::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr unsigned enough = 3;
// With both sides at the longest pause between attempts, 60 s, a connection lasts no longer.
constexpr auto longest_bout = 90s;
constexpr auto said_every = 1h;

}  // namespace

bool Contest::ended(std::optional<int> reason, bool by_broker, std::chrono::milliseconds lasted) {
  const bool taken_over = reason == session_taken_over;
  const bool silent = !reason && by_broker;
  if ((!taken_over && !silent) || lasted > longest_bout) {
    in_a_row_ = taken_over ? 1 : 0;
    if (in_a_row_ == 0) said_.reset();
  } else {
    ++in_a_row_;
  }
  told_by_broker_ = taken_over;
  return recognised();
}

std::optional<std::string> Contest::lasting(std::chrono::milliseconds so_far) {
  if (!recognised() || so_far <= longest_bout) return std::nullopt;
  *this = Contest();
  return "the connection lasts again: nobody throws us out any more";
}

bool Contest::recognised() const noexcept {
  return in_a_row_ >= enough;
}

std::optional<std::string> Contest::sentence(const std::string& client_id, Time now) {
  if (said_ && now - *said_ < said_every) return std::nullopt;
  said_ = now;
  const std::string times = std::to_string(in_a_row_) + " times in a row";
  const std::string what =
      told_by_broker_
          ? "another client with our client id \"" + client_id + "\" has thrown us out, " + times
          : "the broker closed the connection soon after it had accepted it, " + times +
                ": probably another client has our client id \"" + client_id +
                "\", or the broker does not like what we say (its log tells)";
  return what +
         ". Is a second meterbridge running with a copy of our state directory or the same "
         "mqtt.client_id? Stop it, or give it an instance name and a state directory of its own. "
         "Until then we come back once a minute at most";
}

}  // namespace meterbridge::mqtt
