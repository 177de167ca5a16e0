// SPDX-License-Identifier: MIT
// When alarms are raised and cleared: limits, delays, restarts, clocks.
#include "unit/meter/alarm_bench.hpp"

#include <cstdlib>
#include <random>

#include <gmock/gmock.h>

namespace meterbridge::meter {
namespace {

using ::testing::HasSubstr;

struct AlarmTest : AlarmBench {};

TEST_F(AlarmTest, TheLimitItselfIsNotBeyondIt) {
  limit("power");
  alarm().above = decimal("15000");
  EXPECT_EQ(read("power", "15000.000"), "");
  EXPECT_EQ(state(), "off");
  EXPECT_EQ(read("power", "15000.001"), "+power 15000.001 W above 15000 W");
  EXPECT_EQ(state(), "on");
  EXPECT_THAT(read("power", "15000.0"), HasSubstr("-power 15000.0 W, after 0s, was at 15000.001"));
  // Digits that a double does not have.
  alarm().above = decimal("0.1234567890123456");
  alarms.reset();
  EXPECT_EQ(read("power", "0.1234567890123456"), "");
  EXPECT_NE(read("power", "0.1234567890123457"), "");
}

TEST_F(AlarmTest, HysteresisKeepsItRaised) {
  limit("voltage_l1");
  alarm().below = decimal("207");
  alarm().hysteresis = decimal("3");
  EXPECT_EQ(read("voltage_l1", "207"), "");
  EXPECT_THAT(read("voltage_l1", "206.9"), HasSubstr("+voltage_l1 206.9 V below 207 V"));
  for (const char* inside : {"207", "208.5", "209.99"}) {
    pass(10s);
    EXPECT_EQ(read("voltage_l1", inside), "") << inside;
    EXPECT_EQ(state(), "on");
  }
  EXPECT_THAT(read("voltage_l1", "198.5"), "");
  pass(30s);
  EXPECT_THAT(read("voltage_l1", "210"), HasSubstr("was at 198.5"));
  EXPECT_EQ(state(), "off");
  EXPECT_EQ(read("voltage_l1", "208"), "");
  EXPECT_EQ(state(), "off");
}

TEST_F(AlarmTest, DelaysHoldBothWaysAndRunBetweenPolls) {
  limit("power");
  alarm().above = decimal("100");
  alarm().delay = 15s;
  alarm().clear_delay = 10s;
  EXPECT_EQ(read("power", "120"), "");
  pass(10s);
  EXPECT_EQ(read("power", "90"), "");  // it was over too early
  pass(1s);
  EXPECT_EQ(read("power", "120"), "");
  pass(14s);
  EXPECT_EQ(judge(), "");
  pass(1s);
  EXPECT_EQ(judge(), "+power 120 W above 100 W for 15s");
  EXPECT_EQ(read("power", "100"), "");
  pass(9s);
  EXPECT_EQ(read("power", "101"), "");  // and again
  pass(1s);
  EXPECT_EQ(read("power", "99"), "");
  pass(10s);
  EXPECT_THAT(judge(), HasSubstr("-power 99 W, after 20s, was at 120"));
}

TEST_F(AlarmTest, FlutterWithinTheDelayIsSilence) {
  limit("power");
  alarm().above = decimal("100");
  alarm().delay = 20s;
  std::mt19937 dice(7);
  int low = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool high = low >= 1 && dice() % 2 == 0;
    low = high ? low - 1 : 1;
    EXPECT_EQ(read("power", high ? "130" : "70"), "");
    pass(10s);
  }
}

TEST_F(AlarmTest, RaisedAndClearedAlternateWhateverComes) {
  std::size_t all = 0;
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 dice{seed};
    settings.alarms.front() = config::AlarmSettings();
    alarm().name = "a";
    limit("power");
    alarm().above = Decimal(static_cast<std::int64_t>(dice() % 50));
    alarm().below = Decimal(-50);
    alarm().hysteresis = Decimal(static_cast<std::int64_t>(dice() % 20));
    alarm().delay = std::chrono::seconds(dice() % 30);
    alarm().clear_delay = std::chrono::seconds(dice() % 30);
    alarms.emplace(settings);
    turns.clear();
    for (int i = 0; i < 300; ++i) {
      pass(Milliseconds(dice() % 20000));
      const auto value = static_cast<std::int64_t>(dice() % 200) - 100;
      if (dice() % 5 != 0) read("power", Decimal(value).str());
      if (dice() % 40 == 0) restart();
      judge();
      const bool raised = !turns.empty() && turns.back();
      EXPECT_EQ(alarms->states().front().active.value_or(raised), raised) << seed << " " << i;
    }
    all += turns.size();
    for (std::size_t i = 0; i < turns.size(); ++i)
      EXPECT_EQ(turns[i], i % 2 == 0) << seed << " " << i;
  }
  EXPECT_GT(all, 500U);
}

