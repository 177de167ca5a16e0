// SPDX-License-Identifier: MIT
#include "protocol/modbus/driver.hpp"

#include "protocol/modbus/poll.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

constexpr int knock_attempts = 1;
constexpr int last_serial_unit = 247;
// With and without the values that are asked once, and some on the way from the one to the other.
constexpr std::size_t most_plans = 4;

// With how many digits a value is told follows from them.
std::pair<int, int> digits_of(const Register& value) noexcept {
  return {value.scale.exponent(), value.offset.exponent()};
}

// Whether both make the same of the same answer, digit for digit.
bool interchangeable(const RegisterTable& a, const RegisterTable& b) noexcept {
  return a == b && std::ranges::equal(a.registers, b.registers, {}, digits_of, digits_of);
}

}  // namespace

Kind::Kind(RegisterTable registers) : table_(std::move(registers)) {
  reach_.registers = table_.max_registers;
  reach_.gap = table_.max_gap;
}

std::shared_ptr<const ReadPlan> Kind::plan(const std::vector<bool>& wanted) {
  const auto known =
      std::ranges::find_if(plans_, [&wanted](const auto& plan) { return plan->wanted == wanted; });
  if (known != plans_.end()) return *known;
  if (plans_.size() == most_plans) plans_.erase(plans_.begin());
  return plans_.emplace_back(std::make_shared<const ReadPlan>(table_.registers, wanted, reach_));
}

ModbusDriver::ModbusDriver(Options options)
    : options_(std::move(options)),
      kind_(std::make_shared<Kind>(std::exchange(options_.table, RegisterTable()))) {}

std::unique_ptr<Dialogue> ModbusDriver::begin() {
  return std::make_unique<Poll>(options_, kind_, memory_);
}

std::unique_ptr<Dialogue> ModbusDriver::knock() {
  return std::make_unique<Poll>(options_, kind_, memory_, knock_attempts);
}

std::vector<std::string> ModbusDriver::left_out() const {
  const std::vector<Register>& all =
      memory_.registers != nullptr ? *memory_.registers : kind_->table().registers;
  std::vector<std::string> words;
  for (const auto& [place, end] : memory_.lessons.refused) {
    const int function = static_cast<int>(place.function);
    std::string keys;
    for (const Register& value : all) {
      if (value.function == function && value.address >= place.address && value.address < end)
        keys += (keys.empty() ? "" : ", ") + value.key.text();
    }
    std::string text = keys + " (" + address_text(function, place.address);
    if (end > place.address + 1) text += " to " + address_text(function, end - 1).substr(2);
    words.push_back(text + "): refused, or never answered");
  }
  return words;
}

void ModbusDriver::share(Driver& elder) {
  const auto* same = dynamic_cast<const ModbusDriver*>(&elder);
  if (same != nullptr && interchangeable(same->kind_->table(), kind_->table())) kind_ = same->kind_;
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  if (options->table.registers.empty()) {
    return Error(Errc::invalid,
                 "a Modbus meter needs registers: a profile that has them, or `registers` of its "
                 "own");
  }
  // Nobody answers a question to all (0), and there is nobody above 247.
  const bool serial = options->framing == Framing::rtu;
  if (serial && (options->unit == 0 || options->unit > last_serial_unit))
    return Error(Errc::invalid, "address: allowed on a serial line are 1 to 247");
  return std::unique_ptr<Driver>(std::make_unique<ModbusDriver>(std::move(*options)));
}

}  // namespace meterbridge::protocol::modbus
