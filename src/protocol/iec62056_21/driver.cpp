// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/driver.hpp"

#include "protocol/iec62056_21/poll.hpp"

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr int knock_attempts = 1;
// Elster's A1500 takes a good three minutes at 300 Bd.
constexpr Milliseconds whole_readout = std::chrono::minutes(5);

}  // namespace

std::unique_ptr<Dialogue> Iec62056Driver::begin() {
  if (memory_.locked) return std::make_unique<NothingToSend>(*memory_.locked);
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> Iec62056Driver::knock() {
  if (memory_.locked) return begin();
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
}

std::string Iec62056Driver::remark() const {
  std::string words;
  for (const std::string& code : memory_.news) {
    const auto refused = memory_.unsupported.find(code);
    if (!words.empty()) words += "; ";
    words += code + (refused == memory_.unsupported.end() ? std::string(" is not answered")
                                                          : ": " + refused->second);
  }
  return words;
}

std::vector<std::string> Iec62056Driver::left_out() const {
  std::vector<std::string> words;
  for (const auto& [code, why] : memory_.unsupported)
    words.push_back(code + ": " + why);
  for (const std::string& code : memory_.mute)
    words.push_back(code + ": no answer");
  return words;
}

std::optional<Milliseconds> Iec62056Driver::longest_poll() const {
  if (!options_.readout) return std::nullopt;
  return whole_readout;
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Driver>(std::make_unique<Iec62056Driver>(*std::move(options)));
}

}  // namespace meterbridge::protocol::iec62056_21
