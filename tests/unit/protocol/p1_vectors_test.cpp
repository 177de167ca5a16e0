// SPDX-License-Identifier: MIT
// Captured telegrams of the shared collection, where it is present, and our own constructed ones.
#include "protocol/p1/okosmero.hpp"
#include "unit/protocol/p1_support.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace p1_test;
using nlohmann::json;
namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> sidecars(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".json") && !name.ends_with(".mqtt.json")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

const fs::path shared = fs::path(METERBRIDGE_SHARED_VECTORS) / "p1";

std::vector<Decoded> decoded(const json& side, std::string_view stream) {
  SettingValues values = settings();
  if (side.contains("key")) values.set("key", Secret(lower(side.at("key").get<std::string>())));
  if (side.contains("authentication_key") && side.at("authentication_key").is_string()) {
    values.set("auth_key", Secret(side.at("authentication_key").get<std::string>()));
  }
  if (side.contains("crc") && side.at("crc").at("state") == "bad")
    values.set("crc", std::string("off"));
  return p1::p1_protocol.decode(to_bytes(stream), values);
}

void compare_group(const json& group, const Item& item, const std::string& name) {
  const std::string sent = group.value("raw", std::string());  // absent for bytes that are no text
  if (group.contains("unit")) {
    ASSERT_TRUE(item.value) << name;
    EXPECT_EQ(json::parse(item.value->str()).get<double>(), group.at("value").get<double>())
        << name;
    EXPECT_EQ(item.unit, group.at("unit").get<std::string>()) << name;
  } else if (item.value) {
    EXPECT_EQ(json::parse(item.value->str()).get<double>(), group.at("value").get<double>())
        << name;
  } else {
    ASSERT_TRUE(item.text) << name;
    if (group.contains("raw")) {
      EXPECT_EQ(*item.text, sent) << name;
    }
  }
}

void compare_objects(const json& objects, const Telegram& telegram) {
  std::vector<std::string> seen;
  for (const json& object : objects) {
    const std::string address = object.at("obis").get<std::string>() + "*255";
    if (std::find(seen.begin(), seen.end(), address) != seen.end()) continue;
    seen.push_back(address);
    const Item* item = telegram.find(address);
    const json& groups = object.at("groups");
    const bool impossible =
        groups[0].contains("time") && !groups[0].at("time").at("valid").get<bool>();
    if (impossible) {
      EXPECT_TRUE(item == nullptr || !item->value) << address;
      continue;
    }
    ASSERT_NE(item, nullptr) << address;
    if (groups.size() == 1) {
      compare_group(groups[0], *item, address);
    } else if (item->value) {
      ASSERT_TRUE(item->time) << address;
      EXPECT_EQ(iso_utc(*item->time), groups[0].at("time").at("utc").get<std::string>()) << address;
      compare_group(groups[1], *item, address);
    } else {
      ASSERT_EQ(item->groups.size(), groups.size()) << address;
      for (std::size_t i = 0; i < groups.size(); ++i) {
        EXPECT_EQ(item->groups[i], groups[i].at("raw").get<std::string>()) << address;
      }
    }
  }
}

void compare_submeters(const json& channels, const Telegram& telegram) {
  std::size_t living = 0;
  for (const json& channel : channels) {
    if (!channel.contains("value")) continue;
    ++living;
    const int type = channel.at("device_type").get<int>();
    const std::string medium = type == 3 ? "gas" : type == 4 ? "heat" : "water";
    const std::string id = medium + "_" + channel.at("id").get<std::string>();
    const std::string value = reading(telegram, medium, id);
    ASSERT_FALSE(value.empty()) << id;
    EXPECT_EQ(json::parse(value).get<double>(), channel.at("value").get<double>()) << id;
  }
  EXPECT_EQ(telegram.readings.size(), living + 1);
}

