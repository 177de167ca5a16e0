// SPDX-License-Identifier: MIT
// A DL/T 645 meter that is polled: what is remembered between polls.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/dlt645/options.hpp"
#include "protocol/left_out.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace meterbridge::protocol::dlt645 {

struct Memory {
  Memory() = default;
  // What was refused or not answered in two polls is left alone until everything is asked again.
  std::set<std::uint32_t> unheard;
  std::map<std::uint32_t, std::string> mute;  // and why
  std::map<std::uint32_t, Bytes> constant;    // payloads of codes that are asked once
  bool unsettled = false;
  unsigned polls_since_all = 0;
  std::string remark;  // of the last poll
};

class Dlt645Driver final : public Driver, public LeavesOut {
 public:
  static constexpr unsigned all_every = 200;  // polls between two that ask everything

  explicit Dlt645Driver(Options options) : options_(std::move(options)) {}

  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;

  [[nodiscard]] std::string remark() const override { return memory_.remark; }

  [[nodiscard]] std::vector<std::string> left_out() const override;
  [[nodiscard]] std::optional<Milliseconds> longest_poll() const override;

 private:
  Options options_;
  Memory memory_;
};

// Error: invalid (no address, bad settings).
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::dlt645
