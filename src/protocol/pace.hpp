// SPDX-License-Identifier: MIT
// The settings of time that every polled meter has: response_timeout, retries, gap, address_gap.
#pragma once

#include "core/setting.hpp"
#include "protocol/exchange_list.hpp"

#include <optional>

namespace meterbridge::protocol {

struct Pace {
  Milliseconds response_timeout{500};
  int retries = 2;
  Milliseconds gap{50};         // quiet line before each request
  Milliseconds address_gap{0};  // so much more before the first: another meter may have been asked

  // Error: invalid, in words.
  static Result<Pace> from(const SettingValues& settings);
  // `first_attempts` and `unsettled` as in ExchangeList::Timing.
  [[nodiscard]] ExchangeList::Timing timing(bool unsettled,
                                            std::optional<int> first_attempts) const;
};

}  // namespace meterbridge::protocol