void compare(const json& side, const std::vector<Decoded>& found) {
  std::vector<const Decoded*> good;
  for (const Decoded& one : found) {
    if (one.ok()) good.push_back(&one);
  }
  if (side.contains("crc_ok_after_crlf_repair")) {
    EXPECT_EQ(good.size(), side.at("crc_ok_after_crlf_repair").get<std::size_t>());
    return;
  }
  if (side.contains("expected_good_telegrams")) {
    const json& expected = side.at("expected_good_telegrams");
    ASSERT_EQ(good.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(good[i]->telegram.time);
      EXPECT_EQ(iso_utc(*good[i]->telegram.time),
                expected[i].at("timestamp").at("utc").get<std::string>());
    }
    return;
  }
  ASSERT_EQ(good.size(), 1U);
  const Telegram& telegram = good[0]->telegram;
  EXPECT_EQ(telegram.identification, side.at("header").get<std::string>());
  if (side.contains("timestamp") && side.at("timestamp").contains("utc")) {
    ASSERT_TRUE(telegram.time);
    EXPECT_EQ(iso_utc(*telegram.time), side.at("timestamp").at("utc").get<std::string>());
  }
  if (side.contains("objects")) compare_objects(side.at("objects"), telegram);
  compare_submeters(side.value("mbus", json::array()), telegram);
}

TEST(P1Vectors, EverySharedCaptureIsReadAsItsSidecarSays) {
  if (!fs::exists(shared)) GTEST_SKIP() << "no shared vectors here";
  std::size_t compared = 0;
  for (const fs::path& path : sidecars(shared)) {
    SCOPED_TRACE(path.filename().string());
    const json side = json::parse(content(path));
    compare(side, decoded(side, content(shared / side.at("file").get<std::string>())));
    ++compared;
  }
  EXPECT_GE(compared, 24U);
}

TEST(P1Vectors, ACaptureWithAWrongCrcIsRefusedUnlessChecksAreOff) {
  if (!fs::exists(shared)) GTEST_SKIP() << "no shared vectors here";
  for (const fs::path& path : sidecars(shared)) {
    const json side = json::parse(content(path));
    if (!side.contains("crc") || side.at("crc").at("state") != "bad" || side.contains("key"))
      continue;
    SCOPED_TRACE(path.filename().string());
    EXPECT_EQ(statuses(decode(content(shared / side.at("file").get<std::string>()))),
              std::vector<Status>{Status::checksum});
  }
}

TEST(P1Vectors, TheOkosmeroDocumentsAreThoseOfTheFirmware) {
  if (!fs::exists(shared)) GTEST_SKIP() << "no shared vectors here";
  for (const std::string name : {"hu-eon-sagemcom", "hu-sanxing-ff-message"}) {
    const auto found = decode(content(shared / (name + ".txt")));
    ASSERT_EQ(found.size(), 1U);
    const auto document = p1::okosmero_json(found[0].telegram);
    ASSERT_TRUE(document);
    EXPECT_EQ(json::parse(*document), json::parse(content(shared / (name + ".mqtt.json")))) << name;
  }
}

// NAME.txt or .bin, and NAME.expected: the objects of `decode --json`, one a line. # NAME=VALUE
// lines on top are settings.
TEST(P1Vectors, OurConstructedStreamsAreReadAsApproved) {
  const fs::path folder = fs::path(METERBRIDGE_SOURCE_DIR) / "tests/vectors/p1";
  std::size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".expected") continue;
    SCOPED_TRACE(entry.path().filename().string());
    SettingValues values = settings();
    std::vector<std::string> expected;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      const std::size_t equals = line.find('=');
      if (!line.starts_with("# ")) {
        expected.push_back(line);
      } else {
        for (const SettingSpec& spec : p1::p1_protocol.settings) {
          if (spec.name != line.substr(2, equals - 2)) continue;
          auto stored = parse_setting(spec, line.substr(equals + 1));
          ASSERT_TRUE(stored);
          values.set(spec.name, *std::move(stored));
        }
      }
    }
    fs::path stream = entry.path();
    stream.replace_extension(".txt");
    if (!fs::exists(stream)) stream.replace_extension(".bin");
    EXPECT_EQ(as_json(p1::p1_protocol.decode(to_bytes(content(stream)), values)), expected);
    ++compared;
  }
  EXPECT_GE(compared, 12U);
}

}  // namespace
