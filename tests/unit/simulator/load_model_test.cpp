// SPDX-License-Identifier: MIT
#include "simulator/load_model.hpp"

#include <gtest/gtest.h>

namespace meterbridge::simulator {
namespace {

// Friday 2026-11-20 00:00 UTC.
constexpr Seconds some_day{std::chrono::seconds(1'795'132'800)};

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(LoadModel, EnergyIsTheIntegralOfThePower) {
  const LoadModel house(7);
  for (const int hour : {2, 6, 12, 18}) {
    const Seconds begin = some_day + hours(hour) + seconds(17);
    Totals sum = house.totals(begin);
    for (Seconds now = begin; now < begin + minutes(75); now += seconds(1)) {
      const auto watts = house.power(now);
      const std::int64_t net = watts[0] + watts[1] + watts[2];
      const auto tariff = static_cast<std::size_t>(LoadModel::tariff(now) - 1);
      if (net >= 0) {
        sum.import_ws[tariff] += net;
      } else {
        sum.export_ws[tariff] -= net;
      }
    }
    const Totals after = house.totals(begin + minutes(75));
    EXPECT_EQ(after.import_ws, sum.import_ws);
    EXPECT_EQ(after.export_ws, sum.export_ws);
  }
}

TEST(LoadModel, TheRegistersOnTheFaceAreTheTotalsInWattHours) {
  const LoadModel house(3);
  const Seconds now = some_day + hours(13) + seconds(1);
  const Totals totals = house.totals(now);
  const protocol::MeterFace face = house.at(now);
  for (std::size_t i = 0; i < 4; ++i) {
    // Cut, not rounded, to a thousandth: as every register does.
    EXPECT_EQ(face.energy_import[i].exponent(), -3);
    EXPECT_LE(face.energy_import[i].digits() * 18, totals.import_ws[i] * 5);
    EXPECT_GT((face.energy_import[i].digits() + 1) * 18, totals.import_ws[i] * 5);
    EXPECT_LE(face.energy_export[i].digits() * 18, totals.export_ws[i] * 5);
    EXPECT_GT((face.energy_export[i].digits() + 1) * 18, totals.export_ws[i] * 5);
  }
  EXPECT_EQ(face.gas.digits(), totals.gas_cm3 / 1000);
  EXPECT_EQ(face.water.digits(), totals.water_cm3 / 1000);
}

TEST(LoadModel, NoRegisterEverFallsOverThreeWeeks) {
  const LoadModel house(11);
  protocol::MeterFace before = house.at(some_day);
  for (Seconds now = some_day; now < some_day + hours(24 * 21); now += seconds(4321)) {
    const protocol::MeterFace face = house.at(now);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_GE(face.energy_import[i], before.energy_import[i]);
      EXPECT_GE(face.energy_export[i], before.energy_export[i]);
    }
    EXPECT_GE(face.gas, before.gas);
    EXPECT_GE(face.water, before.water);
    before = face;
  }
}

TEST(LoadModel, TheSameSeedIsTheSameHouseAndAnotherSeedIsAnother) {
  const LoadModel one(5);
  const LoadModel same(5);
  const LoadModel other(6);
  int differences = 0;
  for (int i = 0; i < 200; ++i) {
    const Seconds now = some_day + seconds(613 * i);
    EXPECT_EQ(one.power(now), same.power(now));
    EXPECT_EQ(one.totals(now), same.totals(now));
    differences += one.power(now) != other.power(now) ? 1 : 0;
  }
  EXPECT_GT(differences, 190);
}

TEST(LoadModel, AStreetHasTheSameHousesEachWithRegistersOfItsOwn) {
  Street street;
  for (const std::uint64_t seed : {5U, 6U, 37U, 5U}) {
    const LoadModel house = street.house(seed);
    const LoadModel alone(seed);
    for (int i = 0; i < 20; ++i) {
      const Seconds now = some_day + seconds(30'011 * i);
      EXPECT_EQ(house.power(now), alone.power(now));
      EXPECT_EQ(house.totals(now), alone.totals(now));
    }
  }
  EXPECT_NE(street.house(5).totals(some_day), street.house(37).totals(some_day));
}

TEST(LoadModel, ADayHasNightLoadMorningPeakAndExportAtNoon) {
  int weeks_with_export = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const LoadModel house(seed);
    const auto begin = house.totals(some_day);
    const auto end = house.totals(some_day + hours(24 * 7));
    const std::int64_t import_wh =
        (end.import_ws[0] + end.import_ws[1] - begin.import_ws[0] - begin.import_ws[1]) / 3600;
    EXPECT_GT(import_wh, 20'000) << seed;
    EXPECT_LT(import_wh, 200'000) << seed;
    EXPECT_GT(end.import_ws[0], begin.import_ws[0]);
    EXPECT_GT(end.import_ws[1], begin.import_ws[1]);
    EXPECT_GT(end.gas_cm3, begin.gas_cm3);
    EXPECT_GT(end.water_cm3, begin.water_cm3);
    weeks_with_export += end.export_ws[0] > begin.export_ws[0] ? 1 : 0;
    // No sun at night, so nothing flows back.
    const auto night = house.power(some_day + hours(1));
    EXPECT_GT(night[0] + night[1] + night[2], 0);
  }
  EXPECT_EQ(weeks_with_export, 5);
}

TEST(LoadModel, TariffsSwitchAtSevenAndTwentyThree) {
  // The house lives at UTC+1.
  EXPECT_EQ(LoadModel::tariff(some_day + hours(6) - seconds(1)), 2);
  EXPECT_EQ(LoadModel::tariff(some_day + hours(6)), 1);
  EXPECT_EQ(LoadModel::tariff(some_day + hours(22) - seconds(1)), 1);
  EXPECT_EQ(LoadModel::tariff(some_day + hours(22)), 2);
}

TEST(LoadModel, VoltageCurrentAndFrequencyArePlausibleAndBelongTogether) {
  const LoadModel house(2);
  for (int i = 0; i < 500; ++i) {
    const protocol::MeterFace face = house.at(some_day + seconds(331 * i));
    EXPECT_GT(face.frequency, Decimal(499, -1));
    EXPECT_LT(face.frequency, Decimal(501, -1));
    for (std::size_t phase = 0; phase < 3; ++phase) {
      EXPECT_GT(face.voltage[phase], Decimal(207));
      EXPECT_LT(face.voltage[phase], Decimal(253));
      const double watts = std::abs(face.power[phase].approximate());
      const double apparent = face.voltage[phase].approximate() * face.current[phase].approximate();
      EXPECT_NEAR(watts, apparent, 3.0);
    }
  }
}

TEST(LoadModel, AClockBeforeTheMeterWasMadeDoesNoHarm) {
  const LoadModel house(1);
  const auto early = house.totals(Seconds{});
  EXPECT_EQ(early, house.totals(Seconds{} + hours(1000)));
  EXPECT_LE(early.import_ws[0], house.totals(some_day).import_ws[0]);
}

}  // namespace
}  // namespace meterbridge::simulator
