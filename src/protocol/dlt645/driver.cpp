// SPDX-License-Identifier: MIT
#include "protocol/dlt645/driver.hpp"

#include "protocol/dlt645/poll.hpp"

#include <algorithm>
#include <chrono>

namespace meterbridge::protocol::dlt645 {

std::unique_ptr<Dialogue> Dlt645Driver::begin() {
  return std::make_unique<Poll>(options_, memory_);
}

std::unique_ptr<Dialogue> Dlt645Driver::knock() {
  constexpr int knock_attempts = 1;
  return std::make_unique<Poll>(options_, memory_, knock_attempts);
}

std::vector<std::string> Dlt645Driver::left_out() const {
  std::vector<std::string> words;
  for (const auto& [code, why] : memory_.mute) {
    std::string keys;
    for (const CodeRow& row : options_.codes) {
      if (row.code == code) keys += (keys.empty() ? "" : ", ") + row.key.text();
    }
    words.push_back(name_of(options_.version, code) + " (" + keys + "): " + why);
  }
  return words;
}

// 1997's meters take their time, and some want a second of quiet before each request.
std::optional<Milliseconds> Dlt645Driver::longest_poll() const {
  const auto codes = static_cast<std::int64_t>(options_.codes.size());
  const Milliseconds one = options_.pace.response_timeout + options_.pace.gap;
  constexpr std::int64_t settling = 4;  // a line that was unsettled is drained for longer
  constexpr Milliseconds usual = std::chrono::seconds(30);
  return std::max(
      usual, options_.pace.address_gap + (codes + settling) * (options_.pace.retries + 1) * one);
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  if (!options->address)
    return Error(Errc::invalid,
                 "a DL/T 645 meter needs its address: up to twelve digits, printed on it");
  if (options->codes.empty())
    return Error(Errc::invalid, "`codes` is empty: which values does this meter have?");
  return std::unique_ptr<Driver>(std::make_unique<Dlt645Driver>(*std::move(options)));
}

}  // namespace meterbridge::protocol::dlt645
