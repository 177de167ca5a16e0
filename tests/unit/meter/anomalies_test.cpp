// SPDX-License-Identifier: MIT
// Readings that contradict one another or stand still, and the smoothing of noisy values.
#include "meter/smoothing.hpp"
#include "unit/meter/alarm_bench.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

namespace meterbridge::meter {
namespace {

using ::testing::HasSubstr;

struct AnomalyTest : AlarmBench {};

TEST_F(AnomalyTest, AValueThatStandsStillWhileOthersMoveIsStuckAndNoLoadIsNot) {
  anomaly(AlarmKind::stuck, 0, 1h);
  std::string told;
  for (int i = 0; i < 400; ++i) {
    told += read({reading("voltage_l1", i < 370 ? "231.4" : "231.5"),
                  reading("power", "0"),  // the night
                  reading("power_factor", "1.000"), reading("current_l1", "2"),
                  reading("frequency", i % 2 == 0 ? "50.01" : "49.99")});
    pass(10s);
  }
  EXPECT_THAT(told, HasSubstr("+voltage_l1 says 231.4 V for 1h, while other readings move-over:"));
  EXPECT_EQ(std::count(told.begin(), told.end(), '+'), 1);
  EXPECT_EQ(state(), "off");
}

TEST_F(AnomalyTest, AGatewayThatRepeatsItselfIsStuckAlsoOverARestart) {
  anomaly(AlarmKind::stuck, 0, 1h);
  std::string told;
  const auto same = [&](int times) {
    for (int i = 0; i < times; ++i) {
      told += read({reading("voltage_l1", "231.4"), reading("voltage_l2", "230.1"),
                    reading("power", "1234"), reading("power_l3", "0")});
      pass(10s);
    }
  };
  same(300);
  EXPECT_EQ(told, "");
  EXPECT_EQ(state(), "?");
  same(100);
  EXPECT_THAT(told, HasSubstr("+nothing that this meter measures has changed for 1h"));
  told.clear();
  restart();
  same(10);
  EXPECT_EQ(told, "");
  EXPECT_EQ(state(), "?");
  told += read(
      {reading("voltage_l1", "231.5"), reading("voltage_l2", "230.2"), reading("power", "1235")});
  EXPECT_EQ(told.front(), '-');
}

TEST_F(AnomalyTest, AKeyOfItsOwnIsStuckByItself) {
  anomaly(AlarmKind::stuck, 0, 10min);
  alarm().key = key("value_1");
  std::string told;
  for (int i = 0; i < 70; ++i) {
    told += read("value_1", "6.2");
    pass(10s);
  }
  EXPECT_EQ(told, "+value_1 says 6.2 for 10m");
  EXPECT_EQ(read("value_1", "0").front(), '-');
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(read("value_1", "0"), "");
    pass(10s);
  }
}

TEST_F(AnomalyTest, WhatFlowsOneWayIsNeverNegative) {
  anomaly(AlarmKind::sign);
  EXPECT_EQ(read({reading("power", "-500"), reading("power_export", "500")}), "");
  EXPECT_EQ(state(), "off");
  EXPECT_EQ(read("power_import", "-3"), "+power_import -3 W is negative");
  EXPECT_EQ(read("power_import", "0").front(), '-');
}

TEST_F(AnomalyTest, AVoltageFarFromTheOthersIsALostPhase) {
  anomaly(AlarmKind::lost_phase, 15);
  const auto volts = [&](const char* a, const char* b, const char* c) {
    return read({reading("voltage_l1", a), reading("voltage_l2", b), reading("voltage_l3", c)});
  };
  EXPECT_EQ(volts("231", "229", "233"), "");
  EXPECT_EQ(volts("200", "170", "200"), "");  // exactly fifteen percent
  EXPECT_THAT(
      volts("231", "0", "233"),
      HasSubstr("+voltages far apart (L1 231 V, L2 0 V, L3 233 V): a phase or the neutral"));
  EXPECT_EQ(volts("231", "229", "233").front(), '-');
  alarms.reset();
  EXPECT_EQ(read("voltage", "230"), "");
  EXPECT_EQ(state(), "?");  // a meter of one phase
}

TEST_F(AnomalyTest, PhasesMustBeTheTotal) {
  anomaly(AlarmKind::phase_sum, 5);
  const auto powers = [&](const char* total, const char* a, const char* b, const char* c) {
    return read({reading("power", total), reading("power_l1", a), reading("power_l2", b),
                 reading("power_l3", c)});
  };
  EXPECT_EQ(powers("600", "100", "200", "300"), "");
  EXPECT_EQ(powers("-100", "-500", "200", "200"), "");
  EXPECT_EQ(powers("3", "0", "0", "0"), "");  // below what counts
  EXPECT_EQ(powers("652", "100", "200", "300"), "");
  EXPECT_EQ(powers("300", "100", "200", "300"),
            "+power of the phases is 600 W together, the total 300 W");
  EXPECT_EQ(powers("600", "100", "200", "300").front(), '-');
  alarms.reset();
  EXPECT_EQ(read({reading("power_import", "0"), reading("power_export", "400"),
                  reading("power_import_l1", "100"), reading("power_export_l1", "0"),
                  reading("power_import_l2", "0"), reading("power_export_l2", "500"),
                  reading("power_import_l3", "0"), reading("power_export_l3", "0")}),
            "");
  EXPECT_EQ(state(), "off");
}

TEST_F(AnomalyTest, VoltageTimesCurrentMustBeThePower) {
  anomaly(AlarmKind::power_product, 10);
  const auto phase = [&](const char* u, const char* i, const char* p) {
    return std::vector<Reading>{reading("voltage_l1", u), reading("current_l1", i),
                                reading("power_l1", p)};
  };
  EXPECT_EQ(read(phase("230.0", "10.00", "2290")), "");
  EXPECT_EQ(read(phase("230.0", "10.00", "900")), "");  // reactive load: less is possible
  EXPECT_EQ(read(phase("230", "1", "400")), "");        // amperes without digits, cut off
  EXPECT_EQ(state(), "off");
  // A current transformer that was forgotten.
  EXPECT_EQ(read(phase("230.0", "0.250", "2300")), "+L1: 230.0 V times 0.250 A is not 2300 W");
  alarms.reset();
  auto with_factor = phase("230.0", "10.00", "900");
  with_factor.push_back(reading("power_factor_l1", "0.99"));
  EXPECT_THAT(read(with_factor), HasSubstr("10.00 A times 0.99 is not 900 W"));
  with_factor.back() = reading("power_factor_l1", "-0.39");
  EXPECT_EQ(read(with_factor).front(), '-');
}

TEST_F(AnomalyTest, TheCounterMustGrowAsThePowerSays) {
  anomaly(AlarmKind::energy, 50, 1h);
  const auto hours = [&](int polls, const char* watts, std::int64_t wh_per_poll) {
    std::string told;
    for (int i = 0; i < polls; ++i) {
      counter += wh_per_poll;
      told += read({reading("power", watts), reading("energy_import", Decimal(counter, -3).str())});
      pass(10s);
    }
    return told;
  };
  EXPECT_EQ(hours(400, "3600", 10), "");
  EXPECT_EQ(state(), "off");
  EXPECT_EQ(hours(800, "0", 0), "");  // the night
  EXPECT_THAT(hours(800, "3600", 0), HasSubstr("+energy_import grew by 0.000 kWh in 1h, the power "
                                               "says "));
  EXPECT_THAT(hours(800, "3600", 10), HasSubstr("-over:"));
  EXPECT_THAT(hours(800, "0", 10), HasSubstr("+energy_import grew by 3.6"));
  // A gap, or a counter that is held back, is compared with nothing.
  alarms.reset();
  EXPECT_EQ(hours(100, "3600", 10), "");
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(read({reading("power", "3600")}), "");
    pass(10s);
  }
  EXPECT_EQ(state(), "?");
}

