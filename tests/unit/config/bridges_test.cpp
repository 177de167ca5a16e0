// SPDX-License-Identifier: MIT
#include "unit/config/catalogue.hpp"

#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

std::vector<BridgeSettings> bridges_in(const std::string& lines, std::string* said = nullptr) {
  Problems problems;
  const Settings settings =
      read_text("meters: [{id: m, profile: p1, link: {replay: x}}]\n" + lines, problems);
  if (said == nullptr) {
    EXPECT_EQ(printed(problems), "");
  } else {
    *said = printed(problems);
  }
  return settings.bridges;
}

std::vector<std::string> lines_of(const BridgeSettings& bridge) {
  std::vector<std::string> lines;
  for (const TopicRule& rule : bridge.rules)
    lines.push_back(topic_line(rule));
  return lines;
}

TEST(Bridges, ThePresetIsWhatHomeAssistantNeedsAndItsCommands) {
  const auto bridges = bridges_in(
      "instance: site7\nbridges:\n"
      "  - {name: ha, host: 192.168.1.10, username: bridge, password: x, preset: homeassistant}\n");
  ASSERT_EQ(bridges.size(), 1U);
  EXPECT_EQ(
      lines_of(bridges[0]),
      (std::vector<std::string>{
          "topic site7/status out 1", "topic site7/+/availability out 1",
          "topic site7/+/state out 1", "topic site7/+/health out 1", "topic site7/+/event out 1",
          "topic homeassistant/device/+/config out 1", "topic homeassistant/+/+/+/config out 1",
          "topic homeassistant/status in 0", "topic site7/+/set/+ in 1"}));
  EXPECT_TRUE(bridges[0].rules[2].state);
  EXPECT_FALSE(bridges[0].rules[4].state);
  EXPECT_EQ(bridges[0].rules[5].owner, "site7_");
  EXPECT_EQ(bridges[0].state_topic, "site7-link/ha/state");
  EXPECT_FALSE(bridges[0].clean_session);
}

TEST(Bridges, MosquittosLinesAreTakenAsPasted) {
  const auto bridges = bridges_in(
      "bridges:\n  - {name: old, host: 10.1.1.1, tls: true, topics: [\"# in 0 site1/ \\\"\\\"\", "
      "'topic \"\" both 1 a b']}\n");
  ASSERT_EQ(bridges.size(), 1U);
  EXPECT_EQ(lines_of(bridges[0]),
            (std::vector<std::string>{"topic # in 0 site1/ \"\"", "topic \"\" both 1 a b"}));
  EXPECT_EQ(bridges[0].port, 8883);
}

// P51: nothing that would run in circles starts; what only looks alike does.
TEST(Bridges, RingsAreRefusedAndNothingElse_P51) {
  const auto two = [](const std::string& a, const std::string& b) {
    std::string said;
    (void)bridges_in("bridges:\n  - {name: a, host: far, topics: ['" + a +
                         "']}\n  - {name: b, host: Far, topics: ['" + b + "']}\n",
                     &said);
    return said;
  };
  EXPECT_NE(two("m/# both 1", "m/+/state both 1").find("a ring with the bridge \"a\""),
            std::string::npos);
  EXPECT_NE(two("# out 1", "m/x in 1").find("makes a ring"), std::string::npos);
  EXPECT_NE(two("m/x in 1", "# out 1").find("makes a ring"), std::string::npos);
  EXPECT_EQ(two("m/# both 1", "n/# both 1"), "");
  EXPECT_EQ(two("m/# out 1", "m/# out 1"), "");
  EXPECT_EQ(two("# out 1 m/ there/", "# in 1 back/ there/"), "");
  std::string said;
  (void)bridges_in("bridges: [{name: a, host: 127.0.0.1, topics: ['a/# out 1']}]\n", &said);
  EXPECT_NE(said.find("to itself"), std::string::npos);
  (void)bridges_in("bridges: [{name: a, host: localhost, topics: ['# out 1 a/ b/']}]\n");
  (void)bridges_in("bridges: [{name: a, host: localhost, port: 1884, topics: ['a/# out 1']}]\n");
}

}  // namespace
}  // namespace meterbridge::config
