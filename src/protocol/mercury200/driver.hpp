// SPDX-License-Identifier: MIT
// A 200/206 meter that is polled: what is remembered between polls.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/options.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace meterbridge::protocol::mercury200 {

struct Memory {
  Memory() = default;
  // There is no error reply: what a meter does not have is not answered. What was not heard in two
  // polls is left alone until the next slow one.
  std::set<Command> unheard;
  std::set<Command> mute;
  std::map<Command, Bytes> slow;  // answers to what is rarely asked
  bool unsettled = false;
  bool slow_due = true;  // what is rarely asked is asked in the next poll
  unsigned polls_since_slow = 0;
  std::string remark;  // of the last poll
};

class Mercury200Driver final : public Driver {
 public:
  static constexpr unsigned slow_every = 200;  // polls between two readings of the serial number

  explicit Mercury200Driver(const Options& options) : options_(options) {}

  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;

  [[nodiscard]] std::string remark() const override { return memory_.remark; }

 private:
  Options options_;
  Memory memory_;
};

// Error: invalid (no address, bad settings).
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury200
