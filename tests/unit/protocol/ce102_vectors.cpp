// SPDX-License-Identifier: MIT
#include "bytes_of.hpp"
#include "protocol/ce102/ce102.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace meterbridge::protocol::ce102 {
namespace {

using nlohmann::json;
using test::hex;
using test::reading;

json load(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(stream, nullptr, false);
}

std::string text_of(const json& vector, const char* name) {
  const auto at = vector.find(name);
  return at == vector.end() || at->is_null() ? std::string() : at->get<std::string>();
}

std::string item(const Telegram& telegram, const std::string& address) {
  const Item* found = telegram.find(address);
  if (found == nullptr) return "absent";
  if (found->value) return found->value->str() + (found->unit.empty() ? "" : " " + found->unit);
  if (found->text) return *found->text;
  std::string text;
  for (const std::string& group : found->groups)
    text += "(" + group + ")";
  return text;
}

std::vector<Decoded> decode(const std::string& sent, const std::string& heard,
                            const SettingValues& settings) {
  if (sent.empty()) return ce102_protocol.decode(hex(heard), settings);
  std::vector<TranscriptLine> lines(2);
  lines[0].sent = true;
  lines[0].bytes = hex(sent);
  lines[1].bytes = hex(heard);
  return ce102_protocol.decode_transcript(lines, settings);
}

SettingValues settings_of_vector(const json& vector) {
  SettingValues values = default_settings(ce102_protocol.settings);
  const auto set = vector.find("settings");
  if (set == vector.end()) return values;
  for (const auto& [name, text] : set->items()) {
    for (const SettingSpec& spec : ce102_protocol.settings) {
      if (spec.name != name) continue;
      auto value = parse_setting(spec, text.get<std::string>());
      EXPECT_TRUE(value);
      if (value) values.set(name, *value);
    }
  }
  return values;
}

class OurVector : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(OurVector, EachDecodesAsItWasConstructed) {
  const json vectors = load(METERBRIDGE_SOURCE_DIR "/tests/vectors/ce102/frames.json");
  ASSERT_GT(vectors.size(), 40U);
  for (const json& vector : vectors) {
    SCOPED_TRACE(text_of(vector, "name"));
    const auto all =
        decode(text_of(vector, "sent"), text_of(vector, "heard"), settings_of_vector(vector));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(name(all[0].status), text_of(vector, "status")) << all[0].error;
    EXPECT_EQ(all[0].error.empty(), all[0].ok());
    EXPECT_EQ(test::reading_count(all[0].telegram), vector["readings"].size());
    for (const auto& [key, value] : vector["readings"].items()) {
      EXPECT_EQ(reading(all[0].telegram, key), value.get<std::string>());
    }
    if (!vector.contains("items")) continue;
    for (const auto& [address, value] : vector["items"].items()) {
      EXPECT_EQ(item(all[0].telegram, address), value.get<std::string>());
    }
  }
}

class SharedVectors : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path file = METERBRIDGE_SHARED_VECTORS "/ce102/frames.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no shared vectors here";
    vectors = load(file);
  }

  json vectors;
};

TEST_F(SharedVectors, EveryExchangeHasItsExpectedEnergy) {
  std::size_t checked = 0;
  for (const json& vector : vectors) {
    const json& expect = vector["expect"];
    const std::string sent = text_of(vector, "request_hex");
    const std::string heard = text_of(vector, "response_hex");
    if (heard.empty()) continue;
    SCOPED_TRACE(text_of(vector, "name"));
    const auto all = decode(sent, heard, default_settings(ce102_protocol.settings));
    ASSERT_EQ(all.size(), 1U);
    if (expect.contains("valid")) {
      EXPECT_EQ(all[0].status,
                text_of(expect, "reason") == "crc" ? Status::checksum : Status::malformed);
    } else if (expect.contains("error")) {
      EXPECT_EQ(all[0].status, Status::exception);
    } else {
      EXPECT_EQ(all[0].status, Status::ok) << all[0].error;
      EXPECT_EQ(sent.empty(), test::reading_count(all[0].telegram) == 0 &&
                                  !expect.contains("ping_addr") && !expect.contains("power_raw") &&
                                  !expect.contains("part"));
    }
    if (!expect.contains("energy_raw")) continue;
    const Decimal kwh(expect["energy_raw"].get<std::int64_t>(), -2);
    ASSERT_FALSE(all[0].telegram.items.empty());
    EXPECT_EQ(all[0].telegram.items[0].value->str(), kwh.str());
    ++checked;
  }
  EXPECT_GE(checked, 6U);
}

TEST_F(SharedVectors, TheSerialNumberOfTwoPartsIsJoined) {
  std::vector<TranscriptLine> lines;
  std::string expected;
  for (const json& vector : vectors) {
    if (!vector["expect"].contains("part")) continue;
    for (const char* side : {"request_hex", "response_hex"}) {
      TranscriptLine line;
      line.sent = std::string_view(side) == "request_hex";
      line.bytes = hex(text_of(vector, side));
      lines.push_back(line);
    }
    if (vector["expect"].contains("serial")) expected = text_of(vector["expect"], "serial");
  }
  ASSERT_EQ(lines.size(), 4U);
  const auto all =
      ce102_protocol.decode_transcript(lines, default_settings(ce102_protocol.settings));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(reading(all[1].telegram, "serial"), expected);
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
