// SPDX-License-Identifier: MIT
#include "core/unit.hpp"

#include "core/line_settings.hpp"
#include "core/obis.hpp"
#include "core/reading.hpp"

#include <string>

#include <gtest/gtest.h>

using namespace meterbridge;

namespace {

constexpr int unit_count = static_cast<int>(Unit::hour) + 1;

std::string converted(const char* value, Unit from, Unit to) {
  const auto number = Decimal::parse(value);
  if (!number) return "no number";
  const auto result = convert(*number, from, to);
  return result ? result->str() : std::string(name(result.error().code()));
}

}  // namespace

TEST(Unit, IsFoundByItsOwnSymbol) {
  for (int i = 1; i < unit_count; ++i) {
    const auto unit = static_cast<Unit>(i);
    EXPECT_FALSE(symbol(unit).empty());
    EXPECT_EQ(unit_from(symbol(unit)), unit) << symbol(unit);
    EXPECT_NE(dimension(unit), Dimension::none);
  }
  EXPECT_EQ(symbol(Unit::none), "");
  EXPECT_EQ(symbol(Unit::m3), "m³");
  EXPECT_EQ(symbol(Unit::celsius), "°C");
}

TEST(Unit, IsFoundInTheSpellingsOfMeters) {
  EXPECT_EQ(unit_from("KWH"), Unit::kWh);
  EXPECT_EQ(unit_from("kVArh"), Unit::kvarh);
  EXPECT_EQ(unit_from("VAr"), Unit::var);
  EXPECT_EQ(unit_from("m3"), Unit::m3);
  EXPECT_EQ(unit_from("M3"), Unit::m3);
  EXPECT_EQ(unit_from("m3/h"), Unit::m3_per_h);
  EXPECT_EQ(unit_from("HZ"), Unit::Hz);
  EXPECT_EQ(unit_from("l"), Unit::litre);
  EXPECT_EQ(unit_from("MWH"), Unit::MWh);
  EXPECT_FALSE(unit_from(""));
  EXPECT_FALSE(unit_from("furlong"));
  EXPECT_FALSE(unit_from("kWhx"));
}

TEST(Unit, IsNotGuessedWhereCaseTellsMilliFromMega) {
  EXPECT_FALSE(unit_from("mW"));
  EXPECT_FALSE(unit_from("mWh"));
  EXPECT_FALSE(unit_from("MA"));
  EXPECT_FALSE(unit_from("MV"));
  EXPECT_FALSE(unit_from("mj"));
  EXPECT_EQ(unit_from("mA"), Unit::mA);
  EXPECT_EQ(unit_from("MW"), Unit::MW);
}

TEST(Convert, MovesThePointOnly) {
  EXPECT_EQ(converted("173.640", Unit::kWh, Unit::Wh), "173640");
  EXPECT_EQ(converted("173640", Unit::Wh, Unit::kWh), "173.640");
  EXPECT_EQ(converted("1", Unit::MWh, Unit::kWh), "1000");
  EXPECT_EQ(converted("0.213", Unit::kW, Unit::W), "213");
  EXPECT_EQ(converted("12345", Unit::dm3, Unit::m3), "12.345");
  EXPECT_EQ(converted("12345", Unit::litre, Unit::m3), "12.345");
  EXPECT_EQ(converted("12", Unit::litre, Unit::dm3), "12");
  EXPECT_EQ(converted("1.5", Unit::GJ, Unit::MJ), "1500");
  EXPECT_EQ(converted("4250", Unit::mA, Unit::A), "4.250");
  EXPECT_EQ(converted("0000.049", Unit::kHz, Unit::Hz), "49");
  EXPECT_EQ(converted("5", Unit::hour, Unit::hour), "5");
}

