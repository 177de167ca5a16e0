// SPDX-License-Identifier: MIT
#include "meter/guard.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Kind = Guard::Notice::Kind;

const ReadingKey import_key = make_key(Quantity::energy, Direction::import);

// One meter, asked every 30 s, with a clock that is handed in.
struct GuardTest : ::testing::Test {
  Guard::Verdict read(std::vector<Reading> readings, const std::string& serial = "") {
    sample = Sample();
    sample.meter = "house";
    sample.identity.serial = serial;
    sample.readings = std::move(readings);
    return guard.admit(sample, now);
  }

  // The energy that went out, "-" when none did.
  std::string energy(const std::string& value, const std::string& serial = "") {
    verdict = read({Reading(import_key, Value(*Decimal::parse(value)), Unit::kWh)}, serial);
    if (sample.readings.empty()) return "-";
    return std::get<Decimal>(sample.readings.front().value).str();
  }

  std::string measured(Quantity quantity, const std::string& value, Unit unit) {
    verdict = read({Reading(make_key(quantity), Value(*Decimal::parse(value)), unit)});
    return sample.readings.empty() ? "-" : std::get<Decimal>(sample.readings.front().value).str();
  }

  void pass(std::chrono::seconds time) {
    now.wall += time;
    now.steady += time;
  }

  void restart() {
    const GuardMemory memory = guard.memory();
    guard = Guard(settings);
    guard.restore(memory);
  }

  config::MeterSettings settings = [] {
    config::MeterSettings meter;
    meter.id = "house";
    meter.max_power = Decimal(25000);
    return meter;
  }();
  Guard guard{settings};
  Moment now{Instant(std::chrono::seconds(1795000000)), std::chrono::steady_clock::time_point(1h)};
  Sample sample;
  Guard::Verdict verdict;
};

TEST_F(GuardTest, P15_WhatIsPossibleGoesOut) {
  EXPECT_EQ(energy("2979.64"), "2979.64");
  for (const char* next : {"2979.64", "2979.70", "2979.90", "2980.10"}) {
    pass(30s);
    EXPECT_EQ(energy(next), next);
    EXPECT_TRUE(verdict.notices.empty());
  }
}

struct Bad {
  const char* name;
  const char* value;
};

class P15_Impossible : public GuardTest, public ::testing::WithParamInterface<Bad> {};

TEST_P(P15_Impossible, IsRefusedOnceToldAndForgottenWhenItIsOver) {
  ASSERT_EQ(energy("2979.64"), "2979.64");
  pass(30s);
  ASSERT_EQ(energy("2979.70"), "2979.70");
  pass(30s);
  EXPECT_EQ(energy(GetParam().value), "-");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::refused);
  EXPECT_THAT(verdict.notices[0].text, HasSubstr(GetParam().value));
  pass(30s);
  EXPECT_EQ(energy(GetParam().value), "-");
  EXPECT_TRUE(verdict.notices.empty()) << "said once";
  EXPECT_EQ(guard.held(), 1U);
  pass(30s);
  EXPECT_EQ(energy("2979.80"), "2979.80");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::released);
  EXPECT_EQ(guard.held(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Table, P15_Impossible,
                         ::testing::Values(Bad{"zero", "0"}, Bad{"half", "1489.82"},
                                           Bad{"double", "5959.28"}, Bad{"tenfold", "29796.40"},
                                           Bad{"wrapped", "0.01"}, Bad{"negative", "-1.00"},
                                           Bad{"fell_by_two_digits", "2979.68"},
                                           Bad{"flipped_bit", "3635.06"}),
                         [](const auto& each) { return each.param.name; });

TEST_F(GuardTest, P15_AFrozenWrongNumberNeverConvinces) {
  energy("2979.64");
  for (int i = 0; i < 2000; ++i) {
    pass(30s);
    ASSERT_EQ(energy("0"), "-");
  }
}

TEST_F(GuardTest, P15_ALivingCounterConvincesAfterTenReadingsInTwoHours) {
  energy("999990.00");
  int refused = 0;
  std::string out = "-";
  for (int i = 1; i < 400 && out == "-"; ++i) {
    pass(30s);
    out = energy(Decimal(i, -2).str());
    if (out == "-") ++refused;
  }
  EXPECT_EQ(refused, 240) << "two hours at two a minute";
  EXPECT_EQ(out, "2.41");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::released);
  pass(30s);
  EXPECT_EQ(energy("2.42"), "2.42");
}

