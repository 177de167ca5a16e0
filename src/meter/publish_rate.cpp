// SPDX-License-Identifier: MIT
#include "meter/publish_rate.hpp"

#include <algorithm>

namespace meterbridge::meter {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds measured = 10s;

std::optional<Milliseconds> configured(const ReadingKey& key, const config::PublishRates& rates) {
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
  return rates.all;
}

Milliseconds usual(const ReadingKey& key, const Value& value) {
  if (is_cumulative(key) || key.quantity == Quantity::clock) return 60s;
  return std::holds_alternative<Decimal>(value) ? measured : config::PublishRates::each;
}

}  // namespace

Milliseconds publish_interval(const ReadingKey& key, const Value& value,
                              const config::PublishRates& rates) {
  return configured(key, rates).value_or(usual(key, value));
}

Pace pace_of(const ReadingKey& key, const Value& value, const config::MeterSettings& meter) {
  Pace pace;
  pace.interval = publish_interval(key, value, meter.publish);
  pace.repeat = configured(key, meter.publish) ? pace.interval : std::max(measured, pace.interval);
  const auto options = meter.readings.find(key);
  if (options != meter.readings.end()) pace.dead_band = options->second.dead_band;
  return pace;
}

Milliseconds wait_between(const Value& shown, const Value& now, const Pace& pace) {
  const auto* before = std::get_if<Decimal>(&shown);
  const auto* after = std::get_if<Decimal>(&now);
  if (!pace.dead_band || before == nullptr || after == nullptr)
    return now == shown ? std::max(pace.interval, pace.repeat) : pace.interval;
  const auto change = *after > *before ? after->minus(*before) : before->minus(*after);
  const bool small = change && *change < *pace.dead_band;
  return small ? std::max(pace.interval, dead_band_patience) : pace.interval;
}

}  // namespace meterbridge::meter