TEST(Convert, RefusesOtherDimensionsAndFactorsThatAreNoPowerOfTen) {
  EXPECT_EQ(converted("1", Unit::MJ, Unit::kWh), "malformed");
  EXPECT_EQ(converted("1", Unit::kWh, Unit::kvarh), "malformed");
  EXPECT_EQ(converted("1", Unit::kWh, Unit::kW), "malformed");
  EXPECT_EQ(converted("1", Unit::hour, Unit::second), "malformed");
  EXPECT_EQ(converted("1", Unit::minute, Unit::second), "malformed");
  EXPECT_EQ(converted("1", Unit::none, Unit::kWh), "malformed");
  EXPECT_EQ(converted("0.000000000000000001", Unit::Wh, Unit::kWh), "malformed")
      << "no room for the digits";
}

TEST(Convert, IsUndoneByTheWayBack) {
  const Decimal value(173640, -3);
  for (int from = 0; from < unit_count; ++from) {
    for (int to = 0; to < unit_count; ++to) {
      const auto there = convert(value, static_cast<Unit>(from), static_cast<Unit>(to));
      const auto reverse = convert(value, static_cast<Unit>(to), static_cast<Unit>(from));
      EXPECT_EQ(static_cast<bool>(there), static_cast<bool>(reverse));
      EXPECT_TRUE(from != to || there);
      if (!there) continue;
      const auto back = convert(*there, static_cast<Unit>(to), static_cast<Unit>(from));
      ASSERT_TRUE(back);
      EXPECT_EQ(back->str(), "173.640");
      EXPECT_EQ(there->digits(), value.digits());
    }
  }
}

TEST(Reading, LeavesInTheCanonicalUnit) {
  const auto energy =
      Reading::make(make_key(Quantity::energy, Direction::import), Decimal(173640), Unit::Wh);
  ASSERT_TRUE(energy);
  EXPECT_EQ(std::get<Decimal>(energy->value).str(), "173.640");
  EXPECT_EQ(energy->unit, Unit::kWh);
  const auto power = Reading::make(make_key(Quantity::power), Decimal(213, -3), Unit::kW);
  ASSERT_TRUE(power);
  EXPECT_EQ(std::get<Decimal>(power->value).str(), "213");
  const auto factor = Reading::make(make_key(Quantity::power_factor), Decimal(98, -2), Unit::none);
  ASSERT_TRUE(factor);
  EXPECT_EQ(factor->unit, Unit::none);
}

TEST(Reading, KeepsHeatAsTheMeterCounts) {
  const ReadingKey heat = make_key(Quantity::heat);
  EXPECT_EQ(Reading::make(heat, Decimal(5), Unit::GJ)->unit, Unit::GJ);
  EXPECT_EQ(Reading::make(heat, Decimal(5), Unit::MJ)->unit, Unit::MJ);
  EXPECT_EQ(Reading::make(heat, Decimal(5), Unit::kWh)->unit, Unit::kWh);
  const auto megawatt_hours = Reading::make(heat, Decimal(12345, -3), Unit::MWh);
  ASSERT_TRUE(megawatt_hours);
  EXPECT_EQ(megawatt_hours->unit, Unit::kWh);
  EXPECT_EQ(std::get<Decimal>(megawatt_hours->value).str(), "12345");
  EXPECT_FALSE(Reading::make(heat, Decimal(5), Unit::m3));
  EXPECT_FALSE(Reading::make(heat, Decimal(5), Unit::none));
}

TEST(Reading, RefusesAUnitOfAnotherQuantity) {
  const auto wrong =
      Reading::make(make_key(Quantity::voltage, Direction::none, Phase::l1), Decimal(5), Unit::A);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Errc::malformed);
  EXPECT_NE(wrong.error().detail().find("voltage_l1"), std::string::npos) << wrong.error().detail();
  EXPECT_FALSE(
      Reading::make(make_key(Quantity::energy, Direction::import), Decimal(5), Unit::none));
  EXPECT_FALSE(Reading::make(make_key(Quantity::power_factor), Decimal(5), Unit::W));
  EXPECT_FALSE(Reading::make(make_key(Quantity::gas), Decimal(5), Unit::m3_per_h));
}

