// SPDX-License-Identifier: MIT
// A 23x meter that is polled: what is remembered between polls.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/left_out.hpp"
#include "protocol/mercury/options.hpp"
#include "protocol/mercury/values.hpp"
#include "protocol/registers.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::protocol::mercury {

// A+, A-, R+, R-
using Directions = std::array<Registers, 4>;

// What is known of the meter from earlier polls. Questions are named by their bodies.
struct Memory {
  Memory() = default;
  std::optional<Error> locked;               // the password was refused: nothing is ever sent again
  std::map<Bytes, std::string> unsupported;  // refused for good by this meter, in words
  std::set<Bytes> unheard;                   // not answered when last asked
  // Not answered twice: left alone until the next slow poll.
  std::map<Bytes, std::string> mute;
  std::map<Bytes, std::size_t> lengths;  // of the last answer, where several are possible
  std::map<Bytes, Bytes> slow;           // answers to what is rarely asked
  bool unsettled = false;
  std::string other_master;  // what another master was heard asking during the last poll
  Directions energies;       // of the last good poll
  bool sums_differ = false;  // the tariffs that are asked do not add up to the sum of this meter
  bool slow_due = true;      // what is rarely asked is asked in the next poll
  unsigned polls_since_slow = 0;
};

class MercuryDriver final : public Driver, public LeavesOut {
 public:
  static constexpr unsigned slow_every = 200;  // polls between two readings of the serial number

  explicit MercuryDriver(const Options& options);
  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;

  [[nodiscard]] std::string remark() const override { return memory_.other_master; }

  [[nodiscard]] std::vector<std::string> left_out() const override;

 private:
  Options options_;
  Memory memory_;
};

// Error: invalid (no address, bad settings).
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury
