// SPDX-License-Identifier: MIT
#include "protocol/json/json.hpp"

#include "bytes_of.hpp"
#include "protocol/json/driver.hpp"
#include "protocol/json/responder.hpp"
#include "protocol/p1/p1.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace meterbridge::protocol::json {
namespace {

using test::reading;

using Row = std::vector<std::pair<std::string_view, std::string_view>>;

SettingValues settings_of(const Protocol& protocol, const Row& set = {}) {
  SettingValues values = default_settings(protocol.settings);
  for (const auto& [name, text] : set) {
    const auto spec = std::ranges::find(protocol.settings, name, &SettingSpec::name);
    EXPECT_NE(spec, protocol.settings.end()) << name;
    auto value = parse_setting(*spec, text);
    EXPECT_TRUE(value) << text;
    if (value) values.set(name, *value);
  }
  return values;
}

SettingValues row_of(const Row& columns) {
  SettingValues row;
  for (const auto& [name, text] : columns) {
    const auto specs = field_table().columns;
    const auto spec = std::ranges::find(specs, name, &SettingSpec::name);
    EXPECT_NE(spec, specs.end()) << name;
    auto value = parse_setting(*spec, text);
    EXPECT_TRUE(value) << text;
    if (value) row.set(name, *value);
  }
  return row;
}

SettingValues with_fields(const std::vector<Row>& rows, const Row& settings = {}) {
  SettingValues values = settings_of(json_protocol, settings);
  std::vector<SettingValues> made;
  for (const Row& row : rows)
    made.push_back(row_of(row));
  values.add_rows(field_table(), made);
  EXPECT_TRUE(field_table().check(values).empty());
  return values;
}

std::vector<Decoded> decode(std::string_view text, const SettingValues& values) {
  return json_protocol.decode(to_bytes(text), values);
}

TEST(JsonFields, BecomeReadingsWithTheirUnits) {
  const auto values = with_fields({
      {{"pointer", "/energy"}, {"key", "energy_import"}, {"unit", "Wh"}},
      {{"pointer", "/p"}, {"key", "power"}, {"unit", "kW"}},
      {{"pointer", "/u/0"}, {"key", "voltage_l1"}, {"unit", "V"}, {"scale", "0.1"}},
      {{"pointer", "/id"}, {"key", "serial"}, {"format", "hex"}},
      {{"pointer", "/at"}, {"key", "clock"}, {"format", "unix_ms"}},
      {{"pointer", "/relay"}, {"key", "input_1"}},
      {{"pointer", "/t"}, {"key", "tariff"}},
      {{"pointer", "/pf"}, {"key", "power_factor"}},
  });
  const auto found = decode(
      R"({"energy":"1234.5","p":0.2500,"u":[2301],"id":"3132","at":1690204050123,"relay":"ON","t":2,"pf":4.5,"extra":null})",
      values);
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].ok()) << found[0].error;
  const Telegram& telegram = found[0].telegram;
  EXPECT_EQ(reading(telegram, "energy_import"), "1.2345");
  EXPECT_EQ(reading(telegram, "power"), "250.0");
  EXPECT_EQ(reading(telegram, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(telegram, "serial"), "12");
  EXPECT_EQ(reading(telegram, "clock"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(reading(telegram, "input_1"), "true");
  EXPECT_EQ(reading(telegram, "tariff"), "2");
  EXPECT_EQ(reading(telegram, "power_factor"), "");  // nobody can say what 4.5 means
  EXPECT_EQ(telegram.meter.serial, "12");
  ASSERT_TRUE(telegram.time);
  ASSERT_NE(telegram.find("/p"), nullptr);
  EXPECT_EQ(telegram.find("/p")->value->str(), "0.2500");
  EXPECT_EQ(telegram.find("/extra"), nullptr);
}

TEST(JsonFields, SayNothingForValuesThatAreNone) {
  const auto values = with_fields({
      {{"pointer", "/a"}, {"key", "voltage_l1"}, {"unit", "V"}, {"invalid", "-1, nan"}},
      {{"pointer", "/b"}, {"key", "voltage_l2"}, {"unit", "V"}, {"invalid", "-1, nan"}},
      {{"pointer", "/c"}, {"key", "voltage_l3"}, {"unit", "V"}},
      {{"pointer", "/d"}, {"key", "current"}, {"unit", "A"}},
      {{"pointer", "/e"}, {"key", "frequency"}, {"unit", "Hz"}},
  });
  const auto found = decode(R"({"a":-1.0,"b":"NaN","c":null,"d":true,"e":""})", values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].ok());
  EXPECT_EQ(test::reading_count(found[0].telegram), 0U);
}

TEST(JsonFields, AddTariffsUpOnlyWhenAllAreThereAndNoTotalIsNamed) {
  const auto values = with_fields({
      {{"pointer", "/t1"}, {"key", "energy_import_t1"}, {"unit", "kWh"}},
      {{"pointer", "/t2"}, {"key", "energy_import_t2"}, {"unit", "kWh"}},
  });
  EXPECT_EQ(reading(decode(R"({"t1":1.5,"t2":2.25})", values)[0].telegram, "energy_import"),
            "3.75");
  EXPECT_EQ(reading(decode(R"({"t1":1.5})", values)[0].telegram, "energy_import"), "");
}

TEST(JsonFields, AFileWithoutAnyOfThemNamesWhatIsThere) {
  const auto values = with_fields({{{"pointer", "/a"}, {"key", "power"}, {"unit", "W"}}});
  const auto found = decode(R"({"ENERGY":{"Power":5}})", values);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].status, Status::unsupported);
  EXPECT_NE(found[0].error.find("/ENERGY/Power"), std::string::npos) << found[0].error;
}

