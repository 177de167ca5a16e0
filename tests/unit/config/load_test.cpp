// SPDX-License-Identifier: MIT
#include "config/load.hpp"

#include "unit/config/catalogue.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace meterbridge::config {
namespace {

class LoadSettings : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "meterbridge-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

constexpr const char* with_secret =
    "mqtt: {username: u, password: !secret mqtt_password}\n"
    "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}}\n";

}  // namespace

TEST_F(LoadSettings, ReadsSecretsBesideTheFile) {
  write("secrets.yaml", "mqtt_password: 0123\nother: 1\n");
  Problems problems;
  const Settings settings = load_settings(write("m.yaml", with_secret), test_catalogue(), problems);
  EXPECT_EQ(printed(problems), "");
  EXPECT_EQ(settings.mqtt.password.reveal(), "0123");
}

TEST_F(LoadSettings, SaysWhenThereAreNoSecrets) {
  const std::string file = write("m.yaml", with_secret);
  Problems problems;
  load_settings(file, test_catalogue(), problems);
  EXPECT_EQ(
      printed(problems),
      file +
          ":1:31: error: mqtt.password: secrets.yaml beside this file has no \"mqtt_password\"\n" +
          (folder_ / "secrets.yaml").string() + ": error: there is no such file\n");
}

TEST_F(LoadSettings, SaysWhatIsWrongWithSecretsWithoutRepeatingThem) {
  const std::string file = write("m.yaml", with_secret);
  write("secrets.yaml", "mqtt_password: [planted\n");
  Problems problems;
  load_settings(file, test_catalogue(), problems);
  EXPECT_TRUE(problems.any_error());
  EXPECT_NE(printed(problems).find("secrets.yaml:"), std::string::npos) << printed(problems);
  EXPECT_EQ(printed(problems).find("planted"), std::string::npos);
}

TEST_F(LoadSettings, DoesNotAskForSecretsThatNobodyNeeds) {
  Problems problems;
  load_settings(write("m.yaml", "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}}\n"),
                test_catalogue(), problems);
  EXPECT_EQ(printed(problems), "");
}

TEST_F(LoadSettings, MissingFileDirectoryAndEndlessDeviceAreProblems) {
  for (const std::string& file :
       {(folder_ / "none.yaml").string(), folder_.string(), std::string("/dev/zero")}) {
    Problems problems;
    load_settings(file, test_catalogue(), problems);
    EXPECT_TRUE(problems.any_error()) << file;
    EXPECT_EQ(problems.all().size(), 1U) << printed(problems);
  }
}

TEST_F(LoadSettings, BrokenSyntaxIsTheOnlyProblem) {
  Problems problems;
  load_settings(write("m.yaml", "mqtt: {host: x\nmeters:\n"), test_catalogue(), problems);
  EXPECT_EQ(problems.all().size(), 1U) << printed(problems);
}

TEST_F(LoadSettings, StateDirectoryComesFromTheFileTheServiceManagerOrTheDefault) {
  const std::string plain =
      write("m.yaml", "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}}\n");
  const std::string given =
      write("n.yaml",
            "state_directory: /given\nmeters:\n  - {id: a, profile: p1, link: {serial: /dev/x}}\n");
  Problems problems;
  ::setenv("STATE_DIRECTORY", "/one:/two", 1);
  EXPECT_EQ(load_settings(plain, test_catalogue(), problems).state_directory, "/one");
  EXPECT_EQ(load_settings(given, test_catalogue(), problems).state_directory, "/given");
  ::unsetenv("STATE_DIRECTORY");
  EXPECT_EQ(load_settings(plain, test_catalogue(), problems).state_directory,
            "/var/lib/meterbridge");
}

}  // namespace meterbridge::config
