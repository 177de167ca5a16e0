// SPDX-License-Identifier: MIT
#include "meter/publish_rate.hpp"

#include <algorithm>

namespace meterbridge::meter {

Milliseconds publish_interval(const ReadingKey& key, const Value& value,
                              const config::PublishRates& rates) {
  using namespace std::chrono_literals;
  ReadingKey wanted = key;
  for (const bool last : {false, false, true}) {
    if (const auto found = rates.keys.find(wanted); found != rates.keys.end()) return found->second;
    if (last) break;
    if (wanted.tariff != 0) {
      wanted.tariff = 0;
    } else {
      wanted.phase = Phase::none;
    }
  }
  if (rates.all) return *rates.all;
  if (is_cumulative(key) || key.quantity == Quantity::clock) return 60s;
  return std::holds_alternative<Decimal>(value) ? 10s : config::PublishRates::each;
}

Pace pace_of(const ReadingKey& key, const Value& value, const config::MeterSettings& meter) {
  Pace pace{publish_interval(key, value, meter.publish), std::nullopt};
  const auto options = meter.readings.find(key);
  if (options != meter.readings.end()) pace.dead_band = options->second.dead_band;
  return pace;
}

Milliseconds wait_between(const Value& shown, const Value& now, const Pace& pace) {
  const auto* before = std::get_if<Decimal>(&shown);
  const auto* after = std::get_if<Decimal>(&now);
  if (!pace.dead_band || before == nullptr || after == nullptr) return pace.interval;
  const auto change = *after > *before ? after->minus(*before) : before->minus(*after);
  const bool small = change && *change < *pace.dead_band;
  return small ? std::max(pace.interval, dead_band_patience) : pace.interval;
}

}  // namespace meterbridge::meter
