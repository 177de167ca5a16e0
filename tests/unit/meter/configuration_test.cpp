// SPDX-License-Identifier: MIT
// The door that programs use, with the shipped profiles; every example of the repository goes
// through it.
#include "meter/configuration.hpp"

#include "meter/meter.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace meterbridge::meter {
namespace {

std::string printed(const config::Problems& problems) {
  std::string text;
  for (const config::Problem& problem : problems.all())
    text += problem.str() + "\n";
  return text;
}

class LoadConfiguration : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "meterbridge-meter-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

constexpr const char* own_profile =
    "format: 1\nid: my-meter\nvendor: Me\nmodel: One\nprotocol: ce102\ninterval: 20s\nsettings: "
    "{family: classic}\n";

}  // namespace

TEST_F(LoadConfiguration, TheBatteryOfAHeatMeterIsSpared) {
  const auto said = [&](const std::string& interval) {
    config::Problems problems;
    load_configuration(write("m.yaml",
                             "mqtt: {host: h}\nmeters:\n  - {id: h, profile: "
                             "landisgyr-ultraheat, link: {serial: /dev/x}" +
                                 interval + "}\n"),
                       problems);
    return printed(problems);
  };
  EXPECT_EQ(said(""), "");
  EXPECT_EQ(said(", interval: 1h"), "");
  EXPECT_NE(
      said(", interval: 30s").find("warning: meters[0]: each reading costs the meter's battery"),
      std::string::npos)
      << said(", interval: 30s");
}

TEST(Examples, EveryOneIsValidAndAllItsMetersCanBeMade) {
  ::setenv("METERBRIDGE_DEMO_HOST", "127.0.0.1", 1);
  ::setenv("METERBRIDGE_DEMO_PORT", "11883", 1);
  ::setenv("METERBRIDGE_DEMO_CE307", "/tmp/demo-ce307", 1);
  ::setenv("METERBRIDGE_DEMO_P1", "/tmp/demo-p1", 1);
  ::setenv("METERBRIDGE_DEMO_LU", "/tmp/demo-lu", 1);
  ::setenv("METERBRIDGE_DEMO_KEY", "5DC1A7F20B934E8866F1D29A30C7B45E", 1);
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(METERBRIDGE_SOURCE_DIR) + "/examples")) {
    const std::string file = entry.path().string();
    if (entry.path().extension() != ".yaml" || entry.path().filename() == "secrets.yaml") continue;
    EXPECT_NE(entry.path().filename(), "config.yaml") << "belongs to the Home Assistant app";
    config::Problems problems;
    const Configuration configuration = load_configuration(file, problems);
    // The secrets of the examples are none.
    for (const config::Problem& problem : problems.all())
      EXPECT_TRUE(problem.text.starts_with("everybody on this machine")) << problem.str();
    EXPECT_FALSE(configuration.settings.meters.empty()) << file;
    for (const config::MeterSettings& settings : configuration.settings.meters) {
      const Profile* profile = configuration.library.find(settings.profile);
      ASSERT_NE(profile, nullptr) << file;
      EXPECT_TRUE(Meter::make(settings, *profile)) << file;
    }
    ++count;
  }
  EXPECT_GE(count, 10U);
}

TEST(Examples, FirstConfigurationHasEightLines) {
  std::ifstream stream(std::string(METERBRIDGE_SOURCE_DIR) + "/examples/ce307.yaml");
  int lines = 0;
  for (std::string line; std::getline(stream, line);)
    lines += line.empty() || line.front() == '#' ? 0 : 1;
  EXPECT_EQ(lines, 8);
}

TEST_F(LoadConfiguration, KnowsTheUsersOwnProfiles) {
  write("profiles/mine.yaml", own_profile);
  write("profiles/notes.txt", "not a profile");
  config::Problems problems;
  const Configuration configuration = load_configuration(
      write("m.yaml",
            "profiles_directory: " + (folder_ / "profiles").string() +
                "\nmeters:\n  - {id: a, profile: my-meter, link: {serial: /dev/x}, address: 1}\n"),
      problems);
  EXPECT_EQ(printed(problems), "");
  ASSERT_EQ(configuration.settings.meters.size(), 1U);
  EXPECT_EQ(configuration.settings.meters[0].interval, std::chrono::seconds(20));
  EXPECT_EQ(configuration.settings.meters[0].protocol.text("family"), "classic");
}

TEST_F(LoadConfiguration, FindsProfilesBesideTheFileAndFromWhereItLies) {
  const std::string meters =
      "meters:\n  - {id: a, profile: my-meter, link: {serial: /dev/x}, address: 1}\n";
  write("profiles/mine.yaml", own_profile);
  std::filesystem::create_directories(folder_ / "kinds");
  for (const std::string& head : {std::string(), std::string("profiles_directory: profiles\n")}) {
    config::Problems problems;
    const Configuration found = load_configuration(write("m.yaml", head + meters), problems);
    EXPECT_EQ(printed(problems), "");
    EXPECT_NE(found.library.find("my-meter"), nullptr);
  }
  config::Problems problems;
  load_configuration(write("m.yaml", "profiles_directory: kinds\n" + meters), problems);
  EXPECT_NE(printed(problems).find("is no profile of this version"), std::string::npos);
}

TEST_F(LoadConfiguration, ProfilesAreFoundWithoutAConfiguration) {
  write("profiles/mine.yaml", own_profile);
  write("profiles/torn.yaml", "format: 1\nid: torn\n");
  config::Problems problems;
  const ProfileLibrary library = load_profiles((folder_ / "m.yaml").string(), problems);
  EXPECT_NE(library.find("my-meter"), nullptr);
  EXPECT_NE(library.find("p1"), nullptr);
  EXPECT_EQ(library.find("torn"), nullptr);
  EXPECT_NE(printed(problems).find("torn.yaml:1:1: error: needs the key \"vendor\""),
            std::string::npos)
      << printed(problems);
}