TEST(JsonFields, MistakesInTheTableAreFoundWithRowAndColumn) {
  struct Case {
    Row row;
    std::string_view column;
    std::string_view why;
  };

  const std::vector<Case> cases = {
      {{{"pointer", "ENERGY/Power"}, {"key", "power"}, {"unit", "W"}}, "pointer", "begin with /"},
      {{{"pointer", "/a~b"}, {"key", "power"}, {"unit", "W"}}, "pointer", "~0"},
      {{{"pointer", "/a"}, {"key", "powr"}, {"unit", "W"}}, "key", "powr"},
      {{{"pointer", "/a"}, {"key", "power"}}, "unit", "(usual: W)"},
      {{{"pointer", "/a"}, {"key", "power"}, {"unit", "kWh"}}, "unit", "the unit kWh"},
      {{{"pointer", "/a"}, {"key", "power"}, {"unit", "Watt"}}, "unit", "no unit"},
      {{{"pointer", "/a"}, {"key", "power"}, {"unit", "W"}, {"scale", "0"}}, "scale", "zero"},
      {{{"pointer", "/a"}, {"key", "clock"}}, "format", "needs one of"},
      {{{"pointer", "/a"}, {"key", "power"}, {"unit", "W"}, {"format", "iso"}},
       "format",
       "no time"},
      {{{"pointer", "/a"}, {"key", "serial"}, {"unit", "V"}}, "unit", "no number"},
      {{{"topic", "a/+"}, {"key", "power"}, {"unit", "W"}}, "topic", "wildcard"},
  };
  for (const Case& wrong : cases) {
    SettingValues values = settings_of(json_protocol);
    const std::vector<SettingValues> rows = {
        row_of({{"pointer", "/ok"}, {"key", "frequency"}, {"unit", "Hz"}}), row_of(wrong.row)};
    values.add_rows(field_table(), rows);
    const auto faults = field_table().check(values);
    ASSERT_EQ(faults.size(), 1U) << wrong.why;
    EXPECT_EQ(faults[0].row, 1U);
    EXPECT_EQ(faults[0].column, wrong.column);
    EXPECT_NE(faults[0].text.find(wrong.why), std::string::npos) << faults[0].text;
  }
}

