// SPDX-License-Identifier: MIT
#include "meter/publish_rate.hpp"

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

}  // namespace meterbridge::meter