TEST_F(GuardTest, P15_ADecimalPointThatMovedForAnHourNeverGoesOut) {
  energy("2979.64");
  for (int i = 0; i < 120; ++i) {
    pass(30s);
    ASSERT_EQ(energy(Decimal(297964 + i, -1).str()), "-");
  }
  pass(30s);
  EXPECT_EQ(energy("2980.84"), "2980.84");
}

TEST_F(GuardTest, P15_GarbageThatDoesNotFitItselfNeverConvinces) {
  energy("500000.00");
  std::mt19937 random(4711);
  for (int i = 0; i < 1000; ++i) {
    pass(30s);
    ASSERT_EQ(energy(Decimal(static_cast<std::int64_t>(random() % 10000000), -2).str()), "-");
  }
}

TEST_F(GuardTest, P15_AcceptReleasesWhatIsHeld) {
  energy("2979.64");
  pass(30s);
  EXPECT_EQ(energy("12.00"), "-");
  EXPECT_FALSE(guard.take_decided());
  EXPECT_FALSE(guard.accept(make_key(Quantity::gas), now)) << "another key";
  ASSERT_TRUE(guard.accept(import_key, now));
  EXPECT_TRUE(guard.take_decided());
  pass(30s);
  EXPECT_EQ(energy("12.01"), "12.01");
  EXPECT_FALSE(guard.accept(std::nullopt, now)) << "nothing is held any more";
}

TEST_F(GuardTest, P15_AnOutageMayBeLongAndTheCounterGoesOn) {
  energy("2979.64");
  pass(24h);
  EXPECT_EQ(energy("3500.00"), "3500.00") << "520 kWh in a day are 22 kW";
  pass(24h);
  EXPECT_EQ(energy("4500.00"), "-") << "1000 kWh in a day are 42 kW";
}

TEST_F(GuardTest, P15_ACounterThatIsUpdatedEachQuarterOfAnHourMayLeap) {
  settings.max_power = Decimal(10000);
  guard = Guard(settings);
  energy("100.0");
  for (int quarter = 1; quarter < 5; ++quarter) {
    for (int i = 0; i < 29; ++i) {
      pass(30s);
      ASSERT_EQ(energy(Decimal(1000 + (quarter - 1) * 24, -1).str()),
                Decimal(1000 + (quarter - 1) * 24, -1).str());
    }
    pass(30s);
    ASSERT_NE(energy(Decimal(1000 + quarter * 24, -1).str()), "-") << "2.4 kWh in 15 min";
  }
}

TEST_F(GuardTest, P15_ALargePlantShowsItselfByItsPower) {
  settings.max_power.reset();
  guard = Guard(settings);
  const auto both = [&](std::int64_t watts, std::int64_t kwh) {
    (void)read({Reading(import_key, Value(Decimal(kwh)), Unit::kWh),
                Reading(make_key(Quantity::power), Value(Decimal(watts)), Unit::W)});
    return sample.readings.size();
  };
  EXPECT_EQ(both(900000, 100000), 2U);
  std::int64_t kwh = 100000;
  for (int i = 0; i < 200; ++i) {
    pass(60s);
    ASSERT_EQ(both(900000, kwh += 15), 2U);
  }
  pass(60s);
  EXPECT_EQ(both(900000, kwh + 500), 1U);
}

TEST_F(GuardTest, P17_AFallBelowTheResolutionIsHeldSilently) {
  energy("2979.64");
  pass(30s);
  EXPECT_EQ(energy("2979.63"), "2979.64");
  EXPECT_EQ(energy("2979.6"), "2979.64");
  EXPECT_TRUE(verdict.notices.empty());
  EXPECT_EQ(energy("2979.65"), "2979.65");
}

TEST_F(GuardTest, P17_WhateverComesPublishedTextNeverFalls) {
  std::mt19937 random(17);
  Decimal last(0);
  std::int64_t truth = 100000;
  for (int i = 0; i < 20000; ++i) {
    pass(10s);
    truth += static_cast<std::int64_t>(random() % 5);
    const int jitter = static_cast<int>(random() % 5) - 2;
    const std::string out = energy(Decimal(truth + jitter, -3).str());
    if (out == "-") continue;
    const Decimal value = *Decimal::parse(out);
    ASSERT_GE(value, last);
    last = value;
  }
}

