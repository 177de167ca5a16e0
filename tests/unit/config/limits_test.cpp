// SPDX-License-Identifier: MIT
// max_power, main_fuse, guard, publish and the limits of readings.
#include "config/settings.hpp"
#include "unit/config/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string meter_with(const std::string& more) {
  return "meters:\n  - id: house\n    profile: energomera-ce307\n    link: {serial: /dev/ttyUSB0}\n"
         "    address: 1\n    " +
         more + "\n";
}

MeterSettings good(const std::string& more) {
  Problems problems;
  Settings settings = read_text(meter_with(more), problems);
  EXPECT_EQ(printed(problems), "");
  return settings.meters.empty() ? MeterSettings() : settings.meters.front();
}

std::string bad(const std::string& more) {
  Problems problems;
  (void)read_text(meter_with(more), problems);
  return printed(problems);
}

TEST(MeterLimits, PowerIsReadWithItsUnit) {
  EXPECT_EQ(good("max_power: 25kW").max_power, Decimal(25000));
  EXPECT_EQ(good("max_power: 0.4 MW").max_power, Decimal(400000));
  EXPECT_EQ(good("max_power: 800W").max_power, Decimal(800));
  EXPECT_FALSE(good("paused: false").max_power);
  for (const char* wrong : {"25", "0kW", "kW", "25kWh", "-1kW", "a lot"})
    EXPECT_THAT(bad("max_power: " + std::string(wrong)), HasSubstr("25kW or 400W")) << wrong;
}

TEST(MeterLimits, AFuseIsPhasesTimesAmperes) {
  // 253 V and what a fuse carries for an hour.
  EXPECT_EQ(good("main_fuse: 3x25A").max_power, Decimal(2751375, -2));
  EXPECT_EQ(good("main_fuse: 3 x 25 A").max_power, Decimal(2751375, -2));
  EXPECT_EQ(good("main_fuse: 63A").max_power, Decimal(2311155, -2));
  EXPECT_EQ(good("main_fuse: 35A").max_power, Decimal(1283975, -2));
  for (const char* wrong : {"3x25", "x25A", "3x0A", "25kW"})
    EXPECT_THAT(bad("main_fuse: " + std::string(wrong)), HasSubstr("3x25A or 63A")) << wrong;
  EXPECT_THAT(bad("main_fuse: 35A\n    max_power: 9kW"), HasSubstr("give one of them"));
}

TEST(MeterLimits, TheGuardHasItsOwnSettings) {
  EXPECT_TRUE(good("paused: false").guard.enabled);
  EXPECT_FALSE(good("guard: false").guard.enabled);
  const GuardSettings guard = good("guard: {confirmations: 3, over: 10m}").guard;
  EXPECT_TRUE(guard.enabled);
  EXPECT_EQ(guard.confirmations, 3);
  EXPECT_EQ(guard.over, 10min);
  EXPECT_NE(bad("guard: {confirmations: 1}"), "");
  EXPECT_NE(bad("guard: {over: 5}"), "");
}

TEST(MeterLimits, RatesAreOneOrPerKey) {
  EXPECT_FALSE(good("paused: false").publish.all);
  EXPECT_EQ(good("publish: 5s").publish.all, 5s);
  EXPECT_EQ(good("publish: every").publish.all, PublishRates::each);
  const PublishRates rates = good("publish: {power: 10s, energy_import: every}").publish;
  EXPECT_FALSE(rates.all);
  EXPECT_EQ(rates.keys.at(*ReadingKey::parse("power")), 10s);
  EXPECT_EQ(rates.keys.at(*ReadingKey::parse("energy_import")), PublishRates::each);
  EXPECT_THAT(bad("publish: 10"), HasSubstr("write 10s"));
  EXPECT_THAT(bad("publish: {powr: 10s}"), HasSubstr("is no reading key"));
  EXPECT_THAT(bad("publish: {power: soon}"), HasSubstr("or every"));
  EXPECT_NE(bad("publish: [10s]"), "");
}

TEST(MeterIdentities, MustNotRunIntoEachOther) {
  const auto two = [](const std::string& a, const std::string& b) {
    const auto meter = [](const std::string& id, int address) {
      return "  - {id: " + id +
             ", profile: energomera-ce307, link: bus, address: " + std::to_string(address) + "}\n";
    };
    Problems problems;
    (void)read_text("links: {bus: {serial: /dev/ttyUSB0}}\nmeters:\n" + meter(a, 1) + meter(b, 2),
                    problems);
    return printed(problems);
  };
  EXPECT_EQ(two("house", "garage"), "");
  EXPECT_EQ(two("house", "house_2"), "");
  EXPECT_EQ(two("house", "house_upstairs"), "");
  EXPECT_THAT(two("house", "house_battery"), HasSubstr("could not be told apart"));
  EXPECT_THAT(two("house_pv", "house"), HasSubstr("could not be told apart"));
  EXPECT_THAT(two("house", "house_channel3"), HasSubstr("could not be told apart"));
}

TEST(MeterLimits, ReadingsHaveLimitsOfTheirOwn) {
  const MeterSettings meter = good(
      "readings: {voltage_l1: {minimum: 180, maximum: 260.5, max_step: 30}, energy_import: "
      "{max_growth: 11}}");
  const ReadingOptions& voltage = meter.readings.at(*ReadingKey::parse("voltage_l1"));
  EXPECT_EQ(voltage.minimum, Decimal(180));
  EXPECT_EQ(voltage.maximum, Decimal(2605, -1));
  EXPECT_EQ(voltage.max_step, Decimal(30));
  EXPECT_EQ(meter.readings.at(*ReadingKey::parse("energy_import")).max_growth, Decimal(11));
  EXPECT_THAT(bad("readings: {voltage_l1: {minimum: 5, maximum: 4}}"), HasSubstr("above maximum"));
  EXPECT_THAT(bad("readings: {voltage_l1: {max_step: 0}}"), HasSubstr("above zero"));
  EXPECT_THAT(bad("readings: {power: {dead_band: -1}}"), HasSubstr("above zero"));
  EXPECT_THAT(bad("readings: {energy_import: {dead_band: 1}}"), HasSubstr("would lag behind"));
  EXPECT_EQ(good("readings: {power: {dead_band: 2.5}}").readings.begin()->second.dead_band,
            Decimal(25, -1));
}

}  // namespace
}  // namespace meterbridge::config