std::string p1_telegram() {
  auto responder = p1_protocol.responder(settings_of(p1_protocol));
  EXPECT_TRUE(responder);
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'000'000));
  face.energy_import[0] = Decimal(1'234'560);
  (*responder)->show(face);
  return to_text((*responder)->push());
}

TEST(JsonCarried, TelegramsOfOtherProtocolsInsideADocumentOrAPayload) {
  const std::string telegram = p1_telegram();
  const auto expected = decode(telegram, settings_of(json_protocol, {{"carries", "p1"}}));
  ASSERT_EQ(expected.size(), 1U);
  ASSERT_TRUE(expected[0].ok()) << expected[0].error;
  EXPECT_EQ(expected[0].telegram.protocol, "p1");
  EXPECT_EQ(reading(expected[0].telegram, "energy_import"), "1234.560");
  for (const Encoding encoding : {Encoding::hex, Encoding::base64}) {
    const std::string_view name = encoding == Encoding::hex ? "hex" : "base64";
    const std::string text = encoded(encoding, to_bytes(telegram));
    const auto payload =
        decode(text, settings_of(json_protocol, {{"carries", "p1"}, {"carried_as", name}}));
    ASSERT_EQ(payload.size(), 1U);
    EXPECT_EQ(telegram_json(payload[0].telegram), telegram_json(expected[0].telegram));
    const auto settings = settings_of(
        json_protocol, {{"carries", "p1"}, {"carried_as", name}, {"carried_at", "/data"}});
    const auto inside = decode(R"({"rssi":-60,"data":")" + text + "\"}", settings);
    ASSERT_EQ(inside.size(), 1U);
    EXPECT_EQ(telegram_json(inside[0].telegram), telegram_json(expected[0].telegram));
    EXPECT_EQ(decode(R"({"data":"z*"})", settings)[0].status, Status::malformed);
    EXPECT_EQ(decode(R"({"data":5})", settings)[0].status, Status::malformed);
    std::string damaged = text;
    damaged[200] = damaged[200] == '3' ? '4' : '3';
    const auto flipped = decode(R"({"data":")" + damaged + "\"}", settings);
    ASSERT_EQ(flipped.size(), 1U);
    EXPECT_FALSE(flipped[0].ok());
  }
}

TEST(JsonCarried, WrongSettingsAreNamed) {
  const auto why = [](const Row& settings) {
    const auto driver = json_protocol.driver(settings_of(json_protocol, settings));
    return driver ? std::string() : driver.error().detail();
  };
  EXPECT_EQ(why({{"carries", "p1"}, {"carried_settings", "crc=off country=hu"}}), "");
  EXPECT_NE(why({{"carries", "ce102"}}).find("send by themselves; those are"), std::string::npos);
  EXPECT_NE(why({{"carries", "json"}}), "");
  EXPECT_NE(why({{"carries", "p1"}, {"carried_at", "data"}}).find("begin with /"),
            std::string::npos);
  EXPECT_NE(why({{"carries", "p1"}, {"carried_settings", "crcs=off"}}).find("crcs"),
            std::string::npos);
  EXPECT_NE(why({{"carried_at", "/data"}}).find("without carries"), std::string::npos);
}

// Everything a dialogue says until it listens.
std::vector<std::string> said(Dialogue& dialogue) {
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    auto step = dialogue.next();
    if (!step) {
      lines.push_back(std::string(name(step.error().code())) + ": " + step.error().detail());
    } else if (auto* finished = std::get_if<step::Finished>(&*step)) {
      lines.push_back(telegram_json(finished->telegram));
    } else {
      return lines;
    }
  }
  ADD_FAILURE() << "it never listens";
  return lines;
}

