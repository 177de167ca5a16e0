// SPDX-License-Identifier: MIT
// Names and lines of Graphite. tests/integration/test_databases.py has the real carbon.
#include "sink/graphite/lines.hpp"
#include "sink/graphite/options.hpp"
#include "sink/sink.hpp"

#include <gtest/gtest.h>

namespace meterbridge::sink::graphite {
namespace {

using namespace std::chrono_literals;

Reading reading(std::string_view key, Value value, Unit unit = Unit::none) {
  return {*ReadingKey::parse(key), std::move(value), unit};
}

Sample sample() {
  Sample one;
  one.meter = "house";
  one.at = Instant(1'800'000'001'999ms);
  one.identity.serial = "E 12.3";
  one.readings = {reading("energy_import", Decimal(173640, -3), Unit::kWh),
                  reading("power_import", Decimal(-360, 0), Unit::W), reading("input_3", true),
                  reading("serial", std::string("E 12.3")),
                  reading("clock", Seconds(1'800'000'000s))};
  return one;
}

SettingValues settings(std::initializer_list<std::pair<std::string_view, std::string>> given) {
  SettingValues values = default_settings(specs());
  for (const auto& [name, value] : given)
    values.set(name, value);
  return values;
}

std::string lines(std::initializer_list<std::pair<std::string_view, std::string>> given,
                  const Sample& of = sample()) {
  SettingValues values = settings(given);
  values.set("host", std::string("localhost"));
  const auto options = options_of(values, "home");
  EXPECT_TRUE(options) << options.error().detail();
  return options ? lines_of(of, options->paths) : std::string();
}

std::string refusal(std::initializer_list<std::pair<std::string_view, std::string>> given) {
  const auto options = options_of(settings(given), "home");
  EXPECT_FALSE(options);
  return options ? std::string() : options.error().detail();
}

TEST(GraphiteLines, HaveTheDigitsOfTheMeterAndWholeSeconds) {
  EXPECT_EQ(lines({}),
            "meterbridge.house.energy_import 173.640 1800000001\n"
            "meterbridge.house.power_import -360 1800000001\n"
            "meterbridge.house.input_3 1 1800000001\n");
}

TEST(GraphiteLines, APathIsMadeOfWhatTheSampleKnows) {
  EXPECT_EQ(lines({{"path", "energy.{instance}.{serial}.{quantity}.{key}"}}).substr(0, 48),
            "energy.home.E_12_3.energy.energy_import 173.640 ");
  Sample anonymous = sample();
  anonymous.identity.serial.clear();
  anonymous.readings.resize(1);
  EXPECT_EQ(lines({{"path", "a.{serial}.{key}"}}, anonymous),
            "a.energy_import 173.640 1800000001\n");
  Sample gas = sample();
  gas.meter = "house_gas_4730";
  gas.parent = "house";
  gas.readings = {reading("gas", Decimal(1, 0), Unit::m3)};
  gas.readings.front().time = Seconds(1'700'000'000s);
  EXPECT_EQ(lines({{"base", "site.one"}, {"path", "{base}.{device}.{meter}.{key}_{unit}"}}, gas),
            "site.one.house.house_gas_4730.gas_m_ 1 1700000000\n");
}

TEST(GraphiteLines, TheOldLoggersNamesAreInItsUnits) {
  EXPECT_EQ(lines({{"layout", "netz-noe"}}),
            "smartmeter.wirkenergie.plus 173640 1800000001\n"
            "smartmeter.momentanleistung.plus -360 1800000001\n");
  EXPECT_EQ(lines({{"layout", "netz-noe"}, {"base", "test.smartmeter"}}).substr(0, 28),
            "test.smartmeter.wirkenergie.");
}

TEST(GraphiteLines, NoTextLeavesItsNode) {
  EXPECT_EQ(node("a.b c/d\n{x}"), "a_b_c_d__x_");
  EXPECT_EQ(node("a.b", true), "a.b");
  EXPECT_EQ(node("Zähler"), "Z_hler");
}

TEST(GraphiteOptions, WhatCannotBeIsSaidInWords) {
  EXPECT_EQ(refusal({}), "`host` is missing: the server's name or address");
  EXPECT_NE(refusal({{"host", "a b"}}).find("`host` is no name"), std::string::npos);
  const std::pair<std::string_view, std::string> host{"host", "h"};
  EXPECT_EQ(refusal({host, {"path", "{meter}"}}),
            "path: {key} is missing: all values of a meter would be one series; a path looks like "
            "{base}.{meter}.{key}");
  EXPECT_NE(refusal({host, {"path", "{metr}.{key}"}}).find("did you mean {meter}?"),
            std::string::npos);
  EXPECT_NE(refusal({host, {"path", "{key"}}).find("not closed"), std::string::npos);
  EXPECT_NE(refusal({host, {"path", "a b.{key}"}}).find("more than letters"), std::string::npos);
  EXPECT_NE(refusal({host, {"base", "a b"}}).find("`base`"), std::string::npos);
}

}  // namespace
}  // namespace meterbridge::sink::graphite