TEST(MeterReadings, AreFoundByKey) {
  MeterReadings readings;
  readings.readings.emplace_back(make_key(Quantity::power), Value(Decimal(1)), Unit::W);
  readings.readings.emplace_back(make_key(Quantity::voltage), Value(Decimal(2)), Unit::V);
  ASSERT_NE(readings.find(make_key(Quantity::voltage)), nullptr);
  EXPECT_EQ(readings.find(make_key(Quantity::voltage))->unit, Unit::V);
  EXPECT_EQ(readings.find(make_key(Quantity::current)), nullptr);
}

TEST(Obis, PrintsTheFullFormOfWhatItRead) {
  for (int value = 0; value < 256; ++value) {
    const auto n = static_cast<std::uint8_t>(value);
    for (const Obis code : {Obis(n, 0, 1, 8, 0), Obis(1, n, 1, 8, 0, 3), Obis(1, 0, n, n, n, n)}) {
      const auto back = Obis::parse(code.text());
      ASSERT_TRUE(back) << code.text();
      EXPECT_EQ(*back, code);
    }
  }
  EXPECT_EQ(Obis::parse("1-0:1.8.0")->text(), "1-0:1.8.0*255");
  EXPECT_EQ(Obis::parse("1-0:1.8.0*1")->f(), 1);
  EXPECT_EQ(Obis::parse("0-1:24.2.1")->b(), 1);
}

TEST(Obis, RefusesEverythingElse) {
  for (const char* text : {"", "1", "1-0", "1-0:1.8", "1-0:1.8.", "1.8.0", "1-0:1.8.256",
                           "1-0:1.8.0*", "1-0:1.8.0*256", "1-0:1.8.0*255 ", " 1-0:1.8.0",
                           "1-0:1.8.0.255", "1-0:1.8.-1", "0001-0:1.8.0", "a-0:1.8.0"}) {
    const auto parsed = Obis::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Errc::malformed);
  }
}

TEST(Units, OfUsersAreTextsOfTheirOwn) {
  const auto bar = unit_of_user("bar");
  ASSERT_TRUE(bar);
  EXPECT_EQ(symbol(*bar), "bar");
  EXPECT_EQ(dimension(*bar), Dimension::none);
  EXPECT_EQ(*unit_of_user("bar"), *bar);
  EXPECT_NE(*unit_of_user("l/min"), *bar);
  EXPECT_EQ(*unit_of_user("kwh"), Unit::kWh) << "known ones keep their spelling";
  EXPECT_FALSE(unit_from("bar")) << "meters do not make units up";
  for (const char* text : {"", " bar", "bar ", "a\nb", "a text that is far too long for a unit"})
    EXPECT_FALSE(unit_of_user(text)) << text;
  int own = 0;
  for (int i = 0; i < 300; ++i)
    own += unit_of_user("u" + std::to_string(i)) ? 1 : 0;
  EXPECT_LE(own, 98) << "bounded";
  EXPECT_EQ(symbol(*bar), "bar");
  EXPECT_EQ(symbol(static_cast<Unit>(255)), "");
}

TEST(LineSettings, SurviveText) {
  for (const char* mode : {"8N1", "7E1", "8O2", "7N2", "8E1"}) {
    const auto line = LineSettings::parse(9600, mode);
    ASSERT_TRUE(line) << mode;
    EXPECT_EQ(line->text(), std::string("9600 ") + mode);
  }
  EXPECT_EQ(LineSettings::parse(300, "7e1")->parity, Parity::even);
  EXPECT_TRUE(LineSettings::parse(921600, "8N1"));
}

TEST(LineSettings, AreRefusedInWords) {
  for (const char* mode : {"", "8N", "8N3", "9N1", "8X1", "8N11", "N81"}) {
    const auto line = LineSettings::parse(9600, mode);
    ASSERT_FALSE(line) << mode;
    EXPECT_EQ(line.error().code(), Errc::invalid);
    EXPECT_NE(line.error().detail().find("8N1"), std::string::npos) << "an example helps";
  }
  EXPECT_FALSE(LineSettings::parse(299, "8N1"));
  EXPECT_FALSE(LineSettings::parse(921601, "8N1"));
  EXPECT_NE(LineSettings::parse(0, "8N1").error().detail().find("300 to 921600"),
            std::string::npos);
}