TEST_F(GuardTest, P15_RemembersOverARestart) {
  energy("2979.64");
  restart();
  pass(60s);
  EXPECT_EQ(energy("0"), "-");
  restart();
  pass(60s);
  EXPECT_EQ(energy("2979.70"), "2979.70");
  pass(24h * 365);
  restart();
  EXPECT_EQ(energy("8000.00"), "8000.00") << "a year off";
}

TEST_F(GuardTest, P15_ConfirmationOutlivesRestartsAsCronNeedsIt) {
  energy("999990.00");
  std::string out = "-";
  int runs = 0;
  for (int i = 1; i < 100 && out == "-"; ++i, ++runs) {
    pass(300s);
    restart();
    out = energy(Decimal(i, -2).str());
  }
  EXPECT_EQ(runs, 25);
  EXPECT_EQ(out, "0.25");
}

TEST_F(GuardTest, P15_AClockThatWasNotSetLimitsNothingButTheFall) {
  energy("2979.64");
  restart();
  now.wall = Instant(std::chrono::seconds(1000));
  EXPECT_EQ(energy("2979.00"), "-");
  EXPECT_EQ(energy("3400.00"), "3400.00");
}

TEST_F(GuardTest, P15_AnotherFactorIsAnotherNumber) {
  energy("100.00");
  settings.readings[import_key].factor = Decimal(40);
  restart();
  EXPECT_EQ(energy("4000.00"), "4000.00");
}

TEST_F(GuardTest, P30_ANewMeterWaitsForTheWordAndBeginsANewCycle) {
  EXPECT_EQ(energy("2979.64", "4711"), "2979.64");
  pass(30s);
  EXPECT_EQ(energy("3.10", "4712"), "-");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::replaced);
  EXPECT_THAT(verdict.notices[0].text, HasSubstr("4711 became 4712"));
  pass(30s);
  EXPECT_EQ(energy("3.11", "4712"), "-");
  EXPECT_TRUE(verdict.notices.empty()) << "said once";
  ASSERT_TRUE(guard.replace(Continuation::new_cycle, now));
  EXPECT_EQ(energy("3.12", "4712"), "3.12");
  EXPECT_EQ(guard.memory().earlier, std::vector<std::string>{"4711"});
  EXPECT_EQ(guard.memory().serial, "4712");
}

TEST_F(GuardTest, P30_ANewMeterCarriesOnFromTheOldReading) {
  energy("2979.64", "4711");
  pass(30s);
  EXPECT_EQ(energy("3.10", "4712"), "-");
  ASSERT_TRUE(guard.replace(Continuation::carry_on, now));
  EXPECT_EQ(energy("3.10", "4712"), "2979.64");
  pass(30s);
  EXPECT_EQ(energy("3.30", "4712"), "2979.84");
  restart();
  pass(30s);
  EXPECT_EQ(energy("3.31", "4712"), "2979.85");
  pass(30s);
  EXPECT_EQ(energy("0", "4712"), "-");
}

TEST_F(GuardTest, P30_CarriesOnAfterARestartToo) {
  const ReadingKey exported = make_key(Quantity::energy, Direction::export_);
  const auto both = [&](const char* in, const char* out, const char* serial) {
    return read({Reading(import_key, Value(*Decimal::parse(in)), Unit::kWh),
                 Reading(exported, Value(*Decimal::parse(out)), Unit::kWh)},
                serial);
  };
  both("2979.64", "500.00", "4711");
  pass(30s);
  EXPECT_EQ(energy("3.10", "4712"), "-") << "only one of the two is held";
  restart();
  ASSERT_TRUE(guard.replace(Continuation::carry_on, now));
  restart();
  pass(30s);
  EXPECT_EQ(both("3.20", "7.00", "4712").refused, 0U);
  ASSERT_EQ(sample.readings.size(), 2U);
  EXPECT_EQ(std::get<Decimal>(sample.readings[0].value).str(), "2979.74");
  EXPECT_EQ(std::get<Decimal>(sample.readings[1].value).str(), "500.00") << "from its first value";
  restart();
  pass(30s);
  both("3.20", "7.10", "4712");
  EXPECT_EQ(std::get<Decimal>(sample.readings.at(1).value).str(), "500.10");
}

