// SPDX-License-Identifier: MIT
#include "core/text.hpp"

#include "core/topic.hpp"

#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

using namespace meterbridge;

namespace {

std::string random_text(std::mt19937& random, std::size_t size) {
  // Bytes that meet in UTF-8 by chance are rare: half of them come from pieces that are valid.
  constexpr std::array<std::string_view, 8> pieces = {"ü", "€",    "😀",        "a",
                                                      " ", "\xC3", "\xE2\x82", "\xF0\x9F"};
  std::string text;
  while (text.size() < size) {
    if (random() % 2 == 0) {
      text += static_cast<char>(random());
    } else {
      text += pieces[random() % pieces.size()];
    }
  }
  return text;
}

bool has_controls(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;  // C1 controls
  }
  return false;
}

TEST(TopicFilter, MatchesAsBrokersDo) {
  EXPECT_TRUE(topic_matches("tele/+/SENSOR", "tele/meter/SENSOR"));
  EXPECT_FALSE(topic_matches("tele/+/SENSOR", "tele/a/b/SENSOR"));
  EXPECT_FALSE(topic_matches("tele/+/SENSOR", "tele/meter/LWT"));
  EXPECT_TRUE(topic_matches("tele/#", "tele"));
  EXPECT_TRUE(topic_matches("tele/#", "tele/a/b"));
  EXPECT_TRUE(topic_matches("#", "a"));
  EXPECT_TRUE(topic_matches("+/+", "/a"));
  EXPECT_FALSE(topic_matches("+", "/a"));
  EXPECT_FALSE(topic_matches("a", "a/"));
  EXPECT_FALSE(topic_matches("#", "$SYS/uptime"));
  EXPECT_TRUE(topic_matches("$SYS/#", "$SYS/uptime"));
}

TEST(TopicFilter, WhatIsNoneIsNamed) {
  EXPECT_EQ(filter_fault("tele/+/SENSOR"), "");
  EXPECT_EQ(filter_fault("#"), "");
  EXPECT_NE(filter_fault("tele/#/SENSOR"), "");
  EXPECT_NE(filter_fault("tele/a+/SENSOR"), "");
}

TEST(TopicFilter, OverlapsAreFound) {
  EXPECT_TRUE(filters_overlap("+/house/state", "meterbridge/#"));
  EXPECT_TRUE(filters_overlap("#", "meterbridge/#"));
  EXPECT_TRUE(filters_overlap("meterbridge", "meterbridge/#"));
  EXPECT_FALSE(filters_overlap("tele/#", "meterbridge/#"));
  EXPECT_TRUE(filters_overlap("a/+/c", "a/b/+"));
  EXPECT_FALSE(filters_overlap("a/+/c", "a/b/+/d"));
}

}  // namespace

TEST(Sanitised, MakesAnyBytesPrintableAndBounded) {
  std::mt19937 random(1);
  for (int seed = 0; seed < 5000; ++seed) {
    const std::string text = random_text(random, random() % 400);
    const std::size_t limit = random() % 300;
    const std::string clean = sanitised(text, limit);
    ASSERT_TRUE(is_utf8(clean));
    ASSERT_LE(clean.size(), limit);
    ASSERT_FALSE(has_controls(clean));
    ASSERT_EQ(trimmed(clean), clean);
    ASSERT_EQ(sanitised(clean, limit), clean) << "not stable";
  }
}

TEST(Sanitised, LeavesGoodTextAlone) {
  EXPECT_EQ(sanitised("Zähler 3, 20 °C, 5 m³"), "Zähler 3, 20 °C, 5 m³");
  EXPECT_EQ(sanitised("😀"), "😀");
  EXPECT_EQ(sanitised(""), "");
}

TEST(Sanitised, DropsControlsBrokenSequencesAndOuterBlanks) {
  EXPECT_EQ(sanitised("  12\r\n34\x07  "), "1234");
  EXPECT_EQ(sanitised("a\xFF\xC3z"), "az");
  EXPECT_EQ(sanitised(std::string("a\0b", 3)), "ab");
  EXPECT_EQ(sanitised("a\xC0\xAF"), "a") << "overlong";
  EXPECT_EQ(sanitised("a\xED\xA0\x80"), "a") << "surrogate";
  EXPECT_EQ(sanitised("a\xF4\x90\x80\x80z"), "az") << "above U+10FFFF";
  EXPECT_EQ(sanitised("a\xE2\x80\xAEz"), "az") << "right-to-left override";
  EXPECT_EQ(sanitised("\x01 \x02 x"), "x");
}

TEST(Sanitised, NeverCutsInsideACharacter) {
  EXPECT_EQ(sanitised("a€", 3), "a");
  EXPECT_EQ(sanitised("a€", 4), "a€");
  EXPECT_EQ(sanitised("abc", 2), "ab");
  EXPECT_EQ(sanitised("a bc", 2), "a") << "a blank at the cut goes too";
  EXPECT_EQ(sanitised(std::string(1000, 'x')).size(), max_state_text);
}

TEST(Utf8, IsToldFromOtherEncodings) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("Zähler"));
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
  EXPECT_FALSE(is_utf8("Z\xE4hler"));
  EXPECT_FALSE(is_utf8("\xC3"));
  EXPECT_FALSE(is_utf8("\xE2\x82"));
  EXPECT_FALSE(is_utf8("\xE0\x80\x80"));
  EXPECT_FALSE(is_utf8("\xF5\x80\x80\x80"));
}

TEST(Text, TrimsAndComparesWithoutLocale) {
  EXPECT_EQ(trimmed(" \t x y \r\n"), "x y");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(lower("ABC-xyz-Ä"), "abc-xyz-Ä");
  EXPECT_TRUE(same_ignoring_case("kVArh", "KVARH"));
  EXPECT_FALSE(same_ignoring_case("kWh", "kW"));
  EXPECT_FALSE(same_ignoring_case("[", "{")) << "only letters have cases";
}

TEST(HexText, DecodesPrintableTextOnly) {
  EXPECT_EQ(hex_text("4B414D"), "KAM");
  EXPECT_EQ(hex_text("4b414d"), "KAM");
  EXPECT_EQ(hex_text(""), "");
  EXPECT_FALSE(hex_text("4B4"));
  EXPECT_FALSE(hex_text("4B4G"));
  EXPECT_FALSE(hex_text("0041"));
  EXPECT_FALSE(hex_text("7F"));
  EXPECT_FALSE(hex_text("FF"));
}

TEST(Nearest, FindsTheNameThatWasMeant) {
  constexpr std::array<std::string_view, 8> names = {"interval", "link",    "profile",  "publish",
                                                     "username", "address", "password", "tls"};
  EXPECT_EQ(nearest("intervall", names), "interval");
  EXPECT_EQ(nearest("adress", names), "address");
  EXPECT_EQ(nearest("lnik", names), "link") << "swapped neighbours are one mistake";
  EXPECT_EQ(nearest("Pasword", names), "password");
  EXPECT_EQ(nearest("user", names), "username");
  EXPECT_EQ(nearest("profile", names), "profile");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  constexpr std::array<std::string_view, 3> names = {"interval", "tls", "a"};
  EXPECT_EQ(nearest("colour", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("x", names), "") << "shares no letter with 'a'";
  EXPECT_EQ(nearest(std::string(5000, 'i'), names), "");
  EXPECT_EQ(nearest("interval", {}), "");
}