std::vector<std::string> tell(Dialogue& dialogue, std::string topic, std::string_view payload,
                              std::size_t block = 16384) {
  std::vector<std::string> lines;
  const Bytes bytes = to_bytes(payload);
  ByteView rest(bytes);
  do {
    Envelope envelope;
    envelope.topic = topic;
    const ByteView now = rest.first(std::min(block, rest.size()));
    rest = rest.subspan(now.size());
    envelope.last = rest.empty();
    dialogue.enclosed(envelope);
    dialogue.received(now);
    for (std::string& line : said(dialogue))
      lines.push_back(std::move(line));
  } while (!rest.empty());
  return lines;
}

TEST(JsonDialogue, EachMessageIsADocumentHoweverItIsCut) {
  const auto values = with_fields({{{"pointer", "/p"}, {"key", "power"}, {"unit", "W"}}});
  auto driver = json_protocol.driver(values);
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  EXPECT_TRUE(said(*dialogue).empty());
  for (std::size_t block = 1; block < 12; ++block) {
    const auto lines = tell(*dialogue, "a/b", R"({"p":12.50})", block);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find("12.50"), std::string::npos);
  }
  const auto broken = tell(*dialogue, "a/b", R"({"p":12.50)");
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_EQ(broken[0].find("malformed: the message on a/b is no valid JSON"), 0U) << broken[0];
  EXPECT_EQ(tell(*dialogue, "a/b", R"({"p":1})").size(), 1U);  // nothing of it is left over
  const auto long_one = tell(*dialogue, "a/b", std::string(100'000, ' ') + "1");
  ASSERT_EQ(long_one.size(), 1U);
  EXPECT_NE(long_one[0].find("longer than 65536"), std::string::npos);
}

TEST(JsonDialogue, AnotherDocumentOnTheTopicIsNoFaultOfAMeterThatIsUnderstood) {
  const auto values = with_fields({{{"pointer", "/p"}, {"key", "power"}, {"unit", "W"}}});
  auto driver = json_protocol.driver(values);
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  EXPECT_EQ(tell(*dialogue, "a", R"({"Switch1":"ON"})").size(), 1U);  // nothing was understood yet
  EXPECT_EQ(tell(*dialogue, "a", R"({"p":1})").size(), 1U);
  for (int i = 1; i < 10; ++i)
    EXPECT_TRUE(tell(*dialogue, "a", R"({"Switch1":"ON"})").empty()) << i;
  EXPECT_EQ(tell(*dialogue, "a", R"({"Switch1":"ON"})").size(), 1U);  // it comes no more
  EXPECT_EQ(tell(*dialogue, "a", R"({"p":1})").size(), 1U);
  EXPECT_TRUE(tell(*dialogue, "a", R"({"Switch1":"ON"})").empty());
}

TEST(JsonDialogue, TheDocumentsOfTwoDevicesAreNotMixed) {
  const auto values = with_fields({{{"pointer", "/p"}, {"key", "power"}, {"unit", "W"}}});
  auto driver = json_protocol.driver(values);
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  EXPECT_EQ(tell(*dialogue, "tele/other/SENSOR", R"({"Switch1":"ON"})").size(), 1U);
  EXPECT_NE(tell(*dialogue, "tele/a/SENSOR", R"({"p":1})")[0].find("power"), std::string::npos);
  const auto other = tell(*dialogue, "tele/b/SENSOR", R"({"p":2})");
  ASSERT_EQ(other.size(), 1U);
  EXPECT_NE(
      other[0].find("mismatch: the message on tele/b/SENSOR is of another device than tele/a"),
      std::string::npos)
      << other[0];
  EXPECT_NE(tell(*dialogue, "tele/a/SENSOR", R"({"p":3})")[0].find("power"), std::string::npos);
}

TEST(JsonDialogue, ValuesOnTopicsOfTheirOwn) {
  const auto values =
      with_fields({{{"topic", "emeter/0/power"}, {"key", "power_l1"}, {"unit", "W"}},
                   {{"topic", "emeter/0/total"}, {"key", "energy_import"}, {"unit", "Wh"}}},
                  {{"payload", "plain"}});
  auto driver = json_protocol.driver(values);
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  const auto power = tell(*dialogue, "shellies/em/emeter/0/power", "230.5");
  ASSERT_EQ(power.size(), 1U);
  EXPECT_NE(power[0].find(R"({"key":"power_l1","value":230.5,"unit":"W"})"), std::string::npos)
      << power[0];
  EXPECT_EQ(tell(*dialogue, "shellies/em/emeter/0/total", "1000").size(), 1U);
  EXPECT_TRUE(tell(*dialogue, "shellies/em/online", "true").empty());
  EXPECT_TRUE(tell(*dialogue, "shellies/em/xemeter/0/power", "1").empty());
  EXPECT_TRUE(tell(*dialogue, "shellies/em/emeter/0/power", "").empty());
  EXPECT_EQ((*driver)->remark(), "");
  EXPECT_EQ(tell(*dialogue, "shellies/em/emeter/0/power", "ovf").size(), 1U);
  EXPECT_NE((*driver)->remark().find("\"ovf\", no number"), std::string::npos);
}

TEST(JsonDialogue, AStreamGivesTheSameInAnyCut) {
  const auto values = with_fields({{{"pointer", "/p"}, {"key", "power"}, {"unit", "W"}}});
  const std::string stream =
      "{\"p\":1}\n{\"p\":2}{\"p\":\n[{\"q\":1}]}x\n{\"p\":3,\n{\"p\":4}\r\n{\"p\":5";
  std::vector<std::string> whole;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    auto driver = json_protocol.driver(values);
    ASSERT_TRUE(driver);
    const auto dialogue = (*driver)->begin();
    std::mt19937 dice(seed);
    std::vector<std::string> lines;
    const auto listen = [&] {
      for (std::string& line : said(*dialogue))
        lines.push_back(std::move(line));
    };
    const Bytes bytes = to_bytes(stream);
    ByteView rest(bytes);
    while (!rest.empty()) {
      const std::size_t size =
          seed == 0 ? rest.size() : std::min<std::size_t>(1 + dice() % 7, rest.size());
      dialogue->received(rest.first(size));
      rest = rest.subspan(size);
      listen();
    }
    dialogue->silence();
    listen();
    if (seed == 0) {
      whole = lines;
      EXPECT_EQ(whole.size(), 7U);
    }
    ASSERT_EQ(lines, whole) << seed;
  }
}

