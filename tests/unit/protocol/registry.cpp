// SPDX-License-Identifier: MIT
#include "protocol/registry.hpp"

#include "bytes_of.hpp"

#include <set>

namespace meterbridge::protocol {
namespace {

TEST(Registry, FindsEachProtocolByItsName) {
  for (const Protocol& protocol : protocols()) {
    EXPECT_EQ(find_protocol(protocol.name), &protocol);
    EXPECT_FALSE(protocol.title.empty());
    EXPECT_NE(protocol.driver, nullptr);
    EXPECT_NE(protocol.decode, nullptr);
    EXPECT_NE(protocol.responder, nullptr);
  }
  EXPECT_NE(find_protocol("ce102"), nullptr);
  EXPECT_NE(find_protocol("p1"), nullptr);
  EXPECT_NE(find_protocol("sml"), nullptr);
  EXPECT_EQ(find_protocol("P1"), nullptr);
  EXPECT_EQ(find_protocol(""), nullptr);
}

TEST(Registry, SettingsAreUniqueHelpfulAndHaveValidDefaults) {
  for (const Protocol& protocol : protocols()) {
    std::set<std::string_view> names;
    for (const SettingSpec& spec : protocol.settings) {
      EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
      EXPECT_FALSE(spec.help.empty()) << spec.name;
      if (spec.fallback.empty()) continue;
      EXPECT_TRUE(parse_setting(spec, spec.fallback)) << spec.name;
    }
  }
}

TEST(Registry, EveryProtocolSurvivesNothing) {
  for (const Protocol& protocol : protocols()) {
    EXPECT_TRUE(protocol.decode({}, default_settings(protocol.settings)).empty()) << protocol.name;
    EXPECT_TRUE(protocol.decode(Bytes(1), SettingValues()).empty()) << protocol.name;
  }
}

TEST(Transcript, IsRecognisedByItsFirstLineThatSaysSomething) {
  EXPECT_TRUE(is_transcript("> 01\n"));
  EXPECT_TRUE(is_transcript("\n  \n# comment\n< 01"));
  EXPECT_FALSE(is_transcript(">01"));
  EXPECT_FALSE(is_transcript("/KFM5\r\n> 01"));
  EXPECT_FALSE(is_transcript("# only a comment"));
  EXPECT_FALSE(is_transcript(""));
}

TEST(Transcript, KeepsDirectionBytesAndPlace) {
  const auto lines = parse_transcript("# a\n> 01 02\r\n\n< c0C0\n");
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_TRUE((*lines)[0].sent);
  EXPECT_EQ((*lines)[0].bytes, test::hex("0102"));
  EXPECT_EQ((*lines)[0].line, 2U);
  EXPECT_EQ((*lines)[0].offset, 4U);
  EXPECT_EQ((*lines)[0].length, 8U);
  EXPECT_FALSE((*lines)[1].sent);
  EXPECT_EQ((*lines)[1].bytes, test::hex("c0c0"));
  EXPECT_EQ((*lines)[1].line, 4U);
}

TEST(Transcript, TakesWhatEditorsMakeOfIt) {
  const std::string text = "\xEF\xBB\xBF> 01\n<\n< \r\n>\r\n<\t\n< 02";
  EXPECT_TRUE(is_transcript(text));
  EXPECT_TRUE(is_transcript("\xEF\xBB\xBF# comment\n<\n"));
  EXPECT_TRUE(is_transcript(">"));
  const auto lines = parse_transcript(text);
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 6U);
  EXPECT_EQ((*lines)[0].bytes, test::hex("01"));
  EXPECT_EQ((*lines)[0].offset, 3U);  // in the file
  for (const std::size_t empty : {1U, 2U, 3U, 4U})
    EXPECT_TRUE((*lines)[empty].bytes.empty()) << empty;
  EXPECT_TRUE((*lines)[3].sent);
  EXPECT_EQ((*lines)[5].bytes, test::hex("02"));
  EXPECT_EQ((*lines)[5].line, 6U);
  EXPECT_FALSE(parse_transcript(">01"));
}

TEST(Transcript, NamesLineAndColumnOfWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto lines = parse_transcript(text);
    return lines ? std::string("no error") : lines.error().detail();
  };
  EXPECT_EQ(error("> 01\n< 0x\n").substr(0, 4), "2:4:");
  EXPECT_EQ(error("> 01\nhello\n").substr(0, 4), "2:1:");
  EXPECT_EQ(error("> 012\n").substr(0, 4), "1:6:");
  EXPECT_EQ(parse_transcript("> zz").error().code(), Errc::malformed);
}

}  // namespace
}  // namespace meterbridge::protocol