TEST_F(GuardTest, P30_WhatIsCarriedGoesOnWithoutTheGuard) {
  energy("2979.64", "4711");
  pass(30s);
  energy("3.10", "4712");
  ASSERT_TRUE(guard.replace(Continuation::carry_on, now));
  settings.guard.enabled = false;
  restart();
  pass(30s);
  EXPECT_EQ(energy("3.30", "4712"), "2979.84");
  settings.readings[import_key].factor = Decimal(40);
  restart();
  EXPECT_EQ(energy("132.00", "4712"), "132.00");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_THAT(verdict.notices[0].text, HasSubstr("no longer added"));
}

TEST_F(GuardTest, P15_AcceptReleasesWhatAnEarlierRunHeld) {
  energy("2979.64");
  pass(30s);
  EXPECT_EQ(energy("12.00"), "-");
  restart();
  EXPECT_EQ(guard.held(), 1U);
  ASSERT_TRUE(guard.accept(import_key, now));
  pass(30s);
  EXPECT_EQ(energy("12.01"), "12.01");
}

TEST_F(GuardTest, P16_TheFirstValueOfACounterHasARangeToo) {
  settings.readings[import_key].maximum = Decimal(100000);
  guard = Guard(settings);
  EXPECT_EQ(energy("4294967.29"), "-");
  pass(30s);
  EXPECT_EQ(energy("2979.64"), "2979.64");
}

TEST_F(GuardTest, P16_AStepOfAMeasuredValueIsNoDecisionForTheDisk) {
  EXPECT_EQ(measured(Quantity::voltage, "230.0", Unit::V), "230.0");
  EXPECT_EQ(measured(Quantity::voltage, "0.0", Unit::V), "-");
  EXPECT_EQ(measured(Quantity::voltage, "0.0", Unit::V), "0.0") << "a phase that failed";
  EXPECT_FALSE(guard.take_decided());
  EXPECT_TRUE(guard.memory().held.empty());
}

struct Leap {
  Quantity quantity;
  Unit unit;
  const char* before;
  const char* after;
};

class P16_Slopes : public GuardTest, public ::testing::WithParamInterface<Leap> {};

TEST_P(P16_Slopes, AreBelievedWithTheSecondValue) {
  const Leap& row = GetParam();
  EXPECT_EQ(measured(row.quantity, row.before, row.unit), row.before);
  EXPECT_EQ(measured(row.quantity, row.after, row.unit), "-");
  EXPECT_EQ(measured(row.quantity, row.before, row.unit), row.before) << "it was a disturbance";
  EXPECT_EQ(measured(row.quantity, row.after, row.unit), "-");
  EXPECT_EQ(measured(row.quantity, row.after, row.unit), row.after);
}

INSTANTIATE_TEST_SUITE_P(
    Table, P16_Slopes,
    ::testing::Values(Leap{Quantity::voltage, Unit::V, "230.1", "23.0"},
                      Leap{Quantity::frequency, Unit::Hz, "49.98", "4.99"},
                      Leap{Quantity::state_of_charge, Unit::percent, "87", "0"},
                      Leap{Quantity::temperature, Unit::celsius, "21.5", "85.0"}));

TEST_F(GuardTest, P30_WithoutAWordTheNewCycleBeginsByItself) {
  energy("2979.64", "4711");
  std::string out = "-";
  for (int i = 0; i < 1000 && out == "-"; ++i) {
    pass(30s);
    out = energy("3.10", "4712");
  }
  EXPECT_EQ(out, "3.10");
}

TEST_F(GuardTest, P30_AnotherMeterThatAnswersOnceIsNoReplacement) {
  energy("2979.64", "4711");
  pass(30s);
  EXPECT_EQ(energy("99999.00", "4799"), "-");
  pass(30s);
  EXPECT_EQ(energy("2979.66", "4711"), "2979.66");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::released);
  EXPECT_FALSE(guard.replace(Continuation::new_cycle, now));
}

TEST_F(GuardTest, P30_AMeterWithoutSerialIsContinuedOnTheUsersWord) {
  energy("2979.64");
  pass(30s);
  EXPECT_EQ(energy("3.10"), "-");
  ASSERT_TRUE(guard.replace(Continuation::carry_on, now));
  pass(30s);
  EXPECT_EQ(energy("3.20"), "2979.74");
}