TEST(JsonDialogue, CarriedTelegramsComeOutWhole) {
  auto driver =
      json_protocol.driver(settings_of(json_protocol, {{"carries", "p1"}, {"carried_as", "hex"}}));
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  const std::string text = encoded(Encoding::hex, to_bytes(p1_telegram()));
  EXPECT_EQ(tell(*dialogue, "p1", text).size(), 1U);
  // In two messages, as a reader of serial blocks would send it.
  EXPECT_TRUE(tell(*dialogue, "p1", text.substr(0, 100)).empty());
  EXPECT_EQ(tell(*dialogue, "p1", text.substr(100)).size(), 1U);
  dialogue->silence();
  EXPECT_TRUE(said(*dialogue).empty());  // how long is too long is not judged here
}

TEST(JsonDialogue, RandomAndTruncatedInputIsSurvived) {
  const std::string document = R"({"p":12.5,"a":["x",{"b":null}],"s":"\u00e9"})";
  const auto values = with_fields({{{"pointer", "/p"}, {"key", "power"}, {"unit", "W"}}});
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 dice(seed);
    std::string text = document;
    for (std::uint32_t i = 0; i < 1 + seed % 4; ++i)
      text[dice() % text.size()] = static_cast<char>(dice());
    text.resize(dice() % (text.size() + 1));
    for (const Decoded& decoded : decode(text, values)) {
      EXPECT_LE(decoded.offset + decoded.length, text.size());
      EXPECT_EQ(decoded.ok(), decoded.error.empty());
    }
  }
}

