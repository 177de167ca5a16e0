// SPDX-License-Identifier: MIT
#include "app/reload.hpp"

#include "fakes/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* profile = R"(format: 1
id: mine
vendor: Maker
model: One
protocol: ce102
line: {baud: 9600, mode: 8N1}
interval: 30s
notes: a meter of my own
settings: {family: ce307}
)";

struct Reload : ::testing::Test {
  // A house of the configuration, with one of its pieces replaced.
  House house(const std::string& what = "", const std::string& with = "") {
    std::string text =
        "state_directory: /tmp/state\n"
        "profiles_directory: " +
        folder.path().string() + "/profiles" +
        "\n"
        "mqtt: {host: broker, username: me, password: first}\n"
        "homeassistant: {discovery: device}\n"
        "links:\n"
        "  bus: {serial: /dev/bus, turnaround: 50ms}\n"
        "meters:\n"
        "  - {id: a, profile: energomera-ce307, address: 1, link: bus}\n"
        "  - {id: b, profile: energomera-ce307, address: 2, link: bus}\n"
        "  - {id: c, profile: p1, link: {tcp: 'c:23'}}\n"
        "  - {id: d, profile: mine, address: 4, link: {tcp: 'd:23'}}\n";
    if (!what.empty()) {
      const auto at = text.find(what);
      EXPECT_NE(at, std::string::npos) << what;
      text.replace(at, what.size(), with);
    }
    config::Problems problems;
    auto configuration =
        meter::load_configuration(folder.file("house.yaml", text).string(), problems);
    for (const auto& problem : problems.all())
      EXPECT_NE(problem.severity, config::Severity::error) << problem.str();
    auto built = build_house(std::move(configuration));
    EXPECT_TRUE(built);
    return std::move(*built);
  }

  Reload() { folder.file("profiles/mine.yaml", profile); }

  fakes::Scratch folder;
};

TEST_F(Reload, TheSameFileChangesNothingWhereverThingsStandInIt) {
  const Changes changes = compare(house(), house("meters:\n", "\n\n# moved\nmeters:\n"));
  EXPECT_FALSE(changes.any());
  EXPECT_THAT(changes.links, IsEmpty());
  EXPECT_EQ(changes.unchanged, 4U);
  EXPECT_EQ(changes.text(), "nothing has changed (4 meters go on undisturbed)");
}

TEST_F(Reload, AChangedMeterIsTheOnlyOneEvenWhereItSharesALine) {
  const Changes changes = compare(house(), house("address: 2", "address: 3"));
  EXPECT_THAT(changes.changed, ElementsAre("b"));
  EXPECT_THAT(changes.links, IsEmpty());
  EXPECT_EQ(changes.unchanged, 3U);
}

TEST_F(Reload, AChangedLinkTakesItsMetersAndNoOthers) {
  const Changes changes = compare(house(), house("50ms", "60ms"));
  EXPECT_THAT(changes.changed, ElementsAre("a", "b"));
  EXPECT_THAT(changes.links, ElementsAre("bus"));
  EXPECT_EQ(changes.unchanged, 2U);
}

TEST_F(Reload, MetersThatAreGoneOrNewAreTold) {
  const Changes changes = compare(house(), house("{id: c, profile: p1, link: {tcp: 'c:23'}}",
                                                 "{id: e, profile: p1, link: {tcp: 'e:23'}}"));
  EXPECT_THAT(changes.removed, ElementsAre("c"));
  EXPECT_THAT(changes.added, ElementsAre("e"));
  EXPECT_THAT(changes.changed, IsEmpty());
  EXPECT_EQ(changes.text(), "removed c; new e (3 meters go on undisturbed)");
}

TEST_F(Reload, AnotherProfileBehindTheSameNameIsAChange) {
  const House now = house();
  std::string other = profile;
  other.replace(other.find("9600"), 4, "4800");
  folder.file("profiles/mine.yaml", other);
  EXPECT_THAT(compare(now, house()).changed, ElementsAre("d"));
}

TEST_F(Reload, BrokerAndAnnouncementAreToldApart) {
  const Changes password = compare(house(), house("first", "second"));
  EXPECT_TRUE(password.broker);
  EXPECT_FALSE(password.announcement);
  EXPECT_THAT(password.changed, IsEmpty());
  const Changes mode = compare(house(), house("discovery: device", "discovery: component"));
  EXPECT_FALSE(mode.broker);
  EXPECT_TRUE(mode.announcement);
}

TEST_F(Reload, WhatOnlyARestartCanChangeIsSaidAndKept) {
  const House now = house();
  House fresh = house("mqtt: {", "instance: other\nmqtt: {");
  const Changes changes = compare(now, fresh);
  EXPECT_THAT(changes.fixed, ElementsAre(HasSubstr("instance cannot be changed while running: it "
                                                   "stays \"meterbridge\"")));
  EXPECT_FALSE(changes.any());
  keep_fixed(fresh.settings, now.settings);
  EXPECT_EQ(fresh.settings.instance, "meterbridge");
  EXPECT_THAT(compare(house(), house("/tmp/state", "/tmp/other")).fixed,
              ElementsAre(HasSubstr("state_directory")));
  EXPECT_THAT(compare(house(), house("mqtt: {", "mqtt: {base_topic: x, ")).fixed,
              ElementsAre(HasSubstr("mqtt.base_topic")));
}

}  // namespace
}  // namespace meterbridge::app
