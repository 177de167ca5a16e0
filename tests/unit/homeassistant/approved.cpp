// SPDX-License-Identifier: MIT
#include "approved.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {
namespace {

std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

std::string difference(const std::vector<std::string>& approved,
                       const std::vector<std::string>& facts) {
  std::vector<std::string> gone;
  std::vector<std::string> fresh;
  std::set_difference(approved.begin(), approved.end(), facts.begin(), facts.end(),
                      std::back_inserter(gone));
  std::set_difference(facts.begin(), facts.end(), approved.begin(), approved.end(),
                      std::back_inserter(fresh));
  std::string text;
  for (const std::string& line : gone)
    text += "- " + line + "\n";
  for (const std::string& line : fresh)
    text += "+ " + line + "\n";
  return text;
}

}  // namespace

std::vector<std::string> facts_of(const mqtt::Message& message) {
  const auto payload = nlohmann::json::parse(message.payload, nullptr, false);
  if (payload.is_discarded()) return {message.topic + " | " + message.payload};
  std::vector<std::string> facts;
  const auto flat = payload.flatten();
  for (const auto& [path, value] : flat.items()) {
    facts.push_back(message.topic + " | " + path + " = " + value.dump());
  }
  facts.push_back(message.topic + " | retain " + (message.retain ? "yes" : "no") + ", QoS " +
                  std::to_string(message.qos));
  std::sort(facts.begin(), facts.end());
  return facts;
}

std::vector<std::string> facts_of(const std::vector<mqtt::Message>& messages) {
  std::vector<std::string> all;
  for (const mqtt::Message& message : messages) {
    const auto facts = facts_of(message);
    all.insert(all.end(), facts.begin(), facts.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

void expect_approved(const std::string& name, const std::vector<std::string>& facts,
                     const std::string& word) {
  const std::string file =
      std::string(METERBRIDGE_SOURCE_DIR) + "/tests/unit/homeassistant/approved/" + name + ".txt";
  const char* wish = std::getenv("METERBRIDGE_APPROVE");
  if (wish != nullptr && wish == word) {
    std::ofstream out(file);
    for (const std::string& fact : facts)
      out << fact << '\n';
    return;
  }
  const auto approved = lines_of(file);
  ASSERT_FALSE(approved.empty()) << file << " is missing; METERBRIDGE_APPROVE=" << word
                                 << " writes it";
  EXPECT_EQ(approved, facts) << "differs from " << file << ":\n" << difference(approved, facts);
}

}  // namespace meterbridge::homeassistant::test