TEST(JsonLayout, OkosmerosDocumentComesBackWithItsComma) {
  ASSERT_EQ(json_protocol.layouts.size(), 1U);
  const auto again = [](std::string_view text) -> std::string {
    auto values = with_fields({{{"pointer", "/CurrentImport"}, {"key", "power"}, {"unit", "kW"}}});
    values.set("tolerate", std::string("okosmero"));
    const auto found = decode(std::string(text), values);
    if (found.size() != 1 || !found[0].ok()) return "not understood";
    const auto document = json_protocol.layouts[0].write(found[0].telegram);
    return document ? *document : std::string(name(document.error().code()));
  };
  const std::string begin =
      R"({"MeterName":"a\"b\\","MeterID":"3132","Time":"230724150730S","Tariff":2,)"
      R"("ImportPower":[173.640,47.719,125.921],"ExportPower":627.177,"CurrentImport":0.250,)"
      R"("LastMonth":{"Time":"230701000000S","ImportPower":[1.000,0.500],"EffectivePower":7.0,)"
      R"("MaxExport":[4.104,4.104,3.400]})";
  EXPECT_EQ(again(begin + R"("Message":"hello"})"), begin + R"(,"Message":"hello"})");
  EXPECT_EQ(again(begin + "}"), begin + "}");
  const std::string bare = R"({"Time":"230724150730S","ImportPower":5.5,"CurrentImport":0.1})";
  EXPECT_EQ(again(bare), bare);
  EXPECT_EQ(again(R"({"CurrentImport":0.1})"), "unsupported");
}

TEST(JsonResponder, SendsWhatItsFieldsRead) {
  const auto values = with_fields({
      {{"pointer", "/Total/0"}, {"key", "energy_import"}, {"unit", "kWh"}},
      {{"pointer", "/Total"}, {"key", "energy_import"}, {"unit", "kWh"}},
      {{"pointer", "/Total/1"}, {"key", "energy_import_t1"}, {"unit", "kWh"}},
      {{"pointer", "/U/l1"}, {"key", "voltage_l1"}, {"unit", "V"}, {"scale", "0.1"}},
      {{"pointer", "/at"}, {"key", "clock"}, {"format", "dsmr"}},
      {{"pointer", "/id"}, {"key", "serial"}, {"format", "hex"}},
  });
  auto responder = json_protocol.responder(values);
  ASSERT_TRUE(responder);
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'000'000));
  face.energy_import = {Decimal(1'234'560), Decimal(100), Decimal(), Decimal()};
  (*responder)->show(face);
  const Bytes sent = (*responder)->push();
  const auto found = json_protocol.decode(sent, values);
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].ok()) << to_text(sent) << found[0].error;
  EXPECT_EQ(reading(found[0].telegram, "energy_import"), "1234.660");
  EXPECT_EQ(reading(found[0].telegram, "energy_import_t1"), "1234.560");
  EXPECT_EQ(reading(found[0].telegram, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(found[0].telegram, "serial"), "0012345678");
  EXPECT_EQ(found[0].telegram.time, face.now);
  EXPECT_FALSE(json_protocol.responder(settings_of(json_protocol)));
}

TEST(JsonVectors, DocumentsOfTheOkosmeroFirmwareAreReadValueByValue) {
  const std::filesystem::path folder = std::filesystem::path(METERBRIDGE_SHARED_VECTORS) / "p1";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared vectors here: skipped";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().string().ends_with(".mqtt.json")) continue;
    std::ifstream stream(entry.path());
    std::stringstream text;
    text << stream.rdbuf();
    const auto found = decode(text.str(), settings_of(json_protocol));
    ASSERT_EQ(found.size(), 1U) << entry.path();
    ASSERT_TRUE(found[0].ok()) << found[0].error;
    EXPECT_NE(found[0].telegram.find("/LastMonth/MaxExport/2"), nullptr);
    EXPECT_NE(found[0].telegram.find("/ImportPower/0"), nullptr);
  }
}

}  // namespace
}  // namespace meterbridge::protocol::json