TEST_F(AlarmTest, WithoutAValueNothingIsTold) {
  limit("power");
  alarm().above = decimal("100");
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");
  EXPECT_NE(read("power", "130"), "");
  pass(31s);
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");  // not cleared
  EXPECT_EQ(read("power", "130"), "");
  EXPECT_EQ(state(), "on");
  pass(31s);
  EXPECT_EQ(judge(), "");
  EXPECT_THAT(read("power", "50"), HasSubstr("-power 50 W"));
  // A delay begins anew after a gap.
  alarm().delay = 20s;
  alarms.reset();
  EXPECT_EQ(read("power", "130"), "");
  pass(40s);
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(read("power", "130"), "");
  pass(20s);
  EXPECT_NE(read("power", "130"), "");
}

TEST_F(AlarmTest, ARestartRaisesNothingTwiceAndLosesNoEnd) {
  limit("power");
  alarm().above = decimal("100");
  alarm().delay = 10s;
  EXPECT_EQ(read("power", "130"), "");
  pass(10s);
  EXPECT_NE(read("power", "140"), "");
  restart();
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");
  EXPECT_EQ(read("power", "135"), "");
  EXPECT_EQ(state(), "on");
  pass(50s);
  restart();
  EXPECT_THAT(read("power", "80"), HasSubstr("after 50s, was at 140"));
  restart();
  EXPECT_EQ(read("power", "80"), "");
  EXPECT_EQ(state(), "off");
}

TEST_F(AlarmTest, AClockThatIsSetChangesNoDelay) {
  limit("power");
  alarm().above = decimal("100");
  alarm().delay = 30s;
  now.wall = Instant(5s);  // a board without a battery
  EXPECT_EQ(read("power", "130"), "");
  pass(20s);
  now.wall = Instant(std::chrono::seconds(1795000000));
  EXPECT_EQ(read("power", "130"), "");
  now.wall -= 2h;
  pass(10s);
  EXPECT_NE(read("power", "130"), "");
  EXPECT_TRUE(alarms->states().front().memory->since);
  now.wall -= 24h;  // and an end before the beginning is not told as a time
  EXPECT_EQ(read("power", "30"), "-power 30 W, was at 130");
}

TEST_F(AlarmTest, AKeyWithoutPhaseSpeaksForThreeUnlessThereIsATotal) {
  limit("voltage");
  alarm().above = decimal("253");
  EXPECT_EQ(read({reading("voltage_l1", "231"), reading("voltage_l2", "252"),
                  reading("voltage_l1_l2", "400")}),
            "");
  EXPECT_THAT(read({reading("voltage_l1", "231"), reading("voltage_l2", "254")}),
              HasSubstr("+voltage_l2 254 V above"));
  EXPECT_EQ(read({reading("voltage_l1", "231"), reading("voltage_l2", "253")}).front(), '-');
  limit("power");
  alarm().above.reset();
  alarm().below = decimal("10");
  alarms.reset();
  EXPECT_EQ(read({reading("power", "500"), reading("power_l3", "0")}), "");
}

TEST_F(AlarmTest, OnePhaseThatIsNotKnownKeepsItFromBeingCleared) {
  limit("voltage");
  alarm().above = decimal("253");
  EXPECT_NE(read({reading("voltage_l1", "254"), reading("voltage_l2", "230")}), "");
  pass(31s);
  EXPECT_EQ(read({reading("voltage_l2", "230")}), "");
  EXPECT_EQ(state(), "?");
  EXPECT_THAT(read({reading("voltage_l1", "230")}), HasSubstr("-"));
}

