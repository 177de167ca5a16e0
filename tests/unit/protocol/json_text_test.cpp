// SPDX-License-Identifier: MIT
#include "protocol/json/embedded.hpp"
#include "protocol/json/moment.hpp"
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

}  // namespace
}  // namespace meterbridge::protocol::json
