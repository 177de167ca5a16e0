// SPDX-License-Identifier: MIT
#include "protocol/derived.hpp"

#include <array>
#include <variant>

namespace meterbridge::protocol {
namespace {

const Decimal* number_in(const MeterReadings& meter, const ReadingKey& key) {
  const Reading* reading = meter.find(key);
  return reading == nullptr ? nullptr : std::get_if<Decimal>(&reading->value);
}

bool is_energy(const ReadingKey& key) noexcept {
  return key.aspect == Aspect::none &&
         (key.quantity == Quantity::energy || key.quantity == Quantity::reactive_energy ||
          key.quantity == Quantity::apparent_energy);
}

void add_net_power(MeterReadings& meter, Phase phase) {
  const ReadingKey net = make_key(Quantity::power, Direction::none, phase);
  if (meter.find(net) != nullptr) return;
  const Decimal* in = number_in(meter, make_key(Quantity::power, Direction::import, phase));
  const Decimal* out = number_in(meter, make_key(Quantity::power, Direction::export_, phase));
  if (in == nullptr || out == nullptr) return;
  if (const auto difference = in->minus(*out))
    meter.readings.emplace_back(net, *difference, Unit::W);
}

}  // namespace

void add_net_power(MeterReadings& meter) {
  for (const Phase phase : {Phase::none, Phase::l1, Phase::l2, Phase::l3})
    add_net_power(meter, phase);
}

void add_tariff_sums(MeterReadings& meter) {
  std::vector<ReadingKey> totals;
  for (const Reading& reading : meter.readings) {
    if (!is_energy(reading.key) || reading.key.tariff == 0) continue;
    ReadingKey total = reading.key;
    total.tariff = 0;
    bool known = meter.find(total) != nullptr;
    for (const ReadingKey& other : totals)
      known = known || other == total;
    if (!known) totals.push_back(total);
  }
  for (const ReadingKey& total : totals) {
    Result<Decimal> sum = Decimal();
    for (const Reading& reading : meter.readings) {
      ReadingKey key = reading.key;
      key.tariff = 0;
      const auto* number = std::get_if<Decimal>(&reading.value);
      if (reading.key.tariff != 0 && key == total && number != nullptr && sum)
        sum = sum->plus(*number);
    }
    if (sum) meter.readings.emplace_back(total, *sum, canonical_unit(total.quantity));
  }
}

}  // namespace meterbridge::protocol
