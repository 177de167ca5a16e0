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

TEST(PublishRate, P41_WhatIsSaidAgainGoesOutAsMeasuredValuesDo) {
  config::MeterSettings meter;
  const auto again = [&meter](const char* key, const Value& value) {
    return wait_between(value, value, pace_of(*ReadingKey::parse(key), value, meter));
  };
  EXPECT_EQ(again("input_1", true), 10s);
  EXPECT_EQ(again("serial", std::string("1")), 10s);
  EXPECT_EQ(again("power", Decimal(1)), 10s);
  EXPECT_EQ(again("energy_import", Decimal(1)), 60s);
  EXPECT_EQ(wait_between(true, false, pace_of(*ReadingKey::parse("input_1"), true, meter)), 0s);
  meter.publish.all = config::PublishRates::each;
  EXPECT_EQ(again("input_1", true), 0s) << "every sample, if somebody wants it";
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

TEST(PublishRate, P41_WithinTheDeadBandAValueWaitsLonger) {
  const Pace pace{10s, Decimal(5, -1)};
  const auto wait = [&](const Value& shown, const Value& now) {
    return wait_between(shown, now, pace);
  };
  EXPECT_EQ(wait(Decimal(2300, -1), Decimal(2304, -1)), dead_band_patience);
  EXPECT_EQ(wait(Decimal(2304, -1), Decimal(230)), dead_band_patience);
  EXPECT_EQ(wait(Decimal(2300, -1), Decimal(2305, -1)), 10s);
  EXPECT_EQ(wait(Decimal(2300, -1), Decimal(-2300, -1)), 10s);
  EXPECT_EQ(wait(Decimal(1), std::string("no number")), 10s);
  EXPECT_EQ(wait_between(Decimal(1), Decimal(1), Pace{}), 0s);
  EXPECT_EQ(wait_between(Decimal(1), Decimal(1), Pace{1h, Decimal(1)}), 1h);
}

}  // namespace
}  // namespace meterbridge::meter
