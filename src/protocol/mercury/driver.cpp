// SPDX-License-Identifier: MIT
#include "protocol/mercury/driver.hpp"

#include "protocol/mercury/poll.hpp"

namespace meterbridge::protocol::mercury {
namespace {

constexpr int knock_attempts = 1;

}  // namespace

MercuryDriver::MercuryDriver(const Options& options) : options_(options) {}

std::unique_ptr<Dialogue> MercuryDriver::begin() {
  if (memory_.locked) return std::make_unique<NothingToSend>(*memory_.locked);
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> MercuryDriver::knock() {
  if (memory_.locked) return begin();
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
}

std::vector<std::string> MercuryDriver::left_out() const {
  std::vector<std::string> words;
  for (const auto* const list : {&memory_.unsupported, &memory_.mute}) {
    for (const auto& [body, why] : *list)
      words.push_back(why);
  }
  return words;
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  if (!options->address)
    return Error(Errc::invalid,
                 "a Mercury 23x meter needs its address: from the factory the last two or three "
                 "digits of its serial number, as far as they make a number from 1 to 240");
  return std::unique_ptr<Driver>(std::make_unique<MercuryDriver>(*options));
}

}  // namespace meterbridge::protocol::mercury
