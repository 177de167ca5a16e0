// SPDX-License-Identifier: MIT
// A CE102 meter that is polled: what is asked when, and what is remembered between polls.
#pragma once

#include "protocol/ce102/options.hpp"
#include "protocol/dialogue.hpp"
#include "protocol/registers.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace meterbridge::protocol::ce102 {

// What is known of the meter from earlier polls.
struct Memory {
  Memory() = default;
  using Value = std::pair<Query, std::uint8_t>;  // a query and its tariff

  Family family = Family::automatic;
  std::optional<int> decimals;  // of classic meters
  std::optional<Version> version;
  Bytes version_data;
  std::string serial;
  std::string other_serial;     // read once, differs from `serial`: believed when read twice
  std::set<Value> unsupported;  // refused for good by this meter
  std::set<Value> unheard;      // not answered when last asked, though the meter answered others
  std::set<Value> mute;         // not answered twice: left alone until the next slow poll
  std::optional<Error> locked;  // the password was refused: nothing is ever sent again
  bool unsettled = false;
  std::string other_master;  // what another master was heard asking during the last poll
  Registers energies;        // of the last good poll
  bool sums_differ = false;  // the tariffs that are asked do not add up to the sum of this meter
  unsigned polls_since_slow = 0;  // since serial number and version were read
};

class Ce102Driver final : public Driver {
 public:
  static constexpr unsigned slow_every =
      200;  // polls between two readings of serial number and version

  explicit Ce102Driver(const Options& options);
  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;

  [[nodiscard]] std::string remark() const override { return memory_.other_master; }

 private:
  Options options_;
  Memory memory_;
};

// Error: invalid (no address, bad settings).
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::ce102
