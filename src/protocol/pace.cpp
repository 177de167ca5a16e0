// SPDX-License-Identifier: MIT
#include "protocol/pace.hpp"

#include <string>
#include <utility>

namespace meterbridge::protocol {

Result<Pace> Pace::from(const SettingValues& settings, Pace pace) {
  if (settings.has("response_timeout"))
    pace.response_timeout = settings.duration("response_timeout");
  if (pace.response_timeout < Milliseconds(20) || pace.response_timeout > Milliseconds(60000))
    return Error(Errc::invalid, "response_timeout: allowed are 20ms to 60s");
  if (settings.has("retries")) pace.retries = static_cast<int>(settings.integer("retries"));
  for (const auto& [name, gap] :
       {std::pair("gap", &pace.gap), std::pair("address_gap", &pace.address_gap)}) {
    if (settings.has(name)) *gap = settings.duration(name);
    if (*gap < Milliseconds(0) || *gap > Milliseconds(10000))
      return Error(Errc::invalid, std::string(name) + ": allowed are 0ms to 10s");
  }
  return pace;
}

ExchangeList::Timing Pace::timing(bool unsettled, std::optional<int> first_attempts) const {
  ExchangeList::Timing timing;
  timing.response = response_timeout;
  timing.attempts = retries + 1;
  timing.first_attempts = first_attempts;
  timing.unsettled = unsettled;
  timing.pause = gap;
  timing.opening = address_gap;
  return timing;
}

}  // namespace meterbridge::protocol
