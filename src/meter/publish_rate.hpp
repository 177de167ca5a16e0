// SPDX-License-Identifier: MIT
// How often a reading goes out, apart from how often it is read (P41).
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"

namespace meterbridge::meter {

// The least time between two publications; zero = every sample. Asked in this order: the key
// itself, the key without tariff, without phase; `publish: 10s` for all; else counters each minute,
// measured values every ten seconds, the rest at once.
[[nodiscard]] Milliseconds publish_interval(const ReadingKey& key, const Value& value,
                                            const config::PublishRates& rates);

}  // namespace meterbridge::meter
