// SPDX-License-Identifier: MIT
#include "core/json_writer.hpp"

#include "core/text.hpp"

#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace meterbridge;
using nlohmann::json;

namespace {

// Writes a random document twice: through the writer, and with the reference library.
void write_random(std::mt19937& random, JsonWriter& writer, json& expected, int depth) {
  switch (random() % (depth > 4 ? 5 : 7)) {
    case 0: {
      std::string text;
      for (auto n = random() % 20; n > 0; --n)
        text += static_cast<char>(random() % 128);
      writer.value(text);
      expected = text;
      return;
    }
    case 1: {
      const auto number = static_cast<std::int64_t>(random()) - 2'000'000'000;
      writer.value(number);
      expected = number;
      return;
    }
    case 2:
      writer.value(random() % 2 == 0 ? "ü€😀" : "");
      expected = nullptr;
      expected = json::parse(writer.text().ends_with("\"\"") ? "\"\"" : "\"ü€😀\"");
      return;
    case 3: {
      const bool flag = random() % 2 == 0;
      writer.value(flag);
      expected = flag;
      return;
    }
    case 4:
      writer.null();
      expected = nullptr;
      return;
    case 5:
      writer.array();
      expected = json::array();
      for (auto n = random() % 5; n > 0; --n)
        write_random(random, writer, expected.emplace_back(), depth + 1);
      writer.end();
      return;
    default:
      writer.object();
      expected = json::object();
      for (auto n = random() % 5; n > 0; --n) {
        const std::string key = "k\"" + std::to_string(n);
        writer.key(key);
        write_random(random, writer, expected[key], depth + 1);
      }
      writer.end();
  }
}

}  // namespace

TEST(JsonWriter, WritesTheExampleOfItsHeader) {
  JsonWriter writer;
  writer.object().member("value", *Decimal::parse("000173.640")).member("unit", "kWh").end();
  EXPECT_EQ(writer.text(), R"({"value":173.640,"unit":"kWh"})");
}

TEST(JsonWriter, WritesWhatTheReferenceReads) {
  std::mt19937 random(1);
  for (int seed = 0; seed < 3000; ++seed) {
    JsonWriter writer;
    json expected;
    write_random(random, writer, expected, 0);
    const json read = json::parse(writer.text(), nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << writer.text();
    ASSERT_EQ(read, expected) << writer.text();
  }
}

TEST(JsonWriter, KeepsTheDigitsOfDecimals) {
  JsonWriter writer;
  writer.array();
  for (const char* text :
       {"173.640", "0.1", "-0.5", "9007199254740993", "0.000000000000000001", "1200"}) {
    writer.value(*Decimal::parse(text));
  }
  writer.value(Decimal(12, 2)).end();
  EXPECT_EQ(writer.text(), "[173.640,0.1,-0.5,9007199254740993,0.000000000000000001,1200,1200]");
}

TEST(JsonWriter, WritesNumbersTheReferenceAccepts) {
  std::mt19937_64 random(2);
  for (int seed = 0; seed < 5000; ++seed) {
    const Decimal number(static_cast<std::int64_t>(random()), static_cast<int>(random() % 37) - 18);
    JsonWriter writer;
    writer.value(number);
    const json read = json::parse(writer.text(), nullptr, false);
    ASSERT_TRUE(read.is_number()) << writer.text();
    EXPECT_DOUBLE_EQ(read.get<double>(), number.approximate());
  }
}

TEST(JsonWriter, EscapesEveryByteOfText) {
  for (int c = 0; c < 128; ++c) {
    const std::string text = {'a', static_cast<char>(c), 'z'};
    JsonWriter writer;
    writer.object().member(text, text).end();
    const json read = json::parse(writer.text(), nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << writer.text();
    EXPECT_EQ(read.at(text), text);
    for (const char written : writer.text())
      EXPECT_GE(written, 0x20);
  }
}

TEST(JsonWriter, SanitisesWhatIsNoUtf8) {
  std::mt19937 random(3);
  for (int seed = 0; seed < 3000; ++seed) {
    std::string text;
    for (auto n = random() % 60; n > 0; --n)
      text += static_cast<char>(random());
    JsonWriter writer;
    writer.array().value(text).end();
    const json read = json::parse(writer.text(), nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << writer.text();
    EXPECT_EQ(read[0], is_utf8(text) ? text : sanitised(text, text.size()));
  }
}

TEST(JsonWriter, WritesReadingsOfEveryKind) {
  const Seconds time(std::chrono::seconds(1690204050));
  JsonWriter writer;
  writer.array()
      .value(Value(Decimal(5, -1)))
      .value(Value(std::string("x")))
      .value(Value(true))
      .value(Value(time))
      .end();
  EXPECT_EQ(writer.text(), R"([0.5,"x",true,"2023-07-24T13:07:30Z"])");
}

TEST(JsonWriter, PutsNumbersUnderValueAndAllElseUnderText) {
  JsonWriter writer;
  writer.array();
  for (const Value& value : {Value(Decimal(173640, -3)), Value(std::string("0123")), Value(true),
                             Value(Seconds(std::chrono::seconds(0)))}) {
    writer.object().content(value).end();
  }
  writer.end();
  EXPECT_EQ(writer.text(),
            R"([{"value":173.640},{"text":"0123"},{"text":"on"},{"text":"1970-01-01T00:00:00Z"}])");
}

TEST(JsonWriter, WritesWholeNumbersOfEveryWidth) {
  JsonWriter writer;
  writer.array()
      .value(-7)
      .value(std::size_t{7})
      .value(std::numeric_limits<std::uint64_t>::max())
      .value(std::numeric_limits<std::int64_t>::min())
      .value(std::uint8_t{65})
      .end();
  EXPECT_EQ(writer.text(), "[-7,7,18446744073709551615,-9223372036854775808,65]");
}

TEST(JsonWriter, PutsCommasBetweenRawPartsToo) {
  JsonWriter writer;
  writer.object()
      .key("a")
      .raw("[1,2]")
      .key("b")
      .object()
      .end()
      .key("c")
      .array()
      .null()
      .null()
      .end()
      .end();
  EXPECT_EQ(writer.text(), R"({"a":[1,2],"b":{},"c":[null,null]})");
}
