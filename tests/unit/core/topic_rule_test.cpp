// SPDX-License-Identifier: MIT
#include "core/topic_rule.hpp"

#include "core/topic.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge {
namespace {

TopicRule rule_of(std::string_view line) {
  const auto rule = parse_topic_rule(line);
  EXPECT_TRUE(rule) << line << ": " << (rule ? "" : rule.error().detail());
  return rule ? *rule : TopicRule{};
}

std::string refusal_of(std::string_view line) {
  const auto rule = parse_topic_rule(line);
  EXPECT_FALSE(rule) << line;
  return rule ? std::string() : rule.error().detail();
}

std::string map(const std::vector<TopicRule>& rules, Way way, std::string_view topic) {
  const auto found = mapped(rules, way, topic);
  return found ? found->topic : "-";
}

TEST(TopicRule, IsReadAsItStandsInMosquittosFile) {
  const TopicRule rule = rule_of("topic sensor/+/state both 1 house/ site1/");
  EXPECT_EQ(rule.pattern, "sensor/+/state");
  EXPECT_EQ(rule.way, Way::both);
  EXPECT_EQ(rule.qos, 1);
  EXPECT_EQ(rule.local_filter(), "house/sensor/+/state");
  EXPECT_EQ(rule.remote_filter(), "site1/sensor/+/state");
}

TEST(TopicRule, HasMosquittosDefaultsAndTakesTabsQuotesAndCapitals) {
  EXPECT_EQ(rule_of("#"), rule_of("topic\t#\tOUT\t0"));
  EXPECT_EQ(rule_of("  # in  0 site1/ \"\"  "),
            rule_of("topic \"#\" \"In\" \"0\" \"site1/\" \"\""));
}

TEST(TopicRule, AnEmptyPatternMapsOneTopic) {
  const std::vector rules{rule_of("topic \"\" both 1 local/one remote/two")};
  EXPECT_EQ(map(rules, Way::out, "local/one"), "remote/two");
  EXPECT_EQ(map(rules, Way::in, "remote/two"), "local/one");
  EXPECT_EQ(map(rules, Way::out, "local/one/more"), "-");
  EXPECT_NE(refusal_of("\"\" both 1 local/one \"\"").find("both prefixes"), std::string::npos);
  EXPECT_NE(refusal_of("\"\" out").find("both prefixes"), std::string::npos);
}

TEST(TopicRule, RefusalsNameTheWord) {
  EXPECT_NE(refusal_of("topic").find("# begins a comment"), std::string::npos);
  EXPECT_EQ(refusal_of("topic # inn 0"), "word 3 (\"inn\") is no direction: out, in or both");
  EXPECT_EQ(refusal_of("# in 3"), "word 3 (\"3\") is no QoS: 0, 1 or 2");
  EXPECT_EQ(refusal_of("# in 1 a/# \"\""),
            "word 4 (\"a/#\") is a prefix and has a wildcard (+ or #)");
  EXPECT_EQ(refusal_of("# in 1 a/ b/ c/"), "word 6 (\"c/\") is one word too many");
  EXPECT_NE(refusal_of("a/#/b out").find("not at its end"), std::string::npos);
  EXPECT_NE(refusal_of("a+ out").find("not a whole level"), std::string::npos);
  EXPECT_NE(refusal_of("# in 0 site \"\"").find("not a whole level"), std::string::npos);
  EXPECT_NE(refusal_of("\"# in").find("does not end"), std::string::npos);
  EXPECT_NE(refusal_of("\"#\"in").find("goes on"), std::string::npos);
  EXPECT_NE(refusal_of("$SYS/# out").find("belong to the broker"), std::string::npos);
  EXPECT_NE(refusal_of("a\xff out").find("UTF-8"), std::string::npos);
}

TEST(TopicRule, TheBrokersOwnTopicsGoUnderAPrefix) {
  const std::vector rules{rule_of("$SYS/# out 0 \"\" site1/")};
  EXPECT_EQ(map(rules, Way::out, "$SYS/broker/uptime"), "site1/$SYS/broker/uptime");
  EXPECT_EQ(map({rule_of("#")}, Way::out, "$SYS/broker/uptime"), "-");
}

TEST(TopicRule, OfSeveralTheFirstWithAPrefixDecidesAsInMosquitto) {
  const std::vector rules{rule_of("# out 1"), rule_of("a/# out 1 \"\" x/"),
                          rule_of("a/b out 1 \"\" y/")};
  EXPECT_EQ(map(rules, Way::out, "c"), "c");
  EXPECT_EQ(map(rules, Way::out, "a/b"), "x/a/b");
  EXPECT_EQ(map(rules, Way::in, "a/b"), "-");
}

TEST(TopicRule, AParentLevelKeepsItsNameAsInMosquitto) {
  const std::vector rules{rule_of("# in 0 here/ site1/")};
  EXPECT_EQ(map(rules, Way::in, "site1/a"), "here/a");
  EXPECT_EQ(map(rules, Way::in, "site1"), "here/site1");
  EXPECT_EQ(map({rule_of("# in 0 \"\" site1/")}, Way::in, "site1/"), "-");
}

// What two brokers of Mosquitto 2.0.11 made of these lines and topics.
TEST(TopicRule, ATableOfLinesGivesWhatMosquittoGave) {
  const std::vector rules{rule_of("topic # out 1"),
                          rule_of("topic a/# out 1 \"\" x/"),
                          rule_of("topic a/b out 1 \"\" y/"),
                          rule_of("topic # in 0 here/ site1/"),
                          rule_of("topic \"\" both 1 one two/one"),
                          rule_of("topic p/# both 1 L/ R/")};
  const std::vector<std::array<std::string_view, 2>> out{{"c", "c"},         {"a/b", "x/a/b"},
                                                         {"a", "x/a"},       {"one", "two/one"},
                                                         {"L/p/q", "R/p/q"}, {"p/z", "p/z"}};
  for (const auto& [from, to] : out)
    EXPECT_EQ(map(rules, Way::out, from), to);
  const std::vector<std::array<std::string_view, 2>> in{
      {"site1/a", "here/a"}, {"site1", "here/site1"}, {"site1/", "here/"},
      {"two/one", "one"},    {"R/p/k", "L/p/k"},      {"zzz", "-"}};
  for (const auto& [from, to] : in)
    EXPECT_EQ(map(rules, Way::in, from), to);
}

TEST(TopicRule, AnOwnerKeepsForeignTopicsOut) {
  TopicRule rule = rule_of("homeassistant/device/+/config out 1");
  rule.owner = "meterbridge_";
  EXPECT_EQ(map({rule}, Way::out, "homeassistant/device/meterbridge_house/config"),
            "homeassistant/device/meterbridge_house/config");
  EXPECT_EQ(map({rule}, Way::out, "homeassistant/device/zigbee/config"), "-");
}

class RandomRules {
 public:
  explicit RandomRules(unsigned seed) : random_(seed) {}

