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

  // `pace` has what holds for settings that are not there. Error: invalid, in words.
  static Result<Pace> from(const SettingValues& settings, Pace pace);

  static Result<Pace> from(const SettingValues& settings) { return from(settings, Pace()); }

  // `first_attempts` and `unsettled` as in ExchangeList::Timing.
  [[nodiscard]] ExchangeList::Timing timing(bool unsettled,
                                            std::optional<int> first_attempts) const;
};

// Their declarations, for the tables of the protocols.
[[nodiscard]] constexpr SettingSpec response_timeout_setting(
    std::string_view fallback, std::string_view help = "how long an answer may take") {
  return {.name = "response_timeout",
          .type = SettingType::duration,
          .help = help,
          .fallback = fallback};
}

inline constexpr SettingSpec retries_setting{.name = "retries",
                                             .type = SettingType::integer,
                                             .help = "how often an unanswered request is repeated",
                                             .fallback = "2",
                                             .maximum = 10};

[[nodiscard]] constexpr SettingSpec gap_setting(
    std::string_view fallback,
    std::string_view help = "how long the line must be quiet before each request") {
  return {.name = "gap", .type = SettingType::duration, .help = help, .fallback = fallback};
}

inline constexpr SettingSpec address_gap_setting{
    .name = "address_gap",
    .type = SettingType::duration,
    .help =
        "so much longer before the first request of a poll, when another meter of the line may "
        "have been asked before",
    .fallback = "0ms"};

}  // namespace meterbridge::protocol
