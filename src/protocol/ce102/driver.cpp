// SPDX-License-Identifier: MIT
#include "protocol/ce102/driver.hpp"

#include "protocol/ce102/poll.hpp"

namespace meterbridge::protocol::ce102 {
namespace {

constexpr int knock_attempts = 1;

}  // namespace

Ce102Driver::Ce102Driver(const Options& options) : options_(options) {}

std::unique_ptr<Dialogue> Ce102Driver::begin() {
  if (memory_.locked) return std::make_unique<NothingToSend>(*memory_.locked);
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> Ce102Driver::knock() {
  if (memory_.locked) return begin();
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  if (!options->address) {
    return Error(Errc::invalid,
                 "a CE102 meter needs its address, or its serial number as `serial`");
  }
  return std::unique_ptr<Driver>(std::make_unique<Ce102Driver>(*options));
}

}  // namespace meterbridge::protocol::ce102
