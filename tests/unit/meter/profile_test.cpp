// SPDX-License-Identifier: MIT
#include "config/tables.hpp"
#include "meter/profile_library.hpp"
#include "meter/proof.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string refusal_of(std::string_view yaml) {
  ProfileLibrary library;
  const auto added = library.add(yaml, "mine.yaml");
  EXPECT_FALSE(added) << yaml;
  EXPECT_TRUE(library.all().empty());
  return added ? std::string{} : added.error().detail();
}

constexpr std::string_view good =
    "format: 1\nid: my-meter\nvendor: Me\nmodel: One\nprotocol: ce102\ninterval: 20s\nline: {baud: "
    "2400, mode: 7E1}\n"
    "settings: {family: classic}\n";

}  // namespace

TEST(ProfileLibrary, AllShippedProfilesAreValidAndProven) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library) << library.error().detail();
  EXPECT_GE(library->all().size(), 5U);
  for (const Profile& profile : library->all()) {
    EXPECT_FALSE(profile.vendor.empty()) << profile.id;
    EXPECT_FALSE(profile.model.empty()) << profile.id;
    const auto wrong = prove(profile);
    EXPECT_FALSE(wrong) << wrong->str();
  }
}

// Several are packed as one: each comes out as its file is, byte by byte.
TEST(ProfileLibrary, WhatIsEmbeddedIsTheFile) {
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    const auto file = std::string(METERBRIDGE_SOURCE_DIR) + "/profiles/" + std::string(embedded.id);
    EXPECT_EQ(embedded.yaml(), content_of(file + ".yaml"));
  }
  EmbeddedProfile cut = embedded_profiles().back();
  cut.packed.remove_suffix(cut.packed.size() / 2);
  EXPECT_EQ(cut.yaml(), "");
  cut.packed = "no deflate";
  EXPECT_EQ(cut.yaml(), "");
}

// Profiles are found by the names of their files, without a look into them.
TEST(ProfileLibrary, FilesAreNamedAfterTheirProfiles) {
  std::set<std::string_view> shipped;
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    shipped.insert(embedded.id);
    ProfileLibrary library;
    const auto id = library.add(embedded.yaml(), "embedded");
    ASSERT_TRUE(id) << embedded.id;
    EXPECT_EQ(*id, embedded.id);
  }
  std::set<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(METERBRIDGE_SOURCE_DIR) + "/profiles"))
    if (entry.path().extension() == ".yaml") files.insert(entry.path().stem().string());
  EXPECT_TRUE(std::ranges::equal(files, shipped));
}

TEST(ProfileLibrary, ProtocolSettingsDoNotTakeTheKeysOfEveryMeter) {
  // `timeout` may be taken: a protocol's own meaning of it wins (config/meters.cpp).
  for (const protocol::Protocol& protocol : protocol::protocols()) {
    for (const SettingSpec& spec : protocol.settings) {
      if (spec.name == "timeout") continue;
      EXPECT_EQ(config::find_field(config::meter_section, spec.name), nullptr)
          << protocol.name << " " << spec.name;
    }
  }
}