struct Measured {
  Quantity quantity;
  Unit unit;
  const char* good;
  const char* low;
  const char* high;
};

class P16_Ranges : public GuardTest, public ::testing::WithParamInterface<Measured> {};

TEST_P(P16_Ranges, HoldBackWhatCannotBe) {
  const Measured& row = GetParam();
  EXPECT_EQ(measured(row.quantity, row.good, row.unit), row.good);
  EXPECT_EQ(measured(row.quantity, row.low, row.unit), "-");
  EXPECT_EQ(measured(row.quantity, row.high, row.unit), "-");
  EXPECT_EQ(verdict.refused, 1U);
  EXPECT_EQ(measured(row.quantity, row.good, row.unit), row.good);
}

INSTANTIATE_TEST_SUITE_P(
    Table, P16_Ranges,
    ::testing::Values(Measured{Quantity::voltage, Unit::V, "230.1", "-1", "6553.5"},
                      Measured{Quantity::current, Unit::A, "-12.5", "-65535", "42949672"},
                      Measured{Quantity::frequency, Unit::Hz, "49.98", "-50", "500.1"},
                      Measured{Quantity::power_factor, Unit::none, "-0.98", "-1.01", "98"},
                      Measured{Quantity::power, Unit::W, "-24999", "-25001", "4294967"},
                      Measured{Quantity::state_of_charge, Unit::percent, "100", "-1", "255"},
                      Measured{Quantity::temperature, Unit::celsius, "-20.5", "-273", "6553.5"}));

TEST_F(GuardTest, P16_AContractualLimitIsNoMeasurement) {
  const ReadingKey limit = *ReadingKey::parse("power_limit");
  EXPECT_EQ(read({Reading(limit, Value(Decimal(999900)), Unit::W)}).refused, 0U);
}

TEST_F(GuardTest, P16_AFactorWidensTheRangeOfATransformer) {
  settings.readings[make_key(Quantity::voltage)].factor = Decimal(100);
  guard = Guard(settings);
  EXPECT_EQ(measured(Quantity::voltage, "20000", Unit::V), "20000");
}

TEST_F(GuardTest, P16_OwnLimitsWinAndAStepMustBeConfirmed) {
  config::ReadingOptions own;
  own.minimum = Decimal(200);
  own.maximum = Decimal(260);
  own.max_step = Decimal(10);
  settings.readings[make_key(Quantity::voltage)] = own;
  guard = Guard(settings);
  EXPECT_EQ(measured(Quantity::voltage, "230.0", Unit::V), "230.0");
  EXPECT_EQ(measured(Quantity::voltage, "199.9", Unit::V), "-");
  EXPECT_FALSE(guard.accept(std::nullopt, now)) << "a range is not a matter of belief";
  EXPECT_EQ(measured(Quantity::voltage, "251.0", Unit::V), "-");
  EXPECT_EQ(measured(Quantity::voltage, "229.0", Unit::V), "229.0");
  EXPECT_EQ(measured(Quantity::voltage, "250.0", Unit::V), "-");
  EXPECT_EQ(measured(Quantity::voltage, "251.0", Unit::V), "251.0") << "confirmed";
}

TEST_F(GuardTest, IsSwitchedOffOnRequest) {
  settings.guard.enabled = false;
  guard = Guard(settings);
  EXPECT_EQ(energy("2979.64", "4711"), "2979.64");
  EXPECT_EQ(energy("0", "4711"), "0");
  EXPECT_EQ(energy("5", "4712"), "5");
  ASSERT_EQ(verdict.notices.size(), 1U) << "another meter is worth a word all the same";
}

TEST_F(GuardTest, HiddenReadingsAndTextAreNoneOfItsBusiness) {
  settings.readings[import_key].hidden = true;
  guard = Guard(settings);
  EXPECT_EQ(energy("10"), "10");
  EXPECT_EQ(energy("0"), "0");
  EXPECT_EQ(read({Reading(make_key(Quantity::message), Value(std::string("hello")))}).refused, 0U);
}

// A pulse counter of 16 bits, asked every second.
struct P15_Wraps : GuardTest {
  std::string count(int raw) {
    pass(1s);
    Reading reading(*ReadingKey::parse("counter_1"), Value(Decimal(raw)));
    reading.wraps = Decimal(65536);
    verdict = read({reading});
    return sample.readings.empty() ? "-" : std::get<Decimal>(sample.readings.front().value).str();
  }
};

