// SPDX-License-Identifier: MIT
#include "protocol/p1/okosmero.hpp"
#include "protocol/p1/responder.hpp"
#include "unit/protocol/p1_support.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace p1_test;

constexpr std::string_view key = "00000000000000000000000000C0FFEE";
constexpr std::array<std::string_view, 10> countries = {"nl", "be", "lu", "at", "hu",
                                                        "se", "fi", "lt", "si", "pl"};

std::string pushed(std::initializer_list<Named> named, const MeterFace& shown = face(),
                   const Mischief& mischief = {}) {
  auto responder = p1::p1_protocol.responder(settings(named));
  if (!responder) return {};
  (*responder)->show(shown);
  (*responder)->misbehave(mischief);
  return to_text((*responder)->push());
}

TEST(P1Responder, WhatIsEncodedIsDecodedAgainInEveryCountry) {
  for (const std::string_view country : countries) {
    for (const std::string_view with_key : {std::string_view(), key}) {
      const auto found =
          with_key.empty()
              ? decode(pushed({{"country", country}}))
              : decode(pushed({{"country", country}, {"key", with_key}}), {{"key", key}});
      ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok}) << country;
      const Telegram& t = found[0].telegram;
      EXPECT_EQ(reading(t, "energy_import"), "8888.888") << country;
      EXPECT_EQ(reading(t, "energy_export"), "40.020") << country;
      EXPECT_EQ(reading(t, "power"), "69") << country;
      EXPECT_EQ(reading(t, "clock"), "2026-07-24T13:07:30Z") << country;
    }
  }
}

TEST(P1Responder, ShowsPhasesAndSubMeters) {
  const Telegram t = decode(pushed({{"country", "be"}}))[0].telegram;
  EXPECT_EQ(reading(t, "power_l2"), "-920");
  EXPECT_EQ(reading(t, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(t, "current_l3"), "3.10");
  EXPECT_EQ(reading(t, "energy_import_t2"), "7654.321");
  ASSERT_EQ(t.readings.size(), 3U);
  EXPECT_EQ(reading(t, "gas", t.readings[1].submeter), "246.138");
  EXPECT_EQ(reading(t, "water", t.readings[2].submeter), "872.234");
}

TEST(P1Responder, GrowsWithTheFaceAndNeverRepeatsACounter) {
  auto responder = p1::p1_protocol.responder(settings({{"key", key}}));
  ASSERT_TRUE(responder);
  std::string stream;
  MeterFace shown = face();
  for (int i = 0; i < 5; ++i) {
    shown.now += std::chrono::seconds(i % 2);
    shown.energy_import[0] = Decimal(1000 * (i + 1));
    (*responder)->show(shown);
    stream += to_text((*responder)->push());
  }
  const auto found = decode(stream, {{"key", key}});
  ASSERT_EQ(statuses(found), std::vector<Status>(5, Status::ok));
  EXPECT_EQ(reading(found[4].telegram, "energy_import"), "7659.321");
}

TEST(P1Responder, MisbehavesOnRequest) {
  Mischief wrong;
  wrong.wrong_key = true;
  EXPECT_EQ(decode(pushed({{"key", key}}, face(), wrong), {{"key", key}})[0].status,
            Status::authentication);
  Mischief foreign;
  foreign.foreign = true;
  const auto other = decode(pushed({{"country", "nl"}}, face(), foreign));
  EXPECT_NE(other[0].telegram.meter.serial,
            decode(pushed({{"country", "nl"}}))[0].telegram.meter.serial);
}

nlohmann::json okosmero(std::string_view stream) {
  const auto found = decode(stream);
  const auto document = p1::okosmero_json(found.at(0).telegram);
  return document ? nlohmann::json::parse(*document) : nlohmann::json();
}

TEST(P1Okosmero, WritesTheDocumentOfTheFirmware) {
  const auto document = okosmero(pushed({{"country", "hu"}}));
  EXPECT_EQ(document["MeterName"], "SAG5SAG-METER");
  EXPECT_EQ(document["MeterID"], "383930303030303030313233343531");
  EXPECT_EQ(document["Time"], "260724150730S");
  EXPECT_EQ(document["Tariff"], 2);
  EXPECT_EQ(document["MaxPower"], 90.0);
  EXPECT_EQ(document["ImportPower"], nlohmann::json({8888.888, 1234.567, 7654.321}));
  EXPECT_EQ(document["Current"], nlohmann::json({1, 0, 3}));
  EXPECT_EQ(document["CurrentImport"], 0.069);
  EXPECT_EQ(document["LastMonth"]["ImportPower"].size(), 3U);
  EXPECT_FALSE(document.contains("State"));
  EXPECT_FALSE(document.contains("Message"));
}

TEST(P1Okosmero, OneNumberStandsBareAndAMessageFollowsTheMonth) {
  const auto document = okosmero(
      telegram("AUX5X", {"0-0:96.50.68(ON)", "0-0:17.0.0(24000*W)", "1-0:1.8.0(1.000*kWh)",
                         "1-0:1.8.1(0.000*kWh)", "1-0:1.8.2(1.000*kWh)", "1-0:32.7.0(230.1*V)",
                         "1-0:31.7.0(001.9*A)", "0-0:96.13.0(\xFF\xFFHello\xFF\xFF)"}));
  EXPECT_EQ(document["State"], "ON");
  EXPECT_EQ(document["MaxPower"], 24.0);
  EXPECT_EQ(document["ImportPower"], 1.0);
  EXPECT_EQ(document["Voltage"], 230.1);
  EXPECT_EQ(document["Current"], 1);
  EXPECT_EQ(document["Message"], "Hello");
  Telegram other;
  other.protocol = "sml";
  EXPECT_FALSE(p1::okosmero_json(other));
}

}  // namespace
