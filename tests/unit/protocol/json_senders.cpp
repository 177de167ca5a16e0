// SPDX-License-Identifier: MIT
// Documents of programs that read meters themselves: wmbusmeters, rtl_433, vzlogger; and the lists
// of Tasmota.
#include "core/text.hpp"
#include "protocol/json/driver.hpp"
#include "protocol/json/gather.hpp"
#include "protocol/json/json.hpp"
#include "protocol/json/responder.hpp"

#include <algorithm>
#include <random>
#include <variant>

#include <gtest/gtest.h>

namespace meterbridge::protocol::json {
namespace {

using Words = std::vector<std::pair<std::string_view, std::string_view>>;

SettingValues set(const Words& words, const std::vector<Words>& fields = {}) {
  SettingValues values = default_settings(json_protocol.settings);
  const auto put = [](std::span<const SettingSpec> specs, SettingValues& into, const Words& given) {
    for (const auto& [name, text] : given) {
      const auto spec = std::ranges::find(specs, name, &SettingSpec::name);
      ASSERT_NE(spec, specs.end()) << name;
      auto value = parse_setting(*spec, text);
      ASSERT_TRUE(value) << value.error().detail();
      into.set(name, *value);
    }
  };
  put(json_protocol.settings, values, words);
  std::vector<SettingValues> rows;
  for (const Words& field : fields)
    put(field_table().columns, rows.emplace_back(), field);
  values.add_rows(field_table(), rows);
  EXPECT_TRUE(field_table().check(values).empty());
  return values;
}

// "water_12345678 water=6.408 m³", one line a reading.
std::vector<std::string> lines_of(const Telegram& telegram) {
  std::vector<std::string> lines;
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& reading : meter.readings) {
      std::string line = meter.submeter + " " + reading.key.text() + "=";
      if (const auto* number = std::get_if<Decimal>(&reading.value)) line += number->str();
      if (const auto* text = std::get_if<std::string>(&reading.value)) line += *text;
      const std::string_view unit = symbol(reading.unit);
      if (!unit.empty()) line += " " + std::string(unit);
      lines.push_back(line);
    }
  }
  return lines;
}

std::vector<std::string> decoded_lines(std::string_view text, const SettingValues& values) {
  std::vector<std::string> lines;
  for (const Decoded& decoded : json_protocol.decode(to_bytes(text), values)) {
    if (!decoded.ok()) lines.push_back("! " + decoded.error);
    for (std::string& line : lines_of(decoded.telegram))
      lines.push_back(std::move(line));
  }
  return lines;
}

using Lines = std::vector<std::string>;

const Words everybody = {{"sender", "wmbusmeters"}, {"ids", "all"}};

// A dialogue, and what it says of each message.
class Listener {
 public:
  explicit Listener(const SettingValues& values) {
    auto made = json_protocol.driver(values);
    EXPECT_TRUE(made) << made.error().detail();
    driver = *std::move(made);
    dialogue = driver->begin();
  }

  Lines hear(std::string_view topic, std::string_view payload, bool retained = false,
             std::size_t cut = 0) {
    Envelope envelope;
    envelope.topic = topic;
    envelope.retained = retained;
    for (std::size_t at = 0; at < payload.size();) {
      const std::size_t size = cut == 0 ? payload.size() : std::min(cut, payload.size() - at);
      envelope.last = at + size == payload.size();
      dialogue->enclosed(envelope);
      dialogue->received(to_bytes(payload.substr(at, size)));
      at += size;
    }
    Lines lines;
    for (;;) {
      auto step = dialogue->next();
      if (!step) {
        lines.push_back("! " + step.error().detail());
      } else if (auto* finished = std::get_if<step::Finished>(&*step)) {
        time = finished->telegram.time;
        for (std::string& line : lines_of(finished->telegram))
          lines.push_back(std::move(line));
      } else {
        return lines;
      }
    }
  }

  std::string memory() { return dynamic_cast<Remembering&>(*driver).memory(); }

  void remember(const std::string& memory) { dynamic_cast<Remembering&>(*driver).remember(memory); }

