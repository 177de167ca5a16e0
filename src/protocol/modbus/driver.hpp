// SPDX-License-Identifier: MIT
// A Modbus meter that is polled, and what is remembered of it between polls.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/left_out.hpp"
#include "protocol/modbus/options.hpp"
#include "protocol/modbus/planner.hpp"
#include "protocol/modbus/values.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::modbus {

// What meters of a kind have in common: their drivers share it.
class Kind {
 public:
  explicit Kind(RegisterTable registers);

  [[nodiscard]] const RegisterTable& table() const noexcept { return table_; }

  [[nodiscard]] const Reach& reach() const noexcept { return reach_; }

  // Of the table as it is; the same one for who asks the same.
  [[nodiscard]] std::shared_ptr<const ReadPlan> plan(const std::vector<bool>& wanted);

 private:
  RegisterTable table_;
  Reach reach_;
  std::vector<std::shared_ptr<const ReadPlan>> plans_;
};

struct Memory {
  Memory() = default;
  // The table with the device's own addresses; nothing before SunSpec was searched.
  std::shared_ptr<const std::vector<Register>> registers;
  std::shared_ptr<const ReadPlan> plan;  // of `registers`, of the last poll
  Lessons lessons;
  // Blocks that are asked last because they were not answered: how often others were meanwhile.
  std::map<Place, int> silent;
  std::map<std::size_t, Understood> constants;  // values that are asked once
  std::optional<MeterIdentity> identity;
  std::string last_refusal;
  std::string remark;
  std::uint16_t transaction = 0;
  unsigned polls = 0;  // since the constants and the lessons were begun
  bool heard = false;  // it answered once
  bool unsettled = false;
};

class ModbusDriver final : public Driver, public LeavesOut {
 public:
  // Polls between two readings of values that are asked once, and between two attempts at
  // registers that the meter refused.
  static constexpr unsigned constants_every = 1000;
  static constexpr unsigned refused_every = 10000;

  explicit ModbusDriver(Options options);

  std::unique_ptr<Dialogue> begin() override;
  std::unique_ptr<Dialogue> knock() override;
  void share(Driver& elder) override;

  [[nodiscard]] std::string remark() const override { return memory_.remark; }

  [[nodiscard]] std::vector<std::string> left_out() const override;

 private:
  Options options_;  // without its table
  std::shared_ptr<Kind> kind_;
  Memory memory_;
};

// Error: invalid (bad settings, no registers).
Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings);

}  // namespace meterbridge::protocol::modbus