  std::string topic() {
    std::string topic = level();
    for (auto n = random_() % 4; n > 0; --n)
      topic += "/" + level();
    return topic;
  }

  TopicRule rule() {
    TopicRule rule;
    rule.way = std::array{Way::out, Way::in, Way::both}[random_() % 3];
    rule.qos = static_cast<int>(random_() % 3);
    rule.pattern = random_() % 2 == 0 ? "#" : topic() + (random_() % 2 == 0 ? "/+" : "/#");
    if (random_() % 2 == 0) rule.local_prefix = topic() + "/";
    if (random_() % 2 == 0) rule.remote_prefix = topic() + "/";
    return rule;
  }

  std::string text() {
    constexpr std::string_view letters = "ab/+#\"\t $in out01";
    std::string text;
    for (auto n = random_() % 24; n > 0; --n)
      text += letters[random_() % letters.size()];
    return text;
  }

 private:
  std::string level() { return std::array{"a", "b", "", "meter"}[random_() % 4]; }

  std::mt19937 random_;
};

TEST(TopicRule, WrittenAndReadAgainIsTheSame) {
  const TopicRule blanks = rule_of("\"Wohn zimmer/#\" both 1 \"x y/\" \"\"");
  EXPECT_EQ(rule_of(topic_line(blanks)), blanks);
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const TopicRule rule = RandomRules(seed).rule();
    const auto again = parse_topic_rule(topic_line(rule));
    ASSERT_TRUE(again) << topic_line(rule) << ": " << again.error().detail();
    EXPECT_EQ(*again, rule) << topic_line(rule);
  }
}

TEST(TopicRule, ThereAndBackIsTheSameTopicAndHeardAtBothEnds) {
  unsigned taken = 0;
  for (unsigned seed = 0; seed < 5000; ++seed) {
    RandomRules random(seed);
    TopicRule rule = random.rule();
    rule.way = Way::both;
    const std::string topic = rule.local_prefix + random.topic();
    const auto out = mapped(std::vector{rule}, Way::out, topic);
    if (!out || topic == rule.local_prefix) continue;  // an empty one behind the prefix is lost
    ++taken;
    EXPECT_TRUE(topic_matches(rule.remote_filter(), out->topic))
        << topic_line(rule) << " " << topic;
    const auto back = mapped(std::vector{rule}, Way::in, out->topic);
    ASSERT_TRUE(back) << topic_line(rule) << " " << topic;
    EXPECT_EQ(back->topic, topic) << topic_line(rule);
  }
  EXPECT_GT(taken, 1000U);
}

TEST(TopicRule, WhateverIsWrittenIsReadOrRefusedInWords) {
  unsigned read = 0;
  for (unsigned seed = 0; seed < 20000; ++seed) {
    const std::string text = RandomRules(seed).text();
    const auto rule = parse_topic_rule(text);
    if (!rule) {
      EXPECT_FALSE(rule.error().detail().empty()) << text;
      continue;
    }
    ++read;
    EXPECT_TRUE(filter_fault(rule->local_filter()).empty()) << text;
    EXPECT_TRUE(filter_fault(rule->remote_filter()).empty()) << text;
  }
  EXPECT_GT(read, 100U);
}

}  // namespace
}  // namespace meterbridge