TEST_F(P15_Wraps, ACounterOfSixteenBitsGrowsOnExactlyThroughManyTurnsAndRestarts) {
  std::mt19937 random(7);
  std::int64_t truth = 65000;
  std::int64_t before = 0;
  int late = 0;
  ASSERT_EQ(count(65000), "65000");
  for (int i = 0; i < 3000; ++i) {
    truth += static_cast<std::int64_t>(random() % 900);
    const std::string out = count(static_cast<int>(truth % 65536));
    ASSERT_NE(out, "-") << truth;
    ASSERT_TRUE(verdict.notices.empty()) << verdict.notices[0].text;
    const std::int64_t published = std::stoll(out);
    ASSERT_GE(published, before);
    if (published != truth) ++late;
    before = published;
    if (random() % 50 == 0) restart();
  }
  EXPECT_EQ(before, truth);
  EXPECT_GT(truth, 15 * 65536);
  EXPECT_LE(late, truth / 65536) << "one reading a turn waits for its confirmation";
}

TEST_F(P15_Wraps, AResetIsHeldAsBefore) {
  ASSERT_EQ(count(40000), "40000");
  EXPECT_EQ(count(3), "-") << "25539 pulses in a second are none";
  ASSERT_EQ(verdict.notices.size(), 1U);
  pass(60s);
  EXPECT_EQ(count(4), "-") << "that more could be counted meanwhile does not make it one";
  EXPECT_TRUE(verdict.notices.empty());
  ASSERT_TRUE(guard.replace(Continuation::carry_on, now));
  EXPECT_EQ(count(6), "40002") << "the user's word";
}

TEST_F(P15_Wraps, ZeroProvesNothingUntilItCountsOn) {
  ASSERT_EQ(count(65500), "65500");
  EXPECT_EQ(count(0), "65500");
  EXPECT_TRUE(verdict.notices.empty());
  EXPECT_EQ(count(0), "-");
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::refused);
  EXPECT_EQ(count(0), "-");
  EXPECT_TRUE(verdict.notices.empty());
  restart();
  EXPECT_EQ(count(2), "65538");
  EXPECT_TRUE(guard.take_decided()) << "on disk before the next value";
  ASSERT_EQ(verdict.notices.size(), 1U);
  EXPECT_EQ(verdict.notices[0].kind, Kind::released);
}

TEST_F(P15_Wraps, OneWrongReadingNearTheEndTakesNoTurn) {
  ASSERT_EQ(count(65500), "65500");
  EXPECT_EQ(count(12), "65500");
  EXPECT_EQ(count(65501), "65501");
  ASSERT_EQ(verdict.notices.size(), 1U) << "said all the same";
  EXPECT_EQ(verdict.notices[0].kind, Kind::refused);
  EXPECT_EQ(count(40), "65501");
  EXPECT_EQ(count(39000), "-") << "does not go on from it";
  EXPECT_EQ(count(65502), "65502");
}

TEST_F(P15_Wraps, TheUsersGrowthDecidesAndHalfATurnIsTheMost) {
  settings.readings[*ReadingKey::parse("counter_1")].max_growth = Decimal(36000);
  guard = Guard(settings);
  ASSERT_EQ(count(65530), "65530");
  EXPECT_EQ(count(40), "-") << "46 are more than ten a second";
  EXPECT_EQ(count(65531), "65531");
  pass(60s);
  EXPECT_EQ(count(40), "65531") << "in a minute they are not";
  EXPECT_EQ(count(41), "65577");
  pass(24h);
  EXPECT_EQ(count(0x9000), "102400") << "upwards as ever";
  pass(24h);
  EXPECT_EQ(count(0x8000), "-") << "almost a whole turn: nobody knows how many";
}

TEST_F(P15_Wraps, WithoutTheGuardEveryFallIsATurn) {
  settings.guard.enabled = false;
  guard = Guard(settings);
  EXPECT_EQ(count(65530), "65530");
  EXPECT_EQ(count(4), "65540");
  EXPECT_EQ(count(0), "131072");
  restart();
  EXPECT_EQ(count(7), "131079");
}

}  // namespace
}  // namespace meterbridge::meter
