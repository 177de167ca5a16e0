// SPDX-License-Identifier: MIT
#include "meter/publish_rate.hpp"

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

using namespace std::chrono_literals;

Milliseconds rate(const char* key, const config::PublishRates& rates, bool number = true) {
  return publish_interval(*ReadingKey::parse(key), number ? Value(Decimal(1)) : Value(true), rates);
}

TEST(PublishRate, P41_HasDefaultsByTheKindOfReading) {
  const config::PublishRates none;
  EXPECT_EQ(rate("energy_import_t2", none), 60s);
  EXPECT_EQ(rate("gas", none), 60s);
  EXPECT_EQ(rate("power_l1", none), 10s);
  EXPECT_EQ(rate("voltage_l1", none), 10s);
  EXPECT_EQ(rate("input_1", none, false), 0s);
}

TEST(PublishRate, P41_TheNearestWordCounts) {
  config::PublishRates rates;
  rates.all = 5s;
  rates.keys[*ReadingKey::parse("power")] = 1s;
  rates.keys[*ReadingKey::parse("power_l2")] = config::PublishRates::each;
  rates.keys[*ReadingKey::parse("energy_import")] = 300s;
  EXPECT_EQ(rate("power_l1", rates), 1s);
  EXPECT_EQ(rate("power_l2", rates), 0s);
  EXPECT_EQ(rate("energy_import_l1_t2", rates), 300s);
  EXPECT_EQ(rate("energy_export", rates), 5s);
}

}  // namespace
}  // namespace meterbridge::meter
