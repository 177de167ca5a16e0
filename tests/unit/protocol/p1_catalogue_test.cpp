// SPDX-License-Identifier: MIT
#include "protocol/obis_catalogue.hpp"
#include "unit/protocol/p1_support.hpp"

#include <gtest/gtest.h>

namespace {

using namespace p1_test;

std::string key_of(std::string_view code) {
  const auto parsed = Obis::parse(code);
  if (!parsed) return "no code";
  const auto meaning = meaning_of(*parsed);
  return meaning ? meaning->key.text() : std::string("-");
}

TEST(ObisCatalogue, NamesTheObjectsOfElectricityMeters) {
  const std::vector<std::pair<std::string_view, std::string_view>> expected = {
      {"1-0:1.8.0", "energy_import"},
      {"1-0:1.8.4", "energy_import_t4"},
      {"1-0:2.8.2", "energy_export_t2"},
      {"1-0:3.8.0", "reactive_energy_import"},
      {"1-0:4.8.0", "reactive_energy_export"},
      {"1-0:8.8.0", "reactive_energy_q4"},
      {"1-0:15.8.0", "energy_total"},
      {"1-0:16.8.0", "energy_net"},
      {"1-0:1.7.0", "power_import"},
      {"1-0:2.7.0", "power_export"},
      {"1-0:16.7.0", "power"},
      {"1-0:3.7.0", "reactive_power_import"},
      {"1-0:5.7.0", "reactive_power_q1"},
      {"1-0:9.7.0", "apparent_power_import"},
      {"1-0:10.7.0", "apparent_power_export"},
      {"1-0:21.7.0", "power_import_l1"},
      {"1-0:42.7.0", "power_export_l2"},
      {"1-0:63.7.0", "reactive_power_import_l3"},
      {"1-0:64.7.0", "reactive_power_export_l3"},
      {"1-0:29.7.0", "apparent_power_import_l1"},
      {"1-0:70.7.0", "apparent_power_export_l3"},
      {"1-0:36.7.0", "power_l1"},
      {"1-0:12.7.0", "voltage"},
      {"1-0:52.7.0", "voltage_l2"},
      {"1-0:11.7.0", "current"},
      {"1-0:71.7.0", "current_l3"},
      {"1-0:91.7.0", "current_n"},
      {"1-0:13.7.0", "power_factor"},
      {"1-0:73.7.0", "power_factor_l3"},
      {"1-0:14.7.0", "frequency"},
      {"1-0:1.4.0", "power_import_demand"},
      {"1-0:2.4.0", "power_export_demand"},
      {"1-0:1.24.0", "power_import_demand"},
      {"1-0:16.24.0", "power_demand"},
      {"1-0:72.24.0", "voltage_demand_l3"},
      {"1-0:1.6.0", "power_import_peak"},
      {"1-0:2.6.0", "power_export_peak"},
      {"0-0:96.14.0", "tariff"},
      {"0-0:17.0.0", "power_limit"},
      {"1-0:31.4.0", "current_limit_l1"},
      {"0-0:96.3.10", "status"},
      {"0-0:96.50.68", "status"},
      {"0-0:96.1.1", "serial"},
      {"0-0:96.1.0", "serial"},
      {"0-0:42.0.0", "serial"},
      {"0-0:96.13.0", "message"},
      {"0-0:1.0.0", "clock"},
      {"1-0:0.2.0", "firmware"},
      {"1-0:81.7.4", "phase_angle_l1"}};
  for (const auto& [code, key] : expected) {
    EXPECT_EQ(key_of(code), key) << code;
  }
}

TEST(ObisCatalogue, LeavesTheRestAlone) {
  for (const std::string_view code :
       {"0-0:98.1.0", "1-0:99.97.0", "0-1:24.2.1", "1-0:1.8.0*01", "1-0:1.8.63", "1-1:31.4.0",
        "0-1:96.3.10", "0-0:96.7.21", "1-0:32.32.0", "1-3:0.2.8", "0-0:96.1.4", "1-0:15.7.0"}) {
    EXPECT_EQ(key_of(code), "-") << code;
  }
}

TEST(ObisCatalogue, EveryKeyIsOneOfTheGrammar) {
  for (int c = 0; c < 256; ++c) {
    for (int d = 0; d < 40; ++d) {
      for (int e = 0; e < 30; ++e) {
        const auto meaning =
            meaning_of(Obis(1, 0, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(d),
                            static_cast<std::uint8_t>(e)));
        if (!meaning) continue;
        const auto parsed = ReadingKey::parse(meaning->key.text());
        ASSERT_TRUE(parsed) << meaning->key.text();
        EXPECT_EQ(*parsed, meaning->key);
        if (meaning->form == ObisForm::number) {
          EXPECT_EQ(dimension(meaning->usual), dimension(canonical_unit(meaning->key.quantity)))
              << meaning->key.text();
        }
      }
    }
  }
}

TEST(ObisCatalogue, TheUnitOfTheLimiterDecidesItsKey) {
  EXPECT_EQ(limit_key(Unit::kW)->text(), "power_limit");
  EXPECT_EQ(limit_key(Unit::kVA)->text(), "apparent_power_limit");
  EXPECT_EQ(limit_key(Unit::A)->text(), "current_limit");
  EXPECT_FALSE(limit_key(Unit::none));
}

TEST(ObisCatalogue, KnowsNumbersThatComeWithoutUnit) {
  for (const std::string_view code :
       {"1-0:13.7.0", "0-0:96.7.21", "1-0:32.36.0", "0-0:17.0.0", "1-0:1.8.0"}) {
    EXPECT_TRUE(is_number(*Obis::parse(code))) << code;
  }
  for (const std::string_view code :
       {"0-0:96.14.0", "1-3:0.2.8", "0-0:96.1.0", "0-0:1.0.0", "0-1:24.2.1"}) {
    EXPECT_FALSE(is_number(*Obis::parse(code))) << code;
  }
}

TEST(TelegramJson, IsTheObjectOfTheContract) {
  const auto found =
      decode(telegram("SAG5SAG-METER",
                      {"0-0:1.0.0(230724150730S)", "1-0:1.8.0(000173.640*kWh)", "0-1:24.1.0(003)",
                       "0-1:96.1.0(4730303339303031)", "0-1:24.2.1(230724150000S)(00012.345*m3)"}) +
             "/AB");
  ASSERT_EQ(found.size(), 1U);
  const std::string object = decoded_json(found[0]);
  EXPECT_EQ(
      object.substr(0, object.find(R"(,"items")")),
      R"({"protocol":"p1","offset":0,"length":)" + std::to_string(found[0].length) +
          R"(,"status":"ok","meter":{"manufacturer":"Sagemcom","model":"SAG-METER"},"time":"2023-07-24T13:07:30Z")");
  EXPECT_NE(object.find(R"("readings":[{"key":"energy_import","value":173.640,"unit":"kWh"},)"),
            std::string::npos);
  EXPECT_NE(
      object.find(R"({"meter":"gas_4730303339303031","key":"gas","value":12.345,"unit":"m³"}]})"),
      std::string::npos);
  const std::string whole = telegram_json(found[0].telegram);
  EXPECT_EQ(whole.find("offset"), std::string::npos);
  EXPECT_EQ(whole.substr(whole.find(R"("meter")")), object.substr(object.find(R"("meter")")));
  Decoded broken;
  broken.offset = 1423;
  broken.length = 711;
  broken.status = Status::checksum;
  broken.error = "CRC is 99DA, the telegram says 1234";
  broken.telegram.protocol = "p1";
  EXPECT_EQ(
      decoded_json(broken),
      R"({"protocol":"p1","offset":1423,"length":711,"status":"checksum","error":"CRC is 99DA, the telegram says 1234"})");
}

TEST(TelegramJson, EveryStatusHasItsNameAndKind) {
  for (const Status status :
       {Status::truncated, Status::malformed, Status::checksum, Status::key, Status::authentication,
        Status::replay, Status::unsupported, Status::exception, Status::mismatch}) {
    EXPECT_EQ(name(status), name(errc_of(status)));
  }
  EXPECT_EQ(name(Status::ok), "ok");
}

}  // namespace