  std::unique_ptr<Driver> driver;
  std::unique_ptr<Dialogue> dialogue;
  std::optional<Seconds> time;
};

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
       {"allocator_5 value_1=131"}},
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

std::string water(std::string_view id) {
  return R"({"media":"water","meter":"m","id":")" + std::string(id) + R"(","total_m3":1.5})";
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

TEST(JsonVzlogger, ChannelsAreKnownByTheirRegisterAndTheUnitsOfTheUser) {
  Listener listener(set({{"sender", "vzlogger"}, {"counts_in", "Wh"}}));
  const Lines early = listener.hear("vzlogger/chn0/raw", "1234.500000");
  ASSERT_EQ(early.size(), 1U);
  EXPECT_NE(early[0].find("name it under `fields`"), std::string::npos);
  EXPECT_TRUE(listener.hear("vzlogger/chn0/id", "1-0:1.8.0", true).empty());
  EXPECT_TRUE(listener.hear("vzlogger/chn0/uuid", "a-b-c", true).empty());
  EXPECT_TRUE(listener.hear("vzlogger/chn1/id", "1-0:16.7.0*255").empty());
  EXPECT_EQ(listener.hear("vzlogger/chn0/raw", "1234.500000"), Lines{" energy_import=1.2345 kWh"});
  EXPECT_EQ(
      listener.hear("vzlogger/chn0/raw",
                    R"({ "timestamp": 1790000000123, "value": 38118.691500000001 })", false, 3),
      Lines{" energy_import=38.1186915 kWh"});
  ASSERT_TRUE(listener.time);
  EXPECT_EQ(listener.time->time_since_epoch().count(), 1790000000);
  EXPECT_EQ(listener.hear("vzlogger/chn1/raw", "-250"), Lines{" power=-250 W"});
  // Aggregated values beside raw ones are the same once more.
  EXPECT_TRUE(listener.hear("vzlogger/chn1/agg", "-100").empty());
  EXPECT_EQ(listener.memory(), "chn0=1-0:1.8.0*255 chn1=1-0:16.7.0*255");
  Listener again(set({{"sender", "vzlogger"}, {"counts_in", "kWh"}}));
  again.remember("chn0=1-0:1.8.0*255 x= =1-0:1.8.0 chn9=what");
  EXPECT_EQ(again.hear("vzlogger/chn0/agg", "3.5"), Lines{" energy_import=3.5 kWh"});
}

TEST(JsonVzlogger, NothingIsGuessed) {
  Listener listener(
      set({{"sender", "vzlogger"}}, {{{"topic", "chn2"}, {"key", "power"}, {"unit", "W"}}}));
  EXPECT_EQ(listener.hear("v/data/chn2/raw", "17"), Lines{" power=17 W"});
  Listener doubtful(set({{"sender", "vzlogger"}}));
  doubtful.hear("v/chn0/id", "1-0:1.8.0");
  EXPECT_NE(doubtful.hear("v/chn0/raw", "17").front().find("set counts_in"), std::string::npos);
  // A voltage has one unit only.
  doubtful.hear("v/chn1/id", "1-0:32.7.0");
  EXPECT_EQ(doubtful.hear("v/chn1/raw", "230.500000"), Lines{" voltage_l1=230.5 V"});
  EXPECT_NE(doubtful.hear("v/chn1/raw", "nan").front().find("no number"), std::string::npos);
  EXPECT_NE(doubtful.hear("v/chn1/raw", R"({"value":[]})").front().find("no number"),
            std::string::npos);
  for (int i = 0; i < 500; ++i)
    doubtful.hear("v/c" + std::to_string(i) + "/id", "1-0:1.8.0");
  EXPECT_LT(doubtful.memory().size(), 2000U);
}

TEST(JsonFields, ListsAreAddedUpExactlyAndBeginAtARoot) {
  const auto sums =
      set({}, {{{"pointer", "/E/P"}, {"key", "power"}, {"unit", "kW"}, {"sum", "true"}}});
  EXPECT_EQ(decoded_lines(R"({"E":{"P":[-0.136495,0.000,0.1]}})", sums), Lines{" power=-36.495 W"});
  EXPECT_EQ(decoded_lines(R"({"E":{"P":0.5}})", sums), Lines{" power=500 W"});
  EXPECT_TRUE(decoded_lines(R"({"E":{"P":[1,null,2]}})", sums).empty());
  EXPECT_TRUE(decoded_lines(R"({"E":{"P":[1,[2]]},"E2":1})", sums).size() <= 1U);
  const auto rooted = set({{"root", "/MT681"}},
                          {{{"pointer", "/Total_in"}, {"key", "energy_import"}, {"unit", "kWh"}}});
  EXPECT_EQ(decoded_lines(R"({"Time":"x","MT681":{"Total_in":8442.5167},"Total_in":1})", rooted),
            Lines{" energy_import=8442.5167 kWh"});
  EXPECT_NE(
      decoded_lines(R"({"Total_in":1,"MT681x":{"Total_in":2}})", rooted).front().find("none of"),
      std::string::npos);
}

TEST(JsonSenders, AnyCutAndAnyInputGiveTheSameOrAnError) {
  const std::string document = water("12345678");
  for (std::size_t cut = 1; cut < document.size(); ++cut) {
    Listener listener(set(everybody));
    ASSERT_EQ(listener.hear("w/x", document, false, cut), Lines{"water_12345678 water=1.5 m³"});
  }
  const std::vector<std::string> seeds = {
      document, R"({"model":"Wireless-MBus","id":8,"type":"0x04","inst_volume_0":"1.0 mm3"})",
      R"({"timestamp":1790000000123,"value":38118.69})", "1-0:1.8.0"};
  const std::vector<std::string> topics = {
      "a/chn0/raw", "a/chn0/id", "r/devices/SCMplus/7/Consumption", "r/devices//", "/", ""};
  for (const std::string_view sender : {"wmbusmeters", "rtl_433", "vzlogger"}) {
    Words words = {{"sender", sender}};
    if (sender != "vzlogger") words.emplace_back("ids", "all");
    Listener listener(set(words));
    std::mt19937 dice(7);
    for (int i = 0; i < 3000; ++i) {
      std::string text = seeds[dice() % seeds.size()];
      for (std::uint32_t k = 0; k < dice() % 4; ++k)
        text[dice() % text.size()] = static_cast<char>(dice());
      text.resize(dice() % (text.size() + 1));
      for (const std::string& line : listener.hear(topics[dice() % topics.size()], text))
        ASSERT_LT(line.size(), 1000U);
    }
    EXPECT_LT(listener.memory().size(), 8000U);
    const Lines huge = listener.hear("a/chn0/raw", std::string(max_document + 1, '1'));
    ASSERT_EQ(huge.size(), 1U);
    EXPECT_NE(huge[0].find("longer than"), std::string::npos);
  }
}

TEST(JsonSenders, TheSimulatorsDocumentsAreRead) {
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'000'000));
  face.water = Decimal(6408, -3);
  face.energy_import = {Decimal(1'234'560), Decimal(), Decimal(), Decimal()};
  const std::vector<std::pair<Words, Lines>> cases = {
      {everybody,
       {"water_12345678 water=6.408 m³", "water_12345678 temperature_flow=8 °C",
        "water_12345678 status=OK"}},
      {{{"sender", "rtl_433"}, {"ids", "77"}}, {"ert_77 counter_1=123456"}},
      {{{"sender", "vzlogger"}, {"counts_in", "Wh"}}, {" energy_import=1234.560 kWh"}},
      {{{"sender", "vzlogger"}, {"counts_in", "kWh"}}, {" energy_import=1234.56 kWh"}},
  };
  for (const auto& [words, expected] : cases) {
    auto responder = json_protocol.responder(set(words));
    ASSERT_TRUE(responder) << responder.error().detail();
    (*responder)->show(face);
    Listener listener(set(words));
    Lines all;
    for (const Post& post : (*responder)->posts()) {
      for (std::string& line : listener.hear("x/" + post.topic, to_text(post.payload)))
        all.push_back(std::move(line));
    }
    ASSERT_GE(all.size(), expected.size());
    all.resize(expected.size());
    EXPECT_EQ(all, expected);
  }
}

}  // namespace
}  // namespace meterbridge::protocol::json
