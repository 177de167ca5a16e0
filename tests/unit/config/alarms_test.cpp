// SPDX-License-Identifier: MIT
// alarms, anomalies, median and average of a meter. What is refused: broken/alarms.yaml.
#include "config/settings.hpp"
#include "unit/config/catalogue.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

using namespace std::chrono_literals;

MeterSettings meter_with(const std::string& more) {
  Problems problems;
  Settings settings = read_text(
      "meters:\n  - id: house\n    profile: energomera-ce307\n    link: {serial: /dev/ttyUSB0}\n"
      "    address: 1\n    " +
          more + "\n",
      problems);
  EXPECT_EQ(printed(problems), "");
  return settings.meters.empty() ? MeterSettings() : settings.meters.front();
}

AlarmSettings alarm(const std::string& entry) {
  const auto alarms = meter_with("alarms: [{name: a, " + entry + "}]").alarms;
  EXPECT_EQ(alarms.size(), 1U);
  return alarms.empty() ? AlarmSettings() : alarms.front();
}

TEST(Alarms, LimitsAreInThePublishedUnit) {
  const AlarmSettings overload = alarm(
      "label: Main switch, key: power, above: 15kW, below: -2.5 kW, hysteresis: 0.5 kW, delay: "
      "30s, clear_delay: 10s, severity: critical");
  EXPECT_EQ(overload.kind, AlarmKind::limit);
  EXPECT_EQ(overload.label, "Main switch");
  EXPECT_EQ(overload.above, Decimal(15000));
  EXPECT_EQ(overload.below, Decimal(-2500));
  EXPECT_EQ(overload.hysteresis, Decimal(500));
  EXPECT_EQ(overload.delay, 30s);
  EXPECT_EQ(overload.clear_delay, 10s);
  EXPECT_EQ(overload.severity, AlarmSeverity::critical);
  EXPECT_EQ(alarm("key: voltage, below: 207").below, Decimal(207));
  EXPECT_EQ(alarm("key: value_1, above: 6.5, per: 1m").per, Milliseconds(1min));
  EXPECT_EQ(alarm("key: input_7, is: on").is, "on");
  EXPECT_EQ(alarm("key: status, is_not: ok").is_not, "ok");
}

TEST(Alarms, KindsHaveTheirOwnTimesAndTolerances) {
  EXPECT_EQ(alarm("kind: silent").span, 10min);
  EXPECT_EQ(alarm("kind: silent, for: 2h").span, 2h);
  EXPECT_EQ(alarm("kind: stuck, key: value_3, for: 12h").span, 12h);
  EXPECT_EQ(alarm("kind: lost_phase").tolerance, Decimal(15));
  EXPECT_EQ(alarm("kind: lost_phase").delay, 10s);
  EXPECT_EQ(alarm("kind: phase_sum, delay: 5m, tolerance: 2.5").tolerance, Decimal(25, -1));
  EXPECT_EQ(alarm("kind: phase_sum, delay: 5m").delay, 5min);
  EXPECT_EQ(alarm("kind: fault").delay, 0s);
}

TEST(Alarms, HoursMayGoOverMidnight) {
  const auto night = alarm("key: flow, above: 0, between: 22:00-05:30").between;
  ASSERT_TRUE(night);
  EXPECT_EQ(night->from, 22h);
  EXPECT_EQ(night->to, 5h + 30min);
  EXPECT_EQ(alarm("key: flow, above: 0, between: 0:00 - 24:00").between->to, 24h);
}

TEST(Alarms, AnomaliesAddTheKindsThatAreNotConfigured) {
  const auto all = meter_with("anomalies: true").alarms;
  EXPECT_EQ(all.size(), 6U);
  EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const auto& a) { return a.automatic; }));
  const auto mixed =
      meter_with("anomalies: true\n    alarms: [{name: neutral, kind: lost_phase, tolerance: 8}]")
          .alarms;
  EXPECT_EQ(mixed.size(), 6U);
  EXPECT_EQ(std::count_if(mixed.begin(), mixed.end(),
                          [](const auto& a) { return a.kind == AlarmKind::lost_phase; }),
            1);
  EXPECT_TRUE(meter_with("anomalies: false").alarms.empty());
}

TEST(Alarms, MeasuredValuesMayBeSmoothed) {
  const auto readings = meter_with("readings: {voltage_l1: {median: 5, average: 4}}").readings;
  const auto found = readings.find(make_key(Quantity::voltage, Direction::none, Phase::l1));
  ASSERT_NE(found, readings.end());
  EXPECT_EQ(found->second.median, 5);
  EXPECT_EQ(found->second.average, 4);
}

}  // namespace
}  // namespace meterbridge::config
