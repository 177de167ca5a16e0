// SPDX-License-Identifier: MIT
#include "app/known.hpp"

#include "app/state_store.hpp"
#include "io/state_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

struct Folder : ::testing::Test {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "meterbridge-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }

  ~Folder() override { std::filesystem::remove_all(path); }

  std::filesystem::path path;
};

Known some() {
  Known known;
  known.client_id = "meterbridge-0123abcd";
  KnownMeter& meter = known.meters["house"];
  meter.identity.serial = "4711";
  homeassistant::EntityFacts entity;
  entity.key = make_key(Quantity::energy, Direction::import);
  entity.unit = Unit::kWh;
  entity.precision = 3;
  meter.entities.emplace(entity.key, entity);
  meter.components = {{"energy_import", "sensor"}};
  meter.discovery = {"homeassistant/device/meterbridge_house/config"};
  meter.topics = {"meterbridge/house/state"};
  return known;
}

TEST(Known, SurvivesTheWayThroughItsFile) {
  const std::string text = some().json();
  const auto again = Known::parse(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->json(), text);
}

TEST(Known, NeverCrashesOnDamageAndNeverGuesses) {
  const std::string text = some().json();
  for (std::size_t cut = 0; cut + 2 < text.size(); ++cut)
    EXPECT_FALSE(Known::parse(text.substr(0, cut)));
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    (void)Known::parse(damaged);
  }
}

TEST_F(Folder, AFileIsWrittenWholeWithModeAndFolder) {
  const std::string file = path / "a" / "b" / "state.json";
  ASSERT_TRUE(io::write_atomically(file, "one"));
  ASSERT_TRUE(io::write_atomically(file, "two"));
  const auto content = io::read_whole(file);
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, "two");
  EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write |
                std::filesystem::perms::group_read);
  EXPECT_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_F(Folder, ADamagedFileIsMovedAsideAndNamed) {
  const std::string file = path / "state.json";
  std::ofstream(file) << "{\"format\":1,";
  std::vector<std::string> lines;
  StateStore store(file, {"lost", "unkept"},
                   [&](bool, const std::string& line) { lines.push_back(line); });
  EXPECT_TRUE(store.load_as<Known>().meters.empty());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find(file), std::string::npos);
  EXPECT_NE(lines[1].find("lost"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(file + ".damaged"));
}

TEST_F(Folder, ADamagedFileHasAPreviousGeneration) {
  const std::string file = path / "state.json";
  std::vector<std::string> lines;
  StateStore store(file, {"lost", "unkept"},
                   [&](bool, const std::string& line) { lines.push_back(line); });
  store.save(some().json());
  Known changed = some();
  changed.client_id = "another";
  store.save(changed.json());
  EXPECT_EQ(store.load_as<Known>().client_id, "another");
  std::ofstream(file) << "half a fi";
  EXPECT_EQ(store.load_as<Known>().client_id, some().client_id);
  std::filesystem::remove(file);
  EXPECT_EQ(store.load_as<Known>().client_id, some().client_id) << "a missing file";
}

TEST_F(Folder, AFolderThatCannotBeWrittenIsSaidOnce) {
  std::ofstream(path / "in_the_way") << "x";
  std::vector<std::string> lines;
  StateStore store(path / "in_the_way" / "state.json", {"lost", "unkept"},
                   [&](bool, const std::string& line) { lines.push_back(line); });
  store.save(some().json());
  store.save(some().json());
  EXPECT_EQ(lines.size(), 1U);
}

}  // namespace
}  // namespace meterbridge::app
