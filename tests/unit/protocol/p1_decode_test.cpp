// SPDX-License-Identifier: MIT
#include "unit/protocol/p1_support.hpp"

#include <gtest/gtest.h>

namespace {

using namespace p1_test;

Telegram read(std::string_view header, std::initializer_list<std::string_view> lines,
              std::initializer_list<Named> named = {}) {
  auto found = decode(telegram(header, lines), named);
  if (found.size() != 1 || !found[0].ok()) {
    ADD_FAILURE() << "not accepted";
    return {};
  }
  return std::move(found[0].telegram);
}

std::string json(const Item* item) {
  Decoded decoded;
  if (item == nullptr) return "absent";
  decoded.telegram.items.push_back(*item);
  const std::string text = decoded_json(decoded);
  const std::size_t from = text.find("\"items\":[") + 9;
  return text.substr(from, text.find("],\"readings\"") - from);
}

TEST(P1Decode, ItemsAreTheLiteralDecode) {
  const Telegram t =
      read("SAG5SAG-METER",
           {"1-0:1.8.0(000173.640*kWh)", "0-0:96.14.0(0001)",
            "0-1:24.2.1(230724150000S)(00012.345*m3)", "0-0:98.1.0(230701000000S)(1*kWh)(2*kWh)",
            "1-0:13.7.0(-0.910)", "0-0:96.13.0()", "1-0:3.8.0(00000028.442*kVArh)"});
  EXPECT_EQ(json(t.find("1-0:1.8.0*255")),
            R"({"address":"1-0:1.8.0*255","value":173.640,"unit":"kWh"})");
  EXPECT_EQ(json(t.find("0-0:96.14.0*255")), R"({"address":"0-0:96.14.0*255","text":"0001"})");
  EXPECT_EQ(
      json(t.find("0-1:24.2.1*255")),
      R"({"address":"0-1:24.2.1*255","time":"2023-07-24T13:00:00Z","value":12.345,"unit":"m3"})");
  EXPECT_EQ(json(t.find("0-0:98.1.0*255")),
            R"({"address":"0-0:98.1.0*255","groups":["230701000000S","1*kWh","2*kWh"]})");
  EXPECT_EQ(json(t.find("1-0:13.7.0*255")), R"({"address":"1-0:13.7.0*255","value":-0.910})");
  EXPECT_EQ(json(t.find("0-0:96.13.0*255")), R"({"address":"0-0:96.13.0*255","text":""})");
  EXPECT_EQ(json(t.find("1-0:3.8.0*255")),
            R"({"address":"1-0:3.8.0*255","value":28.442,"unit":"kVArh"})");
  EXPECT_EQ(reading(t, "reactive_energy_import"), "28.442");
}

TEST(P1Decode, ABadLineNeverCostsTheTelegram) {
  const Telegram t = read(
      "ABC5X", {"1-0:1.8.0(000001.000*kWh)", "garbage", "1-0:2.8.0(1*kWh", "1-0:999.8.0(1*kWh)",
                "(orphan)extra", "1-0:1.7.0(x*kW)", "1-0:2.7.0(0.5*kW)"});
  EXPECT_EQ(reading(t, "energy_import"), "1.000");
  EXPECT_EQ(reading(t, "power_export"), "500");
  EXPECT_EQ(reading(t, "power_import"), "");
}

TEST(P1Decode, TheFirstOfRepeatedObjectsWins) {
  const Telegram t = read("EGM5G15", {"1-0:1.8.0(1.5*kWh)", "1-0:1.8.0(2.5*kWh)",
                                      "0-0:17.0.0(16500*W)", "0-0:17.0.0(0*W)", "0-0:17.0.0(1*W)"});
  EXPECT_EQ(reading(t, "energy_import"), "1.5");
  EXPECT_EQ(reading(t, "power_limit"), "16500");
  EXPECT_EQ(t.items.size(), 2U);
}

TEST(P1Decode, UnitsAreComparedWithoutCaseAndMissingOnesAreTheUsual) {
  const Telegram t =
      read("ABC5X", {"1-0:1.8.0(1000*WH)", "1-0:3.7.0(00.250)", "1-0:9.7.0(01.000*kva)",
                     "1-0:32.7.0(000238.20*V)", "1-0:2.8.0(007137.694*kWh )"});
  EXPECT_EQ(reading(t, "energy_import"), "1.000");
  EXPECT_EQ(reading(t, "reactive_power_import"), "250");
  EXPECT_EQ(reading(t, "apparent_power_import"), "1000");
  EXPECT_EQ(reading(t, "voltage_l1"), "238.20");
  EXPECT_EQ(reading(t, "energy_export"), "7137.694");
}

TEST(P1Decode, ReadsTheWasionOfHungary) {
  const Telegram t = read("WSE5Wasion--Meter---",
                          {"0-0:96.14.0(TARIFF 2)", "0-0:96.3.10(ON)", "0-0:17.0.0(24000*W)"});
  EXPECT_EQ(reading(t, "tariff"), "2");
  EXPECT_EQ(reading(t, "status"), "true");
  EXPECT_EQ(reading(t, "power_limit"), "24000");
  EXPECT_EQ(t.meter.manufacturer, "Wasion");
}

TEST(P1Decode, ReadsTheHolleyOfHungary) {
  const Telegram t =
      read("HLY5\\D545-METER",
           {"0-0:1.0.0(230724150730S)", "1-0:4.8.1(000303.131*kvarh)", "0-0:98.1.0",
            "0-0:1.0.0(230701000000S)", "(000040.777*kWh)(000008.950*kWh)", "0-0:96.3.10(0)"});
  EXPECT_EQ(reading(t, "reactive_energy_export"), "303.131");
  EXPECT_EQ(reading(t, "clock"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(reading(t, "status"), "false");
  const Item* list = t.find("0-0:98.1.0*255");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->groups,
            (std::vector<std::string>{"230701000000S", "000040.777*kWh", "000008.950*kWh"}));
}

TEST(P1Decode, AnAverageCurrentBesideAnAverageVoltageIsNoFuse) {
  const Telegram lithuania = read("ESO5X", {"1-0:32.24.0(0000.237*kV)", "1-0:31.4.0(0000.003*kA)",
                                            "1-0:51.4.0(2*A)", "1-0:14.7.0(0000.049*kHz)"});
  EXPECT_EQ(reading(lithuania, "frequency"), "49");
  EXPECT_EQ(reading(lithuania, "current_demand_l1"), "3");
  EXPECT_EQ(reading(lithuania, "current_demand_l2"), "2");
  EXPECT_EQ(reading(lithuania, "current_limit_l1"), "");
  const Telegram belgium = read("FLU5X", {"1-0:32.7.0(230.5*V)", "1-0:31.4.0(999*A)"});
  EXPECT_EQ(reading(belgium, "current_limit_l1"), "999");
}

TEST(P1Decode, ReadsDateAndTimeOfTheSlovenianAm550) {
  const auto found =
      decode(telegram_without_crc("ISK9\\2M550T-1013", {"0-0:0.9.2(240214)", "0-0:0.9.1(101855)",
                                                        "1-0:1.8.0(000001.000*kWh)"}));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(reading(found[0].telegram, "clock"), "2024-02-14T09:18:55Z");
  const auto bare =
      decode(telegram_without_crc("ISK9\\2M550T-1013", {"0.9.2(240714)", "0.9.1(101855)"}));
  EXPECT_EQ(reading(bare[0].telegram, "clock"), "2024-07-14T08:18:55Z");
}

TEST(P1Decode, HexTextIsDecodedOnlyWhenAllOfItIsPrintable) {
  EXPECT_EQ(read("SAG5X", {"0-0:96.1.0(383930303832)"}).meter.serial, "890082");
  EXPECT_EQ(read("AUX5X", {"0-0:96.1.0(9903218166)"}).meter.serial, "9903218166");
  EXPECT_EQ(read("LUX5X", {"0-0:42.0.0(53414731303330)"}).meter.serial, "SAG1030");
  EXPECT_EQ(reading(read("ISK5X", {"0-0:96.13.0(48656C6C6F)"}), "message"), "Hello");
}

TEST(P1Decode, APowerFactorOutsideOneIsNoReading) {
  const Telegram t =
      read("SAG5X", {"1-0:13.7.0(4.556)", "1-0:33.7.0(-1.000)", "1-0:53.7.0(-1.001)"});
  EXPECT_EQ(reading(t, "power_factor"), "");
  EXPECT_EQ(reading(t, "power_factor_l1"), "-1.000");
  EXPECT_EQ(reading(t, "power_factor_l2"), "");
  ASSERT_NE(t.find("1-0:13.7.0*255"), nullptr);
}

TEST(P1Decode, NetPowerIsTheDifferenceEvenWhenBothDirectionsFlow) {
  const Telegram t =
      read("AUX5X", {"1-0:1.7.0(00.250*kW)", "1-0:2.7.0(00.168*kW)", "1-0:21.7.0(00.000*kW)",
                     "1-0:22.7.0(00.319*kW)", "1-0:41.7.0(00.100*kW)"});
  EXPECT_EQ(reading(t, "power"), "82");
  EXPECT_EQ(reading(t, "power_l1"), "-319");
  EXPECT_EQ(reading(t, "power_l2"), "");
  EXPECT_EQ(
      reading(read("AUX5X", {"1-0:1.7.0(1*kW)", "1-0:2.7.0(0*kW)", "1-0:16.7.0(3*kW)"}), "power"),
      "3000");
}

TEST(P1Decode, TotalsThatAreNotSentAreTheExactSumOfTheTariffs) {
  const Telegram t = read("ISK5X", {"1-0:1.8.1(002130.115*kWh)", "1-0:1.8.2(000245.467*kWh)",
                                    "1-0:2.8.0(5.000*kWh)", "1-0:2.8.1(1.000*kWh)"});
  EXPECT_EQ(reading(t, "energy_import"), "2375.582");
  EXPECT_EQ(reading(t, "energy_export"), "5.000");
}

TEST(P1Decode, EveryEnergyRegisterIsAddedUp) {
  const Telegram t =
      read("ABC5X", {"1-0:3.8.1(1.1*kvarh)", "1-0:3.8.2(2.2*kvarh)", "1-0:5.8.1(1.25*kvarh)",
                     "1-0:5.8.2(1.25*kvarh)", "1-0:8.8.1(3*kvarh)", "1-0:8.8.2(4*kvarh)",
                     "1-0:9.8.1(10.001*kVAh)", "1-0:9.8.2(0.009*kVAh)", "1-0:15.8.1(7*kWh)",
                     "1-0:15.8.2(8*kWh)", "1-0:10.8.0(9*kVAh)", "1-0:10.8.1(1*kVAh)"});
  EXPECT_EQ(reading(t, "reactive_energy_import"), "3.3");
  EXPECT_EQ(reading(t, "reactive_energy_q1"), "2.50");
  EXPECT_EQ(reading(t, "reactive_energy_q4"), "7");
  EXPECT_EQ(reading(t, "apparent_energy_import"), "10.010");
  EXPECT_EQ(reading(t, "energy_total"), "15");
  EXPECT_EQ(reading(t, "apparent_energy_export"), "9");
}

TEST(P1Decode, TheFirstMessageThatIsNotEmptyIsTold) {
  EXPECT_EQ(reading(read("LUX5X", {"0-0:96.13.2()", "0-0:96.13.4(54776F)", "0-0:96.13.5(4E6F)",
                                   "0-0:96.13.0()"}),
                    "message"),
            "Two");
  EXPECT_EQ(reading(read("LUX5X", {"0-0:96.13.2(54776F)", "0-0:96.13.0(48656C6C6F)"}), "message"),
            "Hello");
  EXPECT_EQ(reading(read("LUX5X", {"0-0:96.13.1(3132)", "0-0:96.13.0()"}), "message"), "");
}

// Without a check sum a lost tariff would make the total fall.
TEST(P1Decode, NoSumIsMadeOfADamagedTelegram) {
  for (const std::string_view damaged : {"1-0:1.8.2(0002x5.467*kWh)",
                                         "1-0\x01"
                                         "1.8.2(000245.467*kWh)"}) {
    const auto found =
        decode(telegram_without_crc("ISK5X", {"1-0:1.8.1(002130.115*kWh)", damaged}));
    ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
    EXPECT_EQ(reading(found[0].telegram, "energy_import_t1"), "2130.115");
    EXPECT_EQ(reading(found[0].telegram, "energy_import"), "");
  }
}

TEST(P1Decode, PeaksAndDemandsHaveTheirKeys) {
  const Telegram t = read("FLU5X", {"1-0:1.4.0(02.351*kW)", "1-0:1.6.0(200509134558S)(02.589*kW)",
                                    "1-0:16.24.0(-0.100*kW)", "1-0:32.24.0(230.5*V)"});
  EXPECT_EQ(reading(t, "power_import_demand"), "2351");
  EXPECT_EQ(reading(t, "power_import_peak"), "2589");
  EXPECT_EQ(reading(t, "power_demand"), "-100");
  EXPECT_EQ(reading(t, "voltage_demand_l1"), "230.5");
  const Reading* peak = t.readings[0].find(*ReadingKey::parse("power_import_peak"));
  ASSERT_NE(peak, nullptr);
  ASSERT_TRUE(peak->time);
  EXPECT_EQ(iso_utc(*peak->time), "2020-05-09T11:45:58Z");
}

TEST(P26, SubMetersAreKnownByTypeAndSerialNotByChannel) {
  const std::initializer_list<std::string_view> one = {
      "0-1:24.1.0(003)", "0-1:96.1.0(4730303339303031)", "0-1:24.2.1(200426223001S)(00246.138*m3)"};
  const std::initializer_list<std::string_view> four = {
      "0-4:24.1.0(003)", "0-4:96.1.0(4730303339303031)", "0-4:24.2.1(200426223001S)(00246.138*m3)"};
  for (const auto& lines : {one, four}) {
    const Telegram t = read("ISK5X", lines);
    ASSERT_EQ(t.readings.size(), 2U);
    EXPECT_EQ(t.readings[1].submeter, "gas_4730303339303031");
    EXPECT_EQ(t.readings[1].identity.serial, "G0039001");
    EXPECT_EQ(reading(t, "gas", "gas_4730303339303031"), "246.138");
    ASSERT_TRUE(t.readings[1].time);
    EXPECT_EQ(iso_utc(*t.readings[1].time), "2020-04-26T20:30:01Z");
  }
}

TEST(P26, TwoOfOneTypeAreTwoDevicesAndBelgianWaterIsNoGas) {
  const Telegram t = read(
      "FLU5X",
      {"0-1:24.1.0(003)", "0-1:96.1.1(37464C4F)", "0-1:24.2.3(200512134558S)(00112.384*m3)",
       "0-2:24.1.0(007)", "0-2:96.1.1(38534147)", "0-2:24.2.1(200512134558S)(00872.234*m3)",
       "0-3:24.1.0(003)", "0-3:96.1.1(37464C50)", "0-3:24.2.3(200512134558S)(00001.000*m3)",
       "0-4:24.1.0(012)", "0-4:96.1.0(621848012D2C0B0C)", "0-4:24.2.1(200512134558S)(2.5*GJ)"});
  ASSERT_EQ(t.readings.size(), 5U);
  EXPECT_EQ(reading(t, "gas", "gas_37464C4F"), "112.384");
  EXPECT_EQ(reading(t, "water", "water_38534147"), "872.234");
  EXPECT_EQ(reading(t, "gas", "gas_37464C50"), "1.000");
  EXPECT_EQ(reading(t, "heat", "heat_621848012D2C0B0C"), "2.5");
}

TEST(P26, ADeadChannelGivesNothing) {
  for (const auto& lines : std::initializer_list<std::initializer_list<std::string_view>>{
           {"0-1:24.1.0(003)", "0-1:96.1.0()", "0-1:24.2.1(200426223001S)(00246.138*m3)"},
           {"0-1:24.1.0(003)", "0-1:96.1.0(47303033)", "0-1:24.2.1(700101010000W)(00246.138*m3)"},
           {"0-1:24.1.0(003)", "0-1:96.1.0(47303033)", "0-1:24.2.1(200426223001S)(00000000)"},
           {"0-1:24.1.0(003)", "0-1:96.1.0(47303033)", "0-1:24.2.1(632525252525S)(00000.000*m3)"},
           {"0-1:24.1.0(003)", "0-1:96.1.0(20202020)", "0-1:24.2.1(200426223001S)(00246.138*m3)"},
           {"0-1:24.1.0(099)", "0-1:96.1.0(47303033)",
            "0-1:24.2.1(200426223001S)(00246.138*m3)"}}) {
    EXPECT_EQ(read("ISK5X", lines).readings.size(), 1U) << *(lines.end() - 1);
  }
}

TEST(P26, TheOldLayoutHasItsValueOnALineOfItsOwn) {
  const auto found = decode(telegram_without_crc(
      "KMP5 ZABF001587315111",
      {"0-2:24.1.0(3)", "0-2:96.1.0(32383130)",
       "0-2:24.3.0(211122210000)(00)(60)(1)(0-2:24.2.1)(m3)", "(13368.864)", "0-2:24.4.0(1)"}));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(reading(found[0].telegram, "gas", "gas_32383130"), "13368.864");
  EXPECT_EQ(iso_utc(*found[0].telegram.readings[1].time), "2021-11-22T20:00:00Z");
}

TEST(P26, BlanksBetweenGroupsAndRemarksBehindThemCostNothing) {
  const auto found = decode(telegram_without_crc(
      "ISk5\\2MT382-1003",
      {"1-0:1.8.1(00331.476*kWh)\t-> low", "1-0:2.8.1(1*kWh)1-0:2.8.2(2*kWh)", "0-2:24.1.0(3)",
       "0-2:96.1.0(32383130)", "0-2:24.3.0(140115170000)(00)(60)(1)(0-2:24.2.1)(m3) (01107.089)"}));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(reading(found[0].telegram, "energy_import_t1"), "331.476");
  EXPECT_EQ(reading(found[0].telegram, "gas", "gas_32383130"), "1107.089");
  EXPECT_EQ(found[0].telegram.find("1-0:2.8.1*255"), nullptr);  // two lines that ran together
}

TEST(P27, TariffsAreNumberedAndNeverCalledHighOrLow) {
  for (const std::string_view header : {"ISK5\\2M550T-1012", "FLU5\\251234567_A"}) {
    const Telegram t = read(header, {"1-0:1.8.1(1*kWh)", "1-0:1.8.2(2*kWh)"});
    EXPECT_EQ(reading(t, "energy_import_t1"), "1");
    EXPECT_EQ(reading(t, "energy_import_t2"), "2");
    const std::string told = lower(telegram_json(t));
    for (const std::string_view word : {"low", "high", "normal", "night", "day"}) {
      EXPECT_EQ(told.find(word), std::string::npos) << word;
    }
  }
}

std::string clock_of(std::string_view header, std::string_view stamp,
                     std::initializer_list<Named> named = {}) {
  const std::string line = "0-0:1.0.0(" + std::string(stamp) + ")";
  return reading(read(header, {line, "1-0:1.8.0(1*kWh)"}, named), "clock");
}

TEST(P28, TheSeasonLetterDecidesAlsoInTheDoubledHour) {
  EXPECT_EQ(clock_of("SAG5X", "231029023000S"), "2023-10-29T00:30:00Z");
  EXPECT_EQ(clock_of("SAG5X", "231029023000W"), "2023-10-29T01:30:00Z");
  EXPECT_EQ(clock_of("LGF5E360", "220730120000W"),
            "2022-07-30T11:00:00Z");  // Sweden stays on normal time
}

TEST(P28, TheCountryDecidesTheOffset) {
  EXPECT_EQ(clock_of("ESO5\\VMMmm", "240214101855W"), "2024-02-14T08:18:55Z");
  EXPECT_EQ(clock_of("ADN9 7534", "221219170900W"), "2022-12-19T15:09:00Z");
  EXPECT_EQ(clock_of("ADN9 7534", "221219170900W", {{"country", "se"}}), "2022-12-19T16:09:00Z");
  EXPECT_EQ(clock_of("KAM5", "231221124233W", {{"country", "fi"}}), "2023-12-21T10:42:33Z");
}

TEST(P29, AnImpossibleStampCostsItsItemOnly) {
  for (const std::string_view stamp :
       {"632525252525W", "230230120000W", "230724150730T", "000000000000W", ""}) {
    EXPECT_EQ(clock_of("SAG5X", stamp), "") << stamp;
  }
  const Telegram t = read("FLU5X", {"1-0:1.6.0(632525252525W)(00.000*kW)", "1-0:1.8.0(1*kWh)"});
  EXPECT_EQ(t.find("1-0:1.6.0*255"), nullptr);
  EXPECT_EQ(reading(t, "energy_import"), "1");
}

TEST(P29, AClockThatWasNeverSetCostsNothing) {
  const Telegram t = read("SAG5X", {"0-0:1.0.0(700101010000W)", "1-0:1.8.0(1*kWh)"});
  EXPECT_EQ(reading(t, "energy_import"), "1");
  EXPECT_EQ(reading(t, "clock"), "1970-01-01T00:00:00Z");
}

}  // namespace
