// SPDX-License-Identifier: MIT
#include "protocol/modbus/driver.hpp"

#include "protocol/modbus/poll.hpp"

namespace meterbridge::protocol::modbus {
namespace {

constexpr int knock_attempts = 1;
constexpr int last_serial_unit = 247;

}  // namespace

std::unique_ptr<Dialogue> ModbusDriver::begin() {
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> ModbusDriver::knock() {
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
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
