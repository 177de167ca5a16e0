// SPDX-License-Identifier: MIT
// Samples of every kind, from a seed.
#pragma once

#include "core/reading.hpp"

#include <random>
#include <string>
#include <vector>

namespace meterbridge::journal {

// Keys that have a meaning, of every kind.
inline const std::vector<ReadingKey>& some_keys() {
  static const std::vector<ReadingKey> keys = [] {
    std::vector<ReadingKey> found;
    std::mt19937_64 random(0);
    while (found.size() < 300) {
      ReadingKey key =
          make_key(static_cast<Quantity>(random() % 33), static_cast<Direction>(random() % 9),
                   static_cast<Phase>(random() % 8), static_cast<int>(random() % 9),
                   static_cast<Aspect>(random() % 4));
      key.scope = static_cast<Scope>(random() % 6);
      if (key.scope == Scope::channel) key.channel = static_cast<std::uint8_t>(1 + random() % 9);
      if (key.quantity >= Quantity::input) key.number = static_cast<std::uint8_t>(1 + random() % 9);
      const auto parsed = ReadingKey::parse(key.text());
      if (parsed && *parsed == key) found.push_back(key);
    }
    return found;
  }();
  return keys;
}

inline Reading random_reading(std::mt19937_64& random) {
  const auto any = [&](std::uint64_t below) { return random() % below; };
  const ReadingKey key = some_keys()[any(some_keys().size())];
  Reading reading(key, Value(), static_cast<Unit>(any(37)));
  switch (any(8)) {
    case 0:
      reading.value = std::string(any(20), static_cast<char>(any(256)));
      break;
    case 1:
      reading.value = any(2) == 1;
      break;
    case 2:
      reading.value = Seconds(std::chrono::seconds(static_cast<std::int64_t>(any(1U << 31U))));
      break;
    default:
      reading.value =
          Decimal(static_cast<std::int64_t>(random()) >> any(64), static_cast<int>(any(37)) - 18);
  }
  if (any(10) == 0) reading.time = Seconds(std::chrono::seconds(1'600'000'000 + any(1000000)));
  return reading;
}

inline Sample random_sample(std::mt19937_64& random) {
  const auto any = [&](std::uint64_t below) { return random() % below; };
  Sample sample;
  sample.meter = "meter" + std::to_string(any(5));
  if (any(3) == 0) sample.parent = "house";
  sample.at = Instant(Milliseconds(static_cast<std::int64_t>(1'790'000'000'000 + any(1U << 31U))));
  sample.origin = any(2) == 0 ? TimeOrigin::arrival : TimeOrigin::meter;
  if (any(2) == 0) sample.identity.serial = std::to_string(any(3));
  if (any(2) == 0) sample.identity.model = "CE307";
  if (any(10) == 0) sample.document = "{\"telegram\":" + std::to_string(random()) + "}";
  for (std::uint64_t i = any(12); i > 0; --i)
    sample.readings.push_back(random_reading(random));
  return sample;
}

// Every digit, every word.
inline bool same(const Value& a, const Value& b) {
  const auto* x = std::get_if<Decimal>(&a);
  const auto* y = std::get_if<Decimal>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return x->digits() == y->digits() && x->exponent() == y->exponent();
}

inline bool same(const Sample& a, const Sample& b) {
  if (a.meter != b.meter || a.parent != b.parent || a.at != b.at || a.origin != b.origin ||
      a.document != b.document || a.identity.serial != b.identity.serial ||
      a.identity.model != b.identity.model || a.identity.manufacturer != b.identity.manufacturer ||
      a.identity.firmware != b.identity.firmware || a.readings.size() != b.readings.size())
    return false;
  for (std::size_t i = 0; i < a.readings.size(); ++i) {
    const Reading& x = a.readings[i];
    const Reading& y = b.readings[i];
    if (x.key != y.key || x.unit != y.unit || x.time != y.time || !same(x.value, y.value))
      return false;
  }
  return true;
}

inline Sample sample_of(std::int64_t number, std::string meter = "house") {
  Sample sample;
  sample.meter = std::move(meter);
  sample.at = Instant(std::chrono::seconds(1'790'000'000 + number));
  sample.readings.emplace_back(make_key(Quantity::energy, Direction::import), Decimal(number, -3),
                               Unit::kWh);
  return sample;
}

}  // namespace meterbridge::journal
