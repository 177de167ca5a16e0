// SPDX-License-Identifier: MIT
// Our own constructed telegrams, and captured ones of the shared collection, where it is present.
#include "dlms_support.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace {

using namespace dlms_test;
using nlohmann::json;
using test::hex;

// NAME.txt: a stream in hex digits; NAME.expected: the objects of `decode --json`, one a line.
TEST(DlmsConstructed, EveryStreamIsReadAsApproved) {
  const std::filesystem::path folder = METERBRIDGE_SOURCE_DIR "/tests/vectors/dlms";
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream file(entry.path());
    const std::string stream((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::string> expected;
    std::ifstream approved(std::filesystem::path(entry.path()).replace_extension("expected"));
    for (std::string line; std::getline(approved, line);)
      expected.push_back(line);
    SettingValues values = settings("kaifa-ma309m", key_hex, auth_hex);
    values.set("clock", std::string("standard"));
    EXPECT_EQ(as_json(decode(hex(stream), values)), expected);
    ++compared;
  }
  EXPECT_GE(compared, 23U);
}

json load(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(stream, nullptr, false);
}

std::string text_of(const json& vector, const char* name) {
  const auto at = vector.find(name);
  return at == vector.end() || !at->is_string() ? std::string() : at->get<std::string>();
}

class DlmsVectors : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path folder = METERBRIDGE_SHARED_VECTORS "/dlms";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared vectors here";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      for (const json& vector : load(entry.path()))
        vectors.push_back(vector);
    }
  }

  static std::vector<Decoded> decoded(const json& vector, const std::string& stream) {
    return decode(hex(stream), settings("kaifa-ma309m", lower_hex(text_of(vector, "key_hex")),
                                        lower_hex(text_of(vector, "auth_key_hex"))));
  }

  static std::string lower_hex(std::string text) {
    for (char& c : text)
      c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  }

  std::vector<json> vectors;
};

void compare(const json& expect, const Telegram& telegram) {
  for (const auto& [address, value] : expect["values"].items()) {
    const Item* item = telegram.find(address);
    ASSERT_NE(item, nullptr) << address;
    ASSERT_TRUE(item->value) << address;
    const Decimal wanted =
        *Decimal(value["raw"].get<std::int64_t>()).shifted(value["scaler"].get<int>());
    EXPECT_EQ(*item->value, wanted) << address;
    EXPECT_EQ(item->unit, value["unit"].get<std::string>()) << address;
  }
  for (const auto& [address, text] : expect["text"].items()) {
    const Item* item = telegram.find(address);
    ASSERT_NE(item, nullptr) << address;
    ASSERT_TRUE(item->text) << address;
    EXPECT_EQ(*item->text, text.get<std::string>()) << address;
  }
}

TEST_F(DlmsVectors, EveryCaptureIsReadValueByValue) {
  std::size_t values = 0;
  for (const json& vector : vectors) {
    if (!vector.contains("frames_hex") || text_of(vector, "framing") == "p1") continue;
    SCOPED_TRACE(text_of(vector, "name"));
    std::string stream;
    for (const json& frame : vector["frames_hex"])
      stream += frame.get<std::string>();
    const auto found = decoded(vector, stream);
    const json& expect = vector["expect"];
    if (text_of(expect, "result") == "no_key") {
      EXPECT_EQ(statuses(found), Names{"key"});
      continue;
    }
    ASSERT_EQ(statuses(found), Names{"ok"}) << found[0].error;
    EXPECT_EQ(found[0].length, stream.size() / 2);
    compare(expect, found[0].telegram);
    values += expect["values"].size();
  }
  EXPECT_GE(values, 300U);
}

TEST_F(DlmsVectors, EveryFaultHasItsReason) {
  const std::map<std::string, std::string> reasons = {{"checksum", "checksum"},
                                                      {"sequence", "truncated"},
                                                      {"incomplete", "truncated"},
                                                      {"bad_length", "malformed"},
                                                      {"malformed_apdu", "malformed"},
                                                      {"unsupported", "unsupported"},
                                                      {"no_key", "key"},
                                                      {"garbage_plaintext", "key"},
                                                      {"auth_failed", "authentication"},
                                                      {"replay", "replay"}};
  std::size_t faults = 0;
  for (const json& vector : vectors) {
    if (!vector.contains("stream_hex")) continue;
    SCOPED_TRACE(text_of(vector, "name"));
    const auto found = decoded(vector, text_of(vector, "stream_hex"));
    const json& expect = vector["expect"];
    EXPECT_EQ(good(found), expect["accepted"].get<std::size_t>());
    std::set<std::string> allowed;
    for (const json& reason : expect["rejected"])
      allowed.insert(reasons.at(reason.get<std::string>()));
    for (const Decoded& decoded : found) {
      if (decoded.ok()) continue;
      EXPECT_TRUE(allowed.contains(std::string(name(decoded.status))))
          << name(decoded.status) << ": " << decoded.error;
    }
    EXPECT_EQ(good(found) == found.size(), allowed.empty());
    // In any cut the same.
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      Dice dice(seed);
      const SettingValues values = settings("kaifa-ma309m", lower_hex(text_of(vector, "key_hex")),
                                            lower_hex(text_of(vector, "auth_key_hex")));
      EXPECT_EQ(in_pieces(hex(text_of(vector, "stream_hex")), values, dice), as_json(found));
    }
    ++faults;
  }
  EXPECT_GE(faults, 35U);
}

}  // namespace
