// SPDX-License-Identifier: MIT
// Texts, numbers, moments, the splitter; and what is said of channels, lists and captures.
#include "json_listener.hpp"
#include "protocol/json/embedded.hpp"
#include "protocol/json/moment.hpp"
#include "protocol/json/responder.hpp"
#include "protocol/json/splitter.hpp"
#include "protocol/json/text.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::protocol::json {
namespace {

using namespace listener;

std::string leaf(std::string_view document, std::string_view pointer) {
  const auto leaves = parse(document);
  EXPECT_TRUE(leaves) << document;
  if (!leaves) return {};
  const auto at = std::ranges::find(*leaves, pointer, &Leaf::pointer);
  return at == leaves->end() ? "absent" : at->text;
}

TEST(JsonText, KeepsTheDigitsOfNumbers) {
  EXPECT_EQ(leaf(R"({"a":{"b":[1, 173.640]}})", "/a/b/1"), "173.640");
  EXPECT_EQ(leaf(R"({"a":-0.50})", "/a"), "-0.50");
  EXPECT_EQ(leaf(" 230.10 \r\n", ""), "230.10");
  EXPECT_EQ(number_of("9007199254740993")->str(), "9007199254740993");  // not with a double
  EXPECT_EQ(number_of("2.50e3")->str(), "2500");
  EXPECT_EQ(number_of("25E-3")->str(), "0.025");
  EXPECT_FALSE(number_of("123456789012345678901234567890"));
  EXPECT_FALSE(number_of("1e400"));
  EXPECT_FALSE(number_of("nan"));
}

TEST(JsonText, UnderstandsNamesAndTexts) {
  EXPECT_EQ(leaf(R"({"a/b":{"m~n":"x"}})", "/a~1b/m~0n"), "x");
  EXPECT_EQ(leaf(R"(["\u00e9\ud83d\ude00\n\"\/"])", "/0"), "é😀\n\"/");
  EXPECT_EQ(leaf("\xEF\xBB\xBF{\"a\":true,\"b\":null}", "/a"), "true");
}

