// SPDX-License-Identifier: MIT
// How much of a line's time its failing meters may cost the others (P06). Pure: every time is
// handed in.
//
// A meter that fails again and again while others of its line answer is suspected, and is asked
// less often: all suspects together take at most `percent` of the time that they leave to the
// others, so that the cycle of the others grows by no more than that. It is no longer suspected
// after one answer.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace meterbridge::app {

class BusShare {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::steady_clock::duration;

  // Failures in a row before a meter is suspected.
  static constexpr unsigned patience = 3;
  static constexpr int default_percent = 10;

  // `overhead` = line time that every poll costs besides its own (the line's turnaround).
  explicit BusShare(int percent = default_percent, Span overhead = Span::zero());

  // A poll of `meter` ended: with anything that proves that the meter is there, or without.
  void answered(std::string_view meter, Time end);
  void failed(std::string_view meter, Time begin, Time end);
  // A meter that is not asked any more takes no part.
  void forget(std::string_view meter);
  // The line itself was away: nobody is suspected for what happened before.
  void forgive();

  [[nodiscard]] bool suspects(std::string_view meter) const;
  // When the meter may have the line again; long ago for who is not suspected.
  [[nodiscard]] Time earliest(std::string_view meter) const;

 private:
  struct Member {
    unsigned failures = 0;  // in a row
    bool suspected = false;
    Time answered{};  // last
    Time ended{};     // its last poll
    Span cost{};      // of its last failure
  };

  [[nodiscard]] const Member* find(std::string_view meter) const;
  [[nodiscard]] bool others_answered_since(Time since, const Member& member) const;

  int percent_;
  Span overhead_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace meterbridge::app
