// SPDX-License-Identifier: MIT
// How often a reading goes out, apart from how often it is read (P41).
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"

#include <chrono>
#include <optional>

namespace meterbridge::meter {

// The least time between two publications; zero = every sample. Asked in this order: the key
// itself, the key without tariff, without phase; `publish: 10s` for all; else counters each minute,
// measured values every ten seconds, the rest at once.
[[nodiscard]] Milliseconds publish_interval(const ReadingKey& key, const Value& value,
                                            const config::PublishRates& rates);

// A change within the dead band is shown so late at the most.
constexpr Milliseconds dead_band_patience = std::chrono::minutes(5);

// The rate of a reading, and the least change that is shown at this rate; smaller ones wait longer.
// What goes out at once because nothing else is configured (a serial number, an input) does so when
// it changes: as it was, it is no reason for a message with every sample.
struct Pace {
  Milliseconds interval{};
  std::optional<Decimal> dead_band;
  Milliseconds repeat{};  // of a value that is what is shown
};

[[nodiscard]] Pace pace_of(const ReadingKey& key, const Value& value,
                           const config::MeterSettings& meter);
// How long after `shown` went out `now` may follow.
[[nodiscard]] Milliseconds wait_between(const Value& shown, const Value& now, const Pace& pace);

}  // namespace meterbridge::meter