TEST(ProfileLibrary, UserAddsAndReplacesProfiles) {
  auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  const std::size_t shipped = library->all().size();
  ASSERT_TRUE(library->add(good, "mine.yaml"));
  EXPECT_EQ(library->all().size(), shipped + 1);
  const Profile* mine = library->find("my-meter");
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(mine->line.text(), "2400 7E1");
  EXPECT_EQ(mine->interval, std::chrono::seconds(20));
  ASSERT_EQ(mine->preset.size(), 1U);
  EXPECT_EQ(mine->preset[0].second, "classic");
  ASSERT_TRUE(library->add(
      "format: 1\nid: p1\nvendor: Me\nmodel: Mine\nprotocol: p1\ninterval: 1s\n", "p1.yaml"));
  EXPECT_EQ(library->all().size(), shipped + 1);
  EXPECT_EQ(library->find("p1")->vendor, "Me");
  EXPECT_EQ(library->find("p1")->line.text(), protocol::find_protocol("p1")->line.text());
  const auto names = library->names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(ProfileLibrary, FaultsAreToldWithFileLineAndColumn) {
  EXPECT_EQ(
      refusal_of("format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: p1\ninterval: 5\n"),
      "mine.yaml:6:11: error: interval: \"5\" has no unit: write 5s for seconds (or ms, m, h)");
  EXPECT_EQ(refusal_of("format: 2\nid: x\nvendor: v\nmodel: m\nprotocol: p1\ninterval: 5s\n"),
            "mine.yaml:1:9: error: format: \"2\" is out of range (allowed: 1 ... 1)");
  EXPECT_EQ(
      refusal_of("format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: p2\ninterval: 5s\n"),
      "mine.yaml:5:11: error: protocol: this version has no protocol \"p2\"; did you mean \"p1\"?");
  EXPECT_EQ(
      refusal_of("format: 1\nid: My Meter\nvendor: v\nmodel: m\nprotocol: p1\ninterval: 5s\n"),
      "mine.yaml:2:5: error: id: \"My Meter\" has other characters than lower case letters, "
      "digits, - and .");
  EXPECT_EQ(refusal_of("format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: ce102\ninterval: "
                       "5s\nsettings: {famly: r51}\n"),
            "mine.yaml:7:12: error: settings.famly: protocol ce102 has no such setting; did you "
            "mean \"family\"?");
  EXPECT_EQ(refusal_of("format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: ce102\ninterval: "
                       "5s\nline: {baud: 9600, mode: 9N1}\n"),
            "mine.yaml:7:26: error: line.mode: '9N1' is no line mode; write data bits (7 or 8), "
            "parity (N, E or O) and stop "
            "bits (1 or 2), for example 8N1");
  EXPECT_EQ(
      refusal_of("[]"),
      "mine.yaml:1:1: error: a profile is a map (format, id, vendor, model, protocol, interval)");
  EXPECT_NE(refusal_of(""), "");
  EXPECT_NE(refusal_of("format: 1\n").find("needs the key \"id\""), std::string::npos);
  EXPECT_NE(refusal_of(std::string(good) + "tests: [{expect: {power: \"1\"}}]\n").find("exchange"),
            std::string::npos);
  EXPECT_NE(refusal_of(std::string(good) + "tests: [{telegram: xy, expect: {powwer: \"1\"}}]\n")
                .find("no reading key"),
            std::string::npos);
}

// A table of broken profiles, as tests/unit/config/broken: METERBRIDGE_APPROVE=1 rewrites what they
// must give.
TEST(ProfileLibrary, EveryBrokenFileGivesItsApprovedMessages_P45) {
  const std::filesystem::path folder =
      std::filesystem::path(METERBRIDGE_SOURCE_DIR) / "tests/unit/meter/broken";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    ++count;
    const std::string name = entry.path().filename().string();
    ProfileLibrary library;
    config::Problems problems;
    EXPECT_EQ(library.add(content_of(entry.path()), name, problems), "") << name;
    std::string messages;
    for (const config::Problem& problem : problems.all()) {
      messages += problem.str() + "\n";
      EXPECT_GE(problem.place.line, 1) << problem.str();
      EXPECT_GE(problem.place.column, 1) << problem.str();
    }
    auto expected = entry.path();
    expected.replace_extension(".expected");
    if (std::getenv("METERBRIDGE_APPROVE") != nullptr)
      std::ofstream(expected, std::ios::binary) << messages;
    EXPECT_EQ(messages, content_of(expected)) << name;
    EXPECT_NE(messages.find(": error: "), std::string::npos) << name;
  }
  EXPECT_GE(count, 8U);
}

TEST(ProfileProof, ATelegramMustYieldWhatIsExpected) {
  // The telegram "/ABC5 x", three objects, no check (DSMR 2.2 style): 1-0:1.8.1(00012.345*kWh),
  // 1-0:1.7.0(0001.19*kW).
  const std::string telegram =
      "2F4142433520780D0A0D0A312D303A312E382E312830303031322E3334352A6B5768290D0A"
      "312D303A312E372E3028303030312E31392A6B57290D0A210D0A";
  const auto proof_of = [&](const std::string& expect) {
    ProfileLibrary library;
    const auto added = library.add(
        "format: 1\nid: x\nvendor: v\nmodel: m\nprotocol: p1\ninterval: 5s\ntests:\n  - "
        "telegram: " +
            telegram + "\n    expect: " + expect + "\n",
        "x.yaml");
    EXPECT_TRUE(added) << added.error().detail();
    const auto wrong = prove(library.all().front());
    return wrong ? wrong->str() : std::string("ok");
  };
  EXPECT_EQ(proof_of("{energy_import_t1: \"12.345\", power_import: \"1190\"}"), "ok");
  EXPECT_EQ(proof_of("{energy_import_t1: \"12.346\"}"),
            "x.yaml:9:32: error: tests[0]: energy_import_t1 is 12.345, not 12.346");
  EXPECT_EQ(proof_of("{energy_import_t2: \"1\"}"),
            "x.yaml:9:32: error: tests[0]: there is no reading energy_import_t2");
}

TEST(ProfileProof, AWrongAnswerIsToldWithItsPlace) {
  ProfileLibrary library;
  const auto added = library.add(R"(format: 1
id: x
vendor: v
model: m
protocol: modbus
interval: 5s
registers:
  - {key: power, address: 0}
tests:
  - exchange:
      "01 03 00 00 00 01 84 0a": "01 03 02 00 05 78 47"
      "01 03 00 01 00 01 d5 ca": "01 03 02 00 05 78 48"
    expect: {power: "5"}
)",
                                 "x.yaml");
  ASSERT_TRUE(added) << added.error().detail();
  const auto wrong = prove(library.all().front());
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->str(), "x.yaml:12:34: error: tests[0]: the CRC is wrong");
}

}  // namespace meterbridge::meter
