// SPDX-License-Identifier: MIT
// P45: a table of broken files, each with the messages that it must give. To approve changed
// messages run the program with METERBRIDGE_APPROVE=1 and read the diff.
#include "unit/config/catalogue.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

const std::filesystem::path folder =
    std::filesystem::path(METERBRIDGE_SOURCE_DIR) / "tests/unit/config/broken";

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> broken_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string messages_for(const std::filesystem::path& file) {
  Problems problems;
  const Node root =
      parse_yaml(content_of(file), file.filename().string(), test_sources(), problems);
  if (root.kind != Kind::null || !problems.any_error())
    read_settings(root, test_catalogue(), problems);
  return printed(problems);
}

}  // namespace

TEST(BrokenConfiguration, TableHasAtLeastFiftyFiles) {
  EXPECT_GE(broken_files().size(), 50U);
}

TEST(BrokenConfiguration, EveryFileGivesItsApprovedMessages_P45) {
  for (const auto& file : broken_files()) {
    const std::string messages = messages_for(file);
    auto expected = file;
    expected.replace_extension(".expected");
    if (std::getenv("METERBRIDGE_APPROVE") != nullptr)
      std::ofstream(expected, std::ios::binary) << messages;
    EXPECT_EQ(messages, content_of(expected)) << file;
    EXPECT_NE(messages.find(": error: "), std::string::npos) << file;
  }
}

TEST(BrokenConfiguration, EveryMessageHasFileLineAndColumn_P45) {
  for (const auto& file : broken_files()) {
    std::istringstream lines(messages_for(file));
    const std::string name = file.filename().string() + ":";
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(line.substr(0, name.size()), name);
      int row = 0;
      int column = 0;
      EXPECT_EQ(std::sscanf(line.c_str() + name.size(), "%d:%d:", &row, &column), 2) << line;
      EXPECT_GE(row, 1) << line;
      EXPECT_GE(column, 1) << line;
    }
  }
}

TEST(BrokenConfiguration, NoMessageRepeatsASecret) {
  for (const auto& file : broken_files())
    EXPECT_EQ(messages_for(file).find("planted"), std::string::npos) << file;
}

}  // namespace meterbridge::config