TEST(JsonText, RefusesWhatIsNoJsonAndSaysWhere) {
  const std::array<std::pair<std::string_view, std::string_view>, 19> broken{{
      {R"({"a":1 "b":2})", "column 8 should have a comma"},
      {R"({"a":1,})", "should have a name"},
      {R"({"a":01})", "leading zero"},
      {R"({"a":+1})", "should have a value"},
      {R"({"a":nan})", "unknown word"},
      {R"({"a":.5})", "should have a value"},
      {R"({"a":1.})", "should have a value"},
      {R"({"a":1)", "ends inside an object"},
      {R"({"a":"x)", "ends inside a text"},
      {"{\"a\":\"x\ny\"}", "control character"},
      {R"({"a":"\x"})", "unknown escape"},
      {R"({"a":"\ud800x"})", "half a character"},
      {R"({"a":"\u12"})", "four hex digits"},
      {R"({"a":1}})", "something behind its end"},
      {R"({'a':1})", "should have a name"},
      {R"([1,2)", "ends inside a list"},
      {R"({"a":1,"a":2})", "/a is there twice"},
      {"{\n\"a\" 1}", "line 2, column 5 should have a colon"},
      {"", "ends too early"},
  }};
  for (const auto& [text, why] : broken) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), Errc::malformed);
    EXPECT_NE(parsed.error().detail().find(why), std::string::npos)
        << text << ": " << parsed.error().detail();
  }
  EXPECT_FALSE(parse(std::string(100'000, '[')));
  EXPECT_FALSE(parse(std::string(60, '[') + std::string(60, ']')));
  std::string many = "[0";
  for (int i = 0; i < 5000; ++i)
    many += ",0";
  EXPECT_FALSE(parse(many + "]"));
  EXPECT_FALSE(parse("\"" + std::string(70'000, 'x') + "\""));
  // Each value keeps the names above it: a few kilobytes must not become hundreds of megabytes.
  std::string heavy = "{\"" + std::string(57'000, 'n') + "\":[0";
  for (int i = 0; i < 4000; ++i)
    heavy += ",0";
  const auto refused = parse(heavy + "]}");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail().find("names that are too long"), std::string::npos);
}

constexpr std::string_view missing_comma =
    R"({"MeterID":"1","LastMonth":{"Time":"230701000000S","MaxExport":[4.1,3.4]}"Message":"hello"})";

TEST(JsonText, ToleratesTheMissingCommaOfOkosmeroOnlyThereAndOnlyWhenAsked) {
  EXPECT_FALSE(parse(missing_comma));
  const auto parsed = parse(missing_comma, Tolerance::okosmero);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->back().text, "hello");
  for (const std::string_view other :
       {R"({"LastMonth":{"a":1}"Massage":"x"})", R"({"LastMonths":{"a":1}"Message":"x"})",
        R"({"MaxPower":1"Message":"x"})", R"({"x":{"LastMonth":{"a":1}"Message":"x"}})",
        R"({"LastMonth":{"a":1 "Message":"x"}})", R"({"LastMonth":{"a":1}"Message"})"})
    EXPECT_FALSE(parse(other, Tolerance::okosmero)) << other;
}

std::vector<std::string> pieces(std::string_view text, std::uint32_t seed) {
  std::mt19937 dice(seed);
  Splitter splitter;
  std::vector<std::string> found;
  const auto drain = [&] {
    while (const auto piece = splitter.next())
      found.push_back(std::to_string(piece->offset) + (piece->cut ? " cut " : " ") + piece->text);
  };
  Bytes bytes = to_bytes(text);
  ByteView rest(bytes);
  while (!rest.empty()) {
    const std::size_t size =
        seed == 0 ? rest.size() : std::min<std::size_t>(1 + dice() % 9, rest.size());
    splitter.push(rest.first(size));
    rest = rest.subspan(size);
    if (seed % 2 == 1) drain();
  }
  splitter.finish();
  drain();
  return found;
}

TEST(JsonSplitter, FindsTheSameDocumentsInAnyCut) {
  const std::string stream =
      "noise "
      "{\"a\":\"}{\",\"b\":[1,{\"c\":2}]}{\"d\":\"\\\"\"}\r\n{\"lost\":1,\n{\"e\":\"unfinished\n"
      "{\"f\":5}\n12.5\n{\"g\":";
  const auto whole = pieces(stream, 0);
  const std::vector<std::string> expected = {
      "0 noise ",
      "6 {\"a\":\"}{\",\"b\":[1,{\"c\":2}]}",
      "32 {\"d\":\"\\\"\"}",
      "44 cut {\"lost\":1,\n",
      "55 cut {\"e\":\"unfinished",
      "72 {\"f\":5}",
      "80 12.5",
      "85 cut {\"g\":",
  };
  EXPECT_EQ(whole, expected);
  for (std::uint32_t seed = 1; seed < 200; ++seed)
    ASSERT_EQ(pieces(stream, seed), whole) << seed;
}

TEST(JsonSplitter, HoldsNoMoreThanOneLargestDocument) {
  Splitter splitter;
  const Bytes block(4096, std::byte{'['});
  std::size_t cut = 0;
  for (int i = 0; i < 100; ++i) {
    splitter.push(block);
    while (const auto piece = splitter.next()) {
      ++cut;
      ASSERT_LE(piece->text.size(), max_document + 1);
    }
  }
  EXPECT_EQ(cut, 100U * 4096U / (max_document + 1));
}

TEST(JsonMoments, OfAllFormatsAreExact) {
  const auto text = [](Format format, std::string_view stamp) {
    const auto moment = parse_moment(format, stamp);
    return moment ? iso_utc(*moment) : std::string();
  };
  EXPECT_EQ(text(Format::dsmr, "230724150730S"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(text(Format::iso, "2023-07-24T15:07:30+02:00"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(text(Format::iso, "2023-07-24 13:07:30.250Z"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(text(Format::iso, "2023-07-24T07:37:30-0530"), "2023-07-24T13:07:30Z");
  EXPECT_EQ(text(Format::unix_seconds, "1690204050"), "2023-07-24T13:07:30Z");
  for (const std::string_view wrong :
       {"2023-02-30T00:00:00Z", "2023-07-24", "2023-07-24T15:07:30+", "2023-07-24T15:07:30+2",
        "23-07-24T15:07:30Z0", "2023x07-24T15:07:30Z", ""})
    EXPECT_EQ(text(Format::iso, wrong), "") << wrong;
  for (const std::string_view wrong : {"0", "-5", "x", "99999999999999"})
    EXPECT_EQ(text(Format::unix_seconds, wrong), "") << wrong;
  const Seconds now(std::chrono::seconds(1'690'204'050));
  for (const Format format : {Format::dsmr, Format::iso, Format::unix_seconds, Format::unix_ms})
    EXPECT_EQ(parse_moment(format, moment_text(format, now)), now);
}

TEST(JsonCarried, Base64IsExact) {
  std::mt19937 dice(7);
  for (std::size_t size = 0; size < 50; ++size) {
    Bytes bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes.push_back(static_cast<std::byte>(dice()));
    const auto back = decoded(Encoding::base64, encoded(Encoding::base64, bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
  }
  EXPECT_EQ(to_text(*decoded(Encoding::base64, "aGVs\r\nbG8=")), "hello");
  EXPECT_FALSE(decoded(Encoding::base64, "aGVsb"));
  EXPECT_FALSE(decoded(Encoding::base64, "a*"));
  EXPECT_FALSE(decoded(Encoding::base64, "aG=Vs"));
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
  const auto elsewhere = decoded_lines(R"({"Time":1,"MT681x":{"Total_in":2}})", rooted).front();
  EXPECT_NE(elsewhere.find("none of"), std::string::npos) << elsewhere;
  EXPECT_NE(elsewhere.find("known with root: /MT681x"), std::string::npos) << elsewhere;
}

TEST(JsonSenders, ACaptureWithTopicsIsReadLineByLine) {
  const std::string capture =
      "vzlogger/chn0/id 1-0:1.8.0\nvzlogger/chn0/uuid 0-1-2\nvzlogger/chn0/raw 1234.500000\n"
      "vzlogger/chn1/raw {\"timestamp\":1790000000123,\"value\":5}\n";
  const Lines read = decoded_lines(capture, set({{"sender", "vzlogger"}, {"counts_in", "Wh"}}));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0], " energy_import=1.2345 kWh");
  EXPECT_NE(read[1].find("name it under `fields`"), std::string::npos);
  EXPECT_EQ(decoded_lines("wmbusmeters/a " + water("1") + "\nwmbusmeters/b " + water("2") + "\n",
                          set({{"sender", "wmbusmeters"}})),
            (Lines{"water_1 water=1.5 m³", "water_2 water=1.5 m³"}));
  const auto plain = set({{"payload", "plain"}},
                         {{{"topic", "sensor/power/state"}, {"key", "power"}, {"unit", "W"}}});
  EXPECT_EQ(decoded_lines("n/status online\nn/sensor/power/state 5.50\n", plain),
            Lines{" power=5.50 W"});
  for (const Decoded& decoded :
       json_protocol.decode(to_bytes(capture), set({{"sender", "vzlogger"}})))
    EXPECT_LE(decoded.offset + decoded.length, capture.size());
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
