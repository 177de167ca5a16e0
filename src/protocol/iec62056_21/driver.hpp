// SPDX-License-Identifier: MIT
// An IEC 62056-21 meter that is polled: what is remembered between polls.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/iec62056_21/options.hpp"
#include "protocol/left_out.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::protocol::iec62056_21 {

struct Memory {
  Memory() = default;
  Check rule = Check::automatic;                   // that the last good block had
  std::map<std::string, std::string> unsupported;  // codes that this meter refuses, and its words
  std::set<std::string> told;                      // codes that a remark has named
  std::set<std::string> news;                      // those of the last poll among them
  std::set<std::string> unheard;                   // not answered when last asked
  std::set<std::string> mute;                      // not answered twice: left alone for a while
  std::vector<Reading> constant;                   // of rows that are read once
  std::optional<Error> locked;  // the password was refused: nothing is ever sent again
  bool no_group = false;        // it refuses groups, or one of the codes in them
  bool unsettled = false;
  bool left_open = false;         // the last poll was broken off within a session
  unsigned polls_since_slow = 0;  // since everything was asked
};

class Iec62056Driver final : public Driver, public LeavesOut {
 public:
  static constexpr unsigned slow_every = 200;

  explicit Iec62056Driver(Options options) : options_(std::move(options)) {}

  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;
  [[nodiscard]] std::string remark() const override;
  [[nodiscard]] std::vector<std::string> left_out() const override;
  [[nodiscard]] std::optional<Milliseconds> longest_poll() const override;

 private:
  Options options_;
  Memory memory_;
};

// Error: invalid.
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::iec62056_21
