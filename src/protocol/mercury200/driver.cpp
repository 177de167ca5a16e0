// SPDX-License-Identifier: MIT
#include "protocol/mercury200/driver.hpp"

#include "protocol/mercury200/poll.hpp"

namespace meterbridge::protocol::mercury200 {

std::unique_ptr<Dialogue> Mercury200Driver::begin() {
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> Mercury200Driver::knock() {
  constexpr int knock_attempts = 1;
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  if (!options->address)
    return Error(Errc::invalid,
                 "a Mercury 200 or 206 meter needs its address, or its serial number as `serial`");
  return std::unique_ptr<Driver>(std::make_unique<Mercury200Driver>(*options));
}

}  // namespace meterbridge::protocol::mercury200