struct SmoothingTest : AlarmBench {
  std::string smooth(std::string_view value) {
    std::vector<Reading> readings{reading("value_1", value)};
    smoothing.apply(readings, now, 30s);
    now.steady += 10s;
    return std::get<Decimal>(readings.front().value).str();
  }

  config::ReadingOptions& options() { return settings.readings[key("value_1")]; }

  Smoothing smoothing{settings};
};

TEST_F(SmoothingTest, AMedianTakesSpikesOutAndInventsNoDigits) {
  options().median = 5;
  EXPECT_EQ(smooth("6.20"), "6.20");
  for (const char* value : {"6.21", "6.22", "6.20", "6.21"})
    EXPECT_THAT(smooth(value), ::testing::StartsWith("6.2"));
  EXPECT_EQ(smooth("99.9"), "6.21");
  EXPECT_EQ(smooth("-40"), "6.21");
  for (const char* value : {"8.01", "8.02", "8.03"})
    smooth(value);
  EXPECT_EQ(smooth("8.04"), "8.02");  // what lasts goes through
  now.steady += 60s;
  EXPECT_EQ(smooth("1.5"), "1.5");  // and after a gap at once
}

TEST_F(SmoothingTest, AMeanIsExactAndRoundedHalfAwayFromZero) {
  options().average = 4;
  EXPECT_EQ(smooth("1"), "1");
  EXPECT_EQ(smooth("2"), "2");
  EXPECT_EQ(smooth("2.0"), "1.7");
  EXPECT_EQ(smooth("3"), "2.0");
  EXPECT_EQ(mean_of({Decimal(-1), Decimal(-2)}).str(), "-2");
  EXPECT_EQ(mean_of({Decimal(1), Decimal(1), Decimal(2)}).str(), "1");
  EXPECT_EQ(mean_of({Decimal(INT64_MAX), Decimal(INT64_MAX)}).str(), std::to_string(INT64_MAX));
  std::mt19937 dice(3);
  for (int i = 0; i < 2000; ++i) {
    std::deque<Decimal> values;
    double sum = 0;
    for (auto n = dice() % 9 + 1; n > 0; --n) {
      values.emplace_back(static_cast<std::int64_t>(dice() % 2000) - 1000, -2);
      sum += values.back().approximate();
    }
    EXPECT_NEAR(mean_of(values).approximate(), sum / static_cast<double>(values.size()), 0.0051);
  }
}

}  // namespace
}  // namespace meterbridge::meter
