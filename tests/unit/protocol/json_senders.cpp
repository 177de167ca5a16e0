// SPDX-License-Identifier: MIT
// Documents of programs that read many meters: wmbusmeters and rtl_433.
#include "json_listener.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {
namespace {

using namespace listener;

struct Case {
  std::string_view document;
  Lines expected;
};

TEST(JsonWmbusmeters, EveryMediumHasItsReadingsAndOldValuesAreNone) {
  const std::vector<Case> cases = {
      {R"({"media":"water","meter":"multical21","name":"Tap","id":"12345678","total_m3":6.408,)"
       R"("target_m3":6.4,"max_flow_m3h":0,"volume_flow_m3h":0.012,"flow_temperature_c":8,)"
       R"("current_status":"DRY","timestamp":"2026-11-20T18:30:00Z","rssi_dbm":-71,"device":"x"})",
       {"water_12345678 water=6.408 m³", "water_12345678 flow=0.012 m³/h",
        "water_12345678 temperature_flow=8 °C", "water_12345678 status=DRY"}},
      {R"({"_":"telegram","media":"cold water","meter":"x","id":"00ab12cd","total_l":12345,"max_l":1})",
       {"water_00ab12cd water=12.345 m³"}},
      {R"({"media":"heat","meter":"kamheat","name":"H","id":"1","total_energy_consumption_kwh":593,)"
       R"("total_volume_m3":53.16,"volume_flow_lh":101,"power_kw":1.9,"t1_temperature_c":61.5,)"
       R"("t2_temperature_c":40.25,"target_energy_kwh":500,"status":"OK"})",
       {"heat_1 heat=593 kWh", "heat_1 volume=53.16 m³", "heat_1 flow=0.101 m³/h",
        "heat_1 power=1900 W", "heat_1 temperature_flow=61.5 °C",
        "heat_1 temperature_return=40.25 °C", "heat_1 status=OK"}},
      {R"({"media":"heat/cooling load","meter":"m","id":"2","total_gj":3.25,"total_m3":7})",
       {"heat_2 heat=3.25 GJ", "heat_2 volume=7 m³"}},
      {R"({"media":"electricity","meter":"amiplus","id":"3","total_energy_consumption_kwh":15.171,)"
       R"("total_energy_consumption_tariff_1_kwh":10,"total_energy_production_kwh":0.5,)"
       R"("current_power_consumption_kw":1.25,"current_power_production_kw":0.25,)"
       R"("voltage_at_phase_1_v":236,"voltage_at_phase_3_v":null,"total_energy_consumption_at_history_1_kwh":9})",
       {"electricity_3 energy_import=15.171 kWh", "electricity_3 energy_import_t1=10 kWh",
        "electricity_3 energy_export=0.5 kWh", "electricity_3 power_import=1250 W",
        "electricity_3 power_export=250 W", "electricity_3 voltage_l1=236 V",
        "electricity_3 power=1000 W"}},
      {R"({"media":"gas","meter":"m","id":"4","total_m3":1e2})", {"gas_4 gas=100 m³"}},
      {R"({"media":"heat cost allocation","meter":"fhkv","id":"5","current_consumption_hca":131,)"
       R"("previous_consumption_hca":1234,"temp_room_c":20.5})",
       {"allocator_5 value_1=131", "allocator_5 temperature=20.5 °C"}},
      {R"({"_":"telegram","difference_c":0.56,"flow_water_m3h":0.1,"forward_c":24,"id":"8","media":"heat",)"
       R"("meter":"sensostar","return_c":23,"target_kwh":8608,"total_kwh":8608.25,"total_water_m3":841.6})",
       {"heat_8 flow=0.1 m³/h", "heat_8 temperature_flow=24 °C", "heat_8 temperature_return=23 °C",
        "heat_8 heat=8608.25 kWh", "heat_8 volume=841.6 m³"}},
      {R"({"media":"heat","meter":"ultraheat","id":"9","heat_kwh":8974.444444,"flow_m3h":0.808,"flow_c":52})",
       {"heat_9 heat=8974.444444 kWh", "heat_9 flow=0.808 m³/h", "heat_9 temperature_flow=52 °C"}},
      {R"({"media":"electricity","meter":"esyswm","id":"10","current_power_consumption_phase2_kw":0.02565,)"
       R"("total_energy_consumption_tariff2_kwh":0.21,"total_tariff1_at_date_m3":0})",
       {"electricity_10 power_import_l2=25.65 W", "electricity_10 energy_import_t2=0.21 kWh"}},
      {R"({"media":"other","meter":"lansenpu","id":"11","status":"OK","a_counter":4711,"b_counter":1})",
       {"other_11 counter_1=4711", "other_11 counter_2=1", "other_11 status=OK"}},
      // 127 is no temperature, in meters that say so of a sensor that is not there.
      {R"({"media":"cold water","meter":"multical21","id":"12","flow_temperature_c":127,"external_temperature_c":19})",
       {"water_12 temperature=19 °C"}},
      {R"({"media":"heat","meter":"kamheat","id":"13","flow_temperature_c":127})",
       {"heat_13 temperature_flow=127 °C"}},
      {R"({"media":"room sensor","meter":"m","id":"6","current_temperature_c":21.8})",
       {"sensor_6 temperature=21.8 °C"}},
      {R"({"media":"water","meter":"m","id":"7","total_m3":null,"note_m3":"x"})", {}},
  };
  for (const Case& each : cases)
    EXPECT_EQ(decoded_lines(each.document, set(everybody)), each.expected) << each.document;
}

TEST(JsonWmbusmeters, IdentityTimeAndItemsComeAlong) {
  const auto found = json_protocol.decode(
      to_bytes(R"({"media":"water","meter":"iperl","name":"Cellar \u0007","id":"33225544",)"
               R"("total_m3":123.529,"unknown_thing":5,"timestamp":"2024-03-03T18:37:00Z"})"),
      set(everybody));
  ASSERT_EQ(found.size(), 1U);
  const Telegram& telegram = found[0].telegram;
  ASSERT_EQ(telegram.readings.size(), 2U);
  EXPECT_TRUE(telegram.readings[0].submeter.empty());
  EXPECT_EQ(telegram.readings[1].identity.serial, "33225544");
  EXPECT_EQ(telegram.readings[1].identity.model, "Cellar (iperl)");
  ASSERT_TRUE(telegram.time);
  EXPECT_EQ(iso_utc(*telegram.time), "2024-03-03T18:37:00Z");
  EXPECT_EQ(telegram.readings[1].time, telegram.time);
  ASSERT_NE(telegram.find("/unknown_thing"), nullptr);
  EXPECT_EQ(telegram.find("/unknown_thing")->value, Decimal(5));
}

TEST(JsonWmbusmeters, WhatIsNoDocumentOfItIsToldInWords) {
  const auto first = [](std::string_view text) {
    const Lines lines = decoded_lines(text, set(everybody));
    return lines.empty() ? std::string() : lines.front();
  };
  EXPECT_NE(first(R"({"id":"1","total_m3":5})").find("no id and media"), std::string::npos);
  EXPECT_NE(first(R"({"media":"water","id":"../x","total_m3":5})").find("which is none"),
            std::string::npos);
  EXPECT_NE(first(R"({"media":"water","id":"1","id":"2"})").find("!"), std::string::npos);
  EXPECT_NE(first(R"({"media":"water","id":"1")").find("missing"), std::string::npos);
}

TEST(JsonRoster, OnlyListedMetersAreTakenAndOthersAreToldUntilOneOfThemCame) {
  Listener listener(set({{"sender", "wmbusmeters"}, {"ids", "0077, AB12"}}));
  const Lines stranger = listener.hear("wmbusmeters/x", water("99"));
  ASSERT_EQ(stranger.size(), 1U);
  EXPECT_NE(stranger[0].find("not among `ids`; heard: water 99"), std::string::npos);
  EXPECT_EQ(listener.hear("wmbusmeters/a", water("00000077")),
            Lines{"water_00000077 water=1.5 m³"});
  EXPECT_EQ(listener.hear("wmbusmeters/b", water("ab12")), Lines{"water_ab12 water=1.5 m³"});
  EXPECT_TRUE(listener.hear("wmbusmeters/x", water("99")).empty());
  // What is broken is told nevertheless.
  EXPECT_EQ(listener.hear("wmbusmeters/x", "{").size(), 1U);
}

TEST(JsonRoster, OfAllThereIsALimitThatARestartDoesNotMove) {
  const auto values = set({{"sender", "wmbusmeters"}, {"ids", "all"}, {"most_meters", "3"}});
  Listener listener(values);
  for (int id = 1; id <= 300; ++id) {
    const Lines lines = listener.hear("wmbusmeters/x", water(std::to_string(id)));
    EXPECT_EQ(lines.size(), id <= 3 ? 1U : 0U) << id;
  }
  listener.hear("wmbusmeters/x", water("2"));
  EXPECT_NE(listener.driver->remark().find("most_meters (3)"), std::string::npos);
  EXPECT_NE(listener.driver->remark().find("water 4"), std::string::npos);
  EXPECT_LT(listener.driver->remark().size(), 300U);
  EXPECT_EQ(listener.memory(), "water_1 water_2 water_3");
  Listener again(values);
  again.remember(listener.memory() + " water_../etc nonsense _ water_");
  EXPECT_NE(again.hear("wmbusmeters/x", water("4")).front().find("most_meters"), std::string::npos);
  EXPECT_EQ(again.hear("wmbusmeters/x", water("3")).size(), 1U);
  EXPECT_EQ(again.memory(), "water_1 water_2 water_3");
}

TEST(JsonRoster, SettingsThatDoNothingAreRefused) {
  const auto why = [](const Words& words) {
    const auto made = json_protocol.driver(set(words));
    return made ? std::string() : made.error().detail();
  };
  EXPECT_EQ(why(everybody), "");
  EXPECT_NE(why({{"ids", "1"}}).find("sender"), std::string::npos);
  EXPECT_NE(why({{"counts_in", "Wh"}}).find("vzlogger"), std::string::npos);
  EXPECT_NE(why({{"sender", "vzlogger"}, {"ids", "1"}}).find("ids"), std::string::npos);
  EXPECT_NE(why({{"sender", "rtl_433"}, {"root", "/x"}}).find("root"), std::string::npos);
  EXPECT_NE(why({{"sender", "rtl_433"}, {"payload", "plain"}}).find("payload"), std::string::npos);
  EXPECT_NE(why({{"root", "SML"}}).find("root"), std::string::npos);
  EXPECT_EQ(why({{"sender", "rtl_433"}, {"ids", "68211547, 00ab12cd"}}), "");
  EXPECT_NE(why({{"sender", "rtl_433"}, {"ids", "1, 23 45"}}).find("\"23 45\""), std::string::npos);
}

TEST(JsonRtl433, MetersAreReadByATableAndOthersAreToldToBeNone) {
  const auto values = set({{"sender", "rtl_433"}, {"ids", "all"}});
  const std::vector<Case> cases = {
      {R"({"time":"2026-11-20 18:30:00","model":"SCMplus","id":68211547,"EndpointID":68211547,)"
       R"("Consumption":6883,"MeterType":"Gas","mic":"CRC"})",
       {"ert_68211547 counter_1=6883"}},
      {R"({"model":"ERT-SCM","id":1,"ert_type":7,"consumption_data":42})", {"ert_1 counter_1=42"}},
      {R"({"model":"IDM","ERTSerialNumber":2,"LastConsumptionCount":7,)"
       R"("DifferentialConsumptionIntervals":[1,2,3]})",
       {"ert_2 counter_1=7"}},
      {R"({"model":"NETIDM","ERTSerialNumber":3,"LastGenerationCount":8,"LastConsumptionCount":9})",
       {"ert_3 value_1=9", "ert_3 counter_2=8"}},
      {R"({"model":"Neptune-R900","id":4,"consumption":10,"leak":0})", {"water_4 counter_1=10"}},
      {R"({"model":"Badger-ORION","id":5,"volume_gal":100})", {"water_5 water=0.378541178400 m³"}},
      {R"({"model":"ApatorMetra-ERM30","id":"000000006","volume_m3":170.432})",
       {"water_000000006 water=170.432 m³"}},
      {R"({"model":"Revolt-NC5462","id":7,"voltage_V":230,"current_A":0.52,"frequency_Hz":50,)"
       R"("power_W":101.4,"energy_kWh":12.34})",
       {"electricity_7 voltage=230 V", "electricity_7 current=0.52 A",
        "electricity_7 frequency=50 Hz", "electricity_7 power=101.4 W",
        "electricity_7 energy_import=12.34 kWh"}},
      {R"({"model":"Wireless-MBus","M":"BMT","id":3534159,"type":"0x07","inst_volume_0":"23.932 m3",)"
       R"("inst_volume_m1_0":"20.000 m3","max_volume_flow_h_0":"1.000 m3/h"})",
       {"water_03534159 water=23.932 m³"}},
      {R"({"model":"Wireless-MBus","id":8,"type":"0x04","inst_energy_wh_0":"1234.000 kWh",)"
       R"("inst_volume_0":"1500.000 mm3","inst_energy_j_0":"1.000 MJ"})",
       {"heat_00000008 heat=1234.000 kWh", "heat_00000008 volume=1.500000 m³"}},
  };
  for (const Case& each : cases)
    EXPECT_EQ(decoded_lines(each.document, values), each.expected) << each.document;
  const Lines other =
      decoded_lines(R"({"model":"Acurite-Tower","id":9,"temperature_C":20})", values);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_NE(other[0].find("\"Acurite-Tower\", which is no meter"), std::string::npos);
  Listener listener(values);
  listener.hear("rtl_433/h/events",
                R"({"model":"Wireless-MBus","id":1,"type":"0x07","payload_encrypted":"1"})");
  EXPECT_NE(listener.driver->remark().find("encrypted"), std::string::npos);
}

TEST(JsonRtl433, WhatStandsTwiceIsLeftOutAndFieldsMayBeForOneMeter) {
  const auto values =
      set({{"sender", "rtl_433"}, {"ids", "8, 9"}},
          {{{"pointer", "/Consumption"}, {"key", "gas"}, {"unit", "m3"}, {"id", "008"}},
           {{"pointer", "/Consumption"},
            {"key", "energy_import"},
            {"unit", "kWh"},
            {"scale", "0.01"},
            {"id", "9"}}});
  EXPECT_EQ(
      decoded_lines(
          R"({"model":"Wireless-MBus","id":8,"type":"0x04","unknown":"none","unknown":"none",)"
          R"("inst_energy_wh_0":"1.0 kWh","inst_energy_wh_0":"2.0 kWh","inst_volume_0":"3.0 m3"})",
          values),
      Lines{"heat_00000008 volume=3.0 m³"});
  EXPECT_EQ(decoded_lines(R"({"model":"SCMplus","id":8,"Consumption":5})", values),
            (Lines{"ert_8 gas=5 m³", "ert_8 counter_1=5"}));
  EXPECT_EQ(decoded_lines(R"({"model":"SCMplus","id":9,"Consumption":5})", values),
            (Lines{"ert_9 energy_import=0.05 kWh", "ert_9 counter_1=5"}));
  SettingValues alone = values;
  alone.set("sender", std::string("fields"));
  EXPECT_EQ(field_table().check(alone).size(), 2U);
}

TEST(JsonRtl433, WithoutNumbersItTellsWhoseAreHeard) {
  Listener listener(set({{"sender", "rtl_433"}}));
  listener.hear("rtl_433/h/events", R"({"model":"ERT-SCM","id":1,"consumption_data":1})");
  const Lines told =
      listener.hear("rtl_433/h/events", R"({"model":"ERT-SCM","id":2,"consumption_data":1})");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("name yours under `ids`; heard: ert 1, ert 2"), std::string::npos);
}

TEST(JsonRtl433, ValuesOnTheirTopicsAndFieldsOfTheUserCount) {
  Listener listener(set(
      {{"sender", "rtl_433"}, {"ids", "68211547"}},
      {{{"pointer", "/Consumption"}, {"key", "gas"}, {"unit", "m3"}, {"scale", "0.0283168466"}}}));
  const std::string base = "rtl_433/radio/devices/SCMplus/68211547/";
  EXPECT_TRUE(listener.hear(base + "id", "68211547").empty());
  EXPECT_TRUE(listener.hear(base + "time", "2026-11-20 18:30:00").empty());
  EXPECT_EQ(listener.hear(base + "Consumption", "100"),
            (Lines{"ert_68211547 gas=2.8316846600 m³", "ert_68211547 counter_1=100"}));
  EXPECT_TRUE(listener.hear("rtl_433/radio/devices/SCMplus/1/Consumption", "5").empty());
  EXPECT_TRUE(listener.hear("rtl_433/radio/devices/Acurite-Tower/A/9/temperature_C", "5").empty());
  EXPECT_TRUE(listener.hear("rtl_433/radio/LWT", "offline").empty());
}

}  // namespace
}  // namespace meterbridge::protocol::json