TEST_F(AlarmTest, ChangesInATimeAreComparedExactlyWhateverThePeriodIs) {
  limit("temperature");
  alarm().above = decimal("5");
  alarm().below = decimal("-5");
  alarm().per = 1min;
  situation.stale_after = 10min;
  EXPECT_EQ(read("temperature", "20.0"), "");
  EXPECT_EQ(state(), "?");
  pass(10s);
  EXPECT_EQ(read("temperature", "24.9"), "");
  EXPECT_EQ(state(), "?");  // too early to tell
  pass(50s);
  EXPECT_EQ(read("temperature", "25.0"), "");
  EXPECT_EQ(state(), "off");
  pass(60s);
  EXPECT_THAT(read("temperature", "30.1"),
              HasSubstr("+temperature changed by 5.1 °C in 1m above 5 °C in 1m"));
  pass(60s);
  EXPECT_THAT(read("temperature", "30.1"), HasSubstr("-temperature changed by 0.0"));
  pass(120s);  // ten degrees in two minutes are five in one
  EXPECT_EQ(read("temperature", "40.1"), "");
  pass(120s);
  EXPECT_THAT(read("temperature", "30.0"),
              HasSubstr("changed by -10.1 °C in 2m below -5 °C in 1m"));
}

TEST_F(AlarmTest, InputsAndTextHaveStates) {
  limit("input_7");
  alarm().is = "on";
  const auto input = [&](bool on) { return read({Reading(key("input_7"), Value(on))}); };
  EXPECT_EQ(input(false), "");
  EXPECT_EQ(input(true), "+input_7 is on");
  EXPECT_THAT(input(false), HasSubstr("-input_7 is off"));
  limit("status");
  alarm().is.clear();
  alarm().is_not = "ok";
  alarms.reset();
  const auto status = [&](const char* text) {
    return read({Reading(key("status"), Value(std::string(text)))});
  };
  EXPECT_EQ(status("OK"), "");
  EXPECT_EQ(status("overload"), "+status is overload, not ok");
}

TEST_F(AlarmTest, HoursOfTheDayDecide) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  limit("flow");
  alarm().above = decimal("0");
  alarm().between = config::DayWindow{22h, 5h};
  now.wall = Instant(std::chrono::hours(24 * 20800) + 21h + 59min);
  EXPECT_EQ(read("flow", "0.1"), "");
  EXPECT_EQ(state(), "off");
  pass(1min);
  EXPECT_NE(read("flow", "0.1"), "");
  pass(7h);
  EXPECT_EQ(read("flow", "0.1").front(), '-');
}

TEST_F(AlarmTest, SilenceAndFaultsAreToldWithoutReadings) {
  anomaly(AlarmKind::silent, 0, 10min);
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");
  pass(10min);
  EXPECT_EQ(judge(), "+no reading for 10m");
  EXPECT_THAT(read("power", "1"), HasSubstr("-over: no reading for 10m, after 0s"));
  situation.paused = true;
  pass(11min);
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");
  situation.paused = false;
  anomaly(AlarmKind::fault);
  alarm().delay = 1min;
  alarms.reset();
  situation.fault = Fault::no_bytes;
  situation.error = "nothing came";
  EXPECT_EQ(judge(), "");
  pass(1min);
  EXPECT_EQ(judge(), "+no_bytes: nothing came for 1m");
  situation.fault = Fault::starting;
  EXPECT_EQ(judge(), "");
  EXPECT_EQ(state(), "?");
  situation.fault = Fault::ok;
  EXPECT_EQ(judge().front(), '-');
}

TEST_F(AlarmTest, ReadingsOfSubmetersCountAndAreNamed) {
  limit("flow");
  alarm().above = decimal("2");
  alarms.emplace(settings);
  alarms->take("water_77", {reading("flow", "3")}, now);
  EXPECT_EQ(judge(), "+water_77 flow 3 m³/h above 2 m³/h");
}

}  // namespace
}  // namespace meterbridge::meter