TEST_F(LoadConfiguration, HoldsTheProfilesOfItsMetersAndNoOthers) {
  write("profiles/mine.yaml", own_profile);
  write("profiles/other.yaml",
        "format: 1\nid: p1\nvendor: Me\nmodel: Mine\nprotocol: p1\ninterval: 1s\n");
  config::Problems problems;
  const Configuration found = load_configuration(
      write("m.yaml",
            "meters:\n  - {id: a, profile: energomera-ce307, link: {serial: /dev/x}, address: 1}\n"
            "  - {id: b, profile: p1, link: {serial: /dev/y}}\n"),
      problems);
  EXPECT_EQ(printed(problems), "");
  EXPECT_EQ(found.library.names(), (std::vector<std::string_view>{"energomera-ce307", "p1"}));
  EXPECT_EQ(found.library.find("p1")->vendor, "Me");
  EXPECT_TRUE(found.library.find("energomera-ce307")->tests.empty());
}

TEST_F(LoadConfiguration, AFaultyProfileOfTheUserTakesNoShippedOnesPlace) {
  const std::string profile = write("profiles/p1.yaml", "format: 1\nid: p1\n");
  config::Problems problems;
  load_configuration(
      write("m.yaml", "meters:\n  - {id: a, profile: p1, kye: 1, link: {serial: /dev/y}}\n"),
      problems);
  EXPECT_NE(printed(problems).find(profile + ":1:1: error"), std::string::npos);
  EXPECT_NE(printed(problems).find("in a meter with profile p1; did you mean \"key\"?"),
            std::string::npos)
      << printed(problems);
}

TEST_F(LoadConfiguration, KnowsTheWholeCatalogueWhereAMeterNamesNoneOfIt) {
  for (const std::string meter : {"{id: a, profile: energomera-ce30, link: {serial: /dev/x}}",
                                  "{id: a, link: {serial: /dev/x}, addres: 1}"}) {
    config::Problems problems;
    load_configuration(
        write("m.yaml", "meters:\n  - {id: b, profile: p1, link: {serial: /dev/y}}\n  - " + meter),
        problems);
    const std::string text = printed(problems);
    EXPECT_NE(text.find(meter.find("ce30") != std::string::npos
                            ? "did you mean \"energomera-ce30"
                            : "in a meter; did you mean \"address\"?"),
              std::string::npos)
        << text;
  }
}

TEST_F(LoadConfiguration, OneProfileIsFoundWithoutTheOthers) {
  const std::string file = (folder_ / "m.yaml").string();
  config::Problems problems;
  EXPECT_EQ(load_profiles(file, problems, "p1").all().size(), 1U);
  EXPECT_EQ(load_profiles(file, problems, "p11").all().size(), embedded_profiles().size());
  EXPECT_EQ(printed(problems), "");
}

TEST_F(LoadConfiguration, FaultsOfProfilesAndOfTheFileComeTogether) {
  const std::string profile = write("profiles/mine.yaml", "format: 1\nid: my-meter\n");
  const std::string file =
      write("m.yaml",
            "profiles_directory: " + (folder_ / "profiles").string() +
                "\nmqtt: {prot: 1}\nmeters:\n  - {id: a, profile: p1, link: {serial: /dev/x}}\n");
  config::Problems problems;
  load_configuration(file, problems);
  EXPECT_NE(printed(problems).find(file + ":2:8: error: mqtt.prot"), std::string::npos)
      << printed(problems);
  EXPECT_NE(printed(problems).find(profile + ":1:1: error: needs the key \"vendor\""),
            std::string::npos)
      << printed(problems);
}

TEST_F(LoadConfiguration, FolderThatIsNotThereIsAProblem) {
  config::Problems problems;
  load_configuration(write("m.yaml",
                           "profiles_directory: /no/such/folder\nmeters:\n  - {id: a, profile: p1, "
                           "link: {serial: /dev/x}}\n"),
                     problems);
  ASSERT_EQ(problems.all().size(), 1U) << printed(problems);
  EXPECT_EQ(problems.all()[0].path, "profiles_directory");
}

TEST_F(LoadConfiguration, WhatTheDriverRefusesIsAProblemOfItsMeter_P23) {
  config::Problems problems;
  const std::string file =
      write("m.yaml",
            "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}, auth_key: planted}\n"
            "  - {id: b, profile: nonsense, link: {serial: /dev/y}}\n");
  load_configuration(file, problems);
  const std::string text = printed(problems);
  EXPECT_NE(text.find(file + ":2:5: error: meters[0]: auth_key must be 32 hex digits"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("meters[1].profile"), std::string::npos) << text;
  EXPECT_EQ(text.find("planted"), std::string::npos);
}

TEST_F(LoadConfiguration, ExampleKeysAreRefusedWithAnExplanation_P23) {
  for (const std::string key :
       {"00000000000000000000000000000000", "000102030405060708090A0B0C0D0E0F"}) {
    config::Problems problems;
    load_configuration(
        write("m.yaml",
              "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}, key: \"" + key + "\"}\n"),
        problems);
    ASSERT_EQ(problems.all().size(), 1U) << printed(problems);
    EXPECT_TRUE(problems.all()[0].text.starts_with("this key is refused: ")) << printed(problems);
    EXPECT_EQ(printed(problems).find(key), std::string::npos);
  }
}

}  // namespace meterbridge::meter
