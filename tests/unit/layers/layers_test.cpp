// SPDX-License-Identifier: MIT
// The include graph of src against the layer table; and the check itself against sources that break
// it.
#include "unit/layers/rules.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Path relative to src -> content.
std::map<std::string, std::string> sources() {
  const fs::path root = fs::path(METERBRIDGE_SOURCE_DIR) / "src";
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (extension == ".cpp" || extension == ".hpp") {
      found[fs::relative(entry.path(), root).generic_string()] = read(entry.path());
    }
  }
  return found;
}

std::string texts(const std::vector<layers::Violation>& violations) {
  std::string out;
  for (const auto& violation : violations)
    out += "\n  " + violation.text();
  return out;
}

// What the check says of one line in a file, empty when it is in order.
std::string verdict(std::string_view file, const std::string& line) {
  const auto found = layers::check(file, "// SPDX-License-Identifier: MIT\n\n" + line + "\n");
  return found.empty() ? std::string() : found.front().text();
}

}  // namespace

TEST(Layers, EverySourceKeepsToTheTable) {
  const auto all = sources();
  ASSERT_GT(all.size(), 20U) << "the sources were not found";
  std::vector<layers::Violation> violations;
  for (const auto& [file, content] : all) {
    const auto found = layers::check(file, content);
    violations.insert(violations.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(violations.empty()) << violations.size()
                                  << " lines break the layer table:" << texts(violations);
}

TEST(Layers, OwnIncludesExist) {
  const auto all = sources();
  const fs::path root = fs::path(METERBRIDGE_SOURCE_DIR) / "src";
  for (const auto& [file, content] : all) {
    int number = 0;
    std::size_t at = 0;
    while (at < content.size()) {
      const std::string line = content.substr(at, content.find('\n', at) - at);
      at += line.size() + 1;
      ++number;
      if (!line.starts_with("#include \"")) continue;
      const std::string name = line.substr(10, line.find('"', 10) - 10);
      EXPECT_TRUE(fs::exists(root / name))
          << "src/" << file << ":" << number << ": there is no src/" << name;
    }
  }
}

TEST(Layers, TheBuildLinksTheSameTable) {
  const auto linked =
      layers::linked_layers(read(fs::path(METERBRIDGE_SOURCE_DIR) / "src" / "CMakeLists.txt"));
  ASSERT_EQ(linked.size(), layers::table().size());
  for (const auto& built : linked) {
    const layers::Layer* row = layers::find_layer(built.name);
    ASSERT_NE(row, nullptr) << "src/CMakeLists.txt has the layer " << built.name
                            << ", the table has not";
    std::vector<std::string> expected(row->uses.begin(), row->uses.end());
    for (const auto part : row->parts)
      expected.emplace_back(part.substr(0, part.find('/')));
    std::vector<std::string> uses = built.uses;
    std::sort(expected.begin(), expected.end());
    std::sort(uses.begin(), uses.end());
    EXPECT_EQ(uses, expected) << "of layer " << built.name;
  }
}

TEST(Layers, TheTableHasNoCircle) {
  // A layer may use only what stands above it in the table.
  std::vector<std::string_view> above;
  for (const auto& layer : layers::table()) {
    for (const auto used : layer.uses) {
      EXPECT_EQ(std::count(above.begin(), above.end(), used), 1) << layer.name << " uses " << used;
    }
    above.push_back(layer.name);
  }
}

TEST(Layers, OnlyOneFileKnowsLibmosquitto) {
  std::vector<std::string> users;
  for (const auto& [file, content] : sources()) {
    if (content.find("#include <mosquitto.h>") != std::string::npos) users.push_back(file);
  }
  EXPECT_EQ(users.size(), 1U) << testing::PrintToString(users);
}

TEST(Layers, EverySourceNamesItsLicence) {
  for (const auto& [file, content] : sources()) {
    EXPECT_TRUE(content.starts_with("// SPDX-License-Identifier: MIT\n")) << "src/" << file << ":1";
    if (file.ends_with(".hpp")) {
      EXPECT_NE(content.find("\n#pragma once\n"), std::string::npos)
          << "src/" << file << " has no #pragma once";
    }
  }
}

TEST(LayerCheck, NamesFileAndLineOfAForbiddenArrow) {
  EXPECT_EQ(verdict("meter/plan.cpp", "#include \"io/line.hpp\""),
            "src/meter/plan.cpp:3: meter may not include \"io/line.hpp\"; it may use core, "
            "protocol, config");
  EXPECT_NE(verdict("core/text.cpp", "#include \"protocol/dialogue.hpp\""), "");
  EXPECT_NE(verdict("protocol/p1/frame.cpp", "  #  include \"meter/meter.hpp\""), "");
  EXPECT_NE(verdict("homeassistant/state.cpp", "#include \"mqtt/broker.hpp\""), "");
  EXPECT_NE(verdict("io/line.cpp", "#include \"app/service.hpp\""), "");
  EXPECT_NE(verdict("app/service.cpp", "#include \"cli/log.hpp\""), "");
  EXPECT_NE(verdict("core/text.cpp", "#include \"bytes.hpp\""), "");
  EXPECT_NE(verdict("app/service.cpp", "#include \"banana/peel.hpp\""), "");
  EXPECT_NE(verdict("banana/peel.cpp", ""), "");
}

TEST(LayerCheck, LetsAllowedArrowsPass) {
  EXPECT_EQ(verdict("meter/plan.cpp", "#include \"config/document.hpp\""), "");
  EXPECT_EQ(verdict("homeassistant/state.cpp", "#include \"mqtt/message.hpp\""), "");
  EXPECT_EQ(verdict("protocol/p1/frame.cpp", "#include \"protocol/p1/frame.hpp\""), "");
  EXPECT_EQ(verdict("io/links.cpp", "#include \"mqtt/broker.hpp\""), "");
  EXPECT_EQ(verdict("cli/run.cpp", "#include \"app/service.hpp\""), "");
}

TEST(LayerCheck, KeepsLibrariesWhereTheyBelong) {
  EXPECT_NE(verdict("meter/plan.cpp", "#include <nlohmann/json.hpp>"), "");
  EXPECT_NE(verdict("config/json.hpp", "#include <nlohmann/json.hpp>"), "") << "not in headers";
  EXPECT_EQ(verdict("config/json.cpp", "#include <nlohmann/json.hpp>"), "");
  EXPECT_EQ(verdict("config/json.hpp", "#include <nlohmann/json_fwd.hpp>"), "");
  EXPECT_NE(verdict("config/document.hpp", "#include <yaml-cpp/yaml.h>"), "");
  EXPECT_NE(verdict("mqtt/broker.cpp", "#include <spdlog/spdlog.h>"), "");
  EXPECT_NE(verdict("app/bridge.hpp", "#include <spdlog/spdlog.h>"), "");
  EXPECT_EQ(verdict("app/bridge.cpp", "#include <spdlog/spdlog.h>"), "");
  EXPECT_EQ(verdict("app/log.hpp", "#include <spdlog/fmt/fmt.h>"), "");
  EXPECT_NE(verdict("io/links.cpp", "#include <spdlog/fmt/fmt.h>"), "");
  EXPECT_NE(verdict("mqtt/broker.hpp", "#include <mosquitto.h>"), "");
  EXPECT_NE(verdict("app/bridge.cpp", "#include <mosquitto.h>"), "");
  EXPECT_NE(verdict("protocol/p1/cipher.hpp", "#include <openssl/evp.h>"), "");
  EXPECT_EQ(verdict("protocol/p1/cipher.cpp", "#include <openssl/evp.h>"), "");
  EXPECT_NE(verdict("protocol/p1/frame.cpp", "#include <boost/asio/awaitable.hpp>"), "");
  EXPECT_EQ(verdict("io/line.hpp", "#include <boost/asio/awaitable.hpp>"), "");
  EXPECT_NE(verdict("core/bytes.cpp", "#include <boost/algorithm/hex.hpp>"), "");
  EXPECT_NE(verdict("io/line.cpp", "#include <curl/curl.h>"), "");
}

TEST(LayerCheck, ForbidsSlowHeadersEverywhere) {
  for (const char* header : {"<regex>", "<iostream>", "<boost/asio.hpp>"}) {
    for (const auto& layer : layers::table()) {
      EXPECT_NE(verdict(std::string(layer.name) + "/x.cpp", std::string("#include ") + header), "")
          << header;
    }
  }
}

TEST(LayerCheck, KeepsTheWorldOutOfPureLayers) {
  for (const char* header : {"<fstream>", "<unistd.h>", "<sys/socket.h>", "<thread>", "<ctime>"}) {
    EXPECT_NE(verdict("protocol/p1/frame.cpp", std::string("#include ") + header), "") << header;
    EXPECT_NE(verdict("meter/meter.cpp", std::string("#include ") + header), "") << header;
    EXPECT_EQ(verdict("io/serial.cpp", std::string("#include ") + header), "") << header;
  }
  EXPECT_EQ(verdict("config/load.cpp", "#include <fstream>"), "");
  EXPECT_NE(verdict("config/document.cpp", "#include <fstream>"), "");
  EXPECT_EQ(verdict("core/time.cpp", "#include <ctime>"), "");
  EXPECT_NE(verdict("meter/meter.cpp", "  const auto now = std::chrono::steady_clock::now();"), "");
  EXPECT_EQ(verdict("io/line.cpp", "  const auto now = std::chrono::steady_clock::now();"), "");
}

TEST(LayerCheck, ForbidsToAwaitInAConditionBecauseTheCompilerBreaksIt) {
  EXPECT_EQ(verdict("io/line.cpp", "  if (co_await stopping()) co_return 1;"),
            "src/io/line.cpp:3: co_await in a condition: name its result first");
  EXPECT_NE(verdict("io/line.cpp", "  while (more && !(co_await next())) {"), "");
  EXPECT_EQ(verdict("io/line.cpp", "  if (leaving) co_await farewell();"), "");
  EXPECT_EQ(verdict("io/line.cpp", "  if (!ended) co_await (readable() || writable());"), "");
}

TEST(LayerCheck, ReadsTheLayersOfABuildFile) {
  const auto linked = layers::linked_layers(
      "function(meterbridge_layer name)\n\nmeterbridge_layer(core)\n"
      "meterbridge_layer(io USES core mqtt\n  PRIVATE Threads::Threads)\n");
  ASSERT_EQ(linked.size(), 2U);
  EXPECT_EQ(linked[0].name, "core");
  EXPECT_TRUE(linked[0].uses.empty());
  EXPECT_EQ(linked[1].name, "io");
  EXPECT_EQ(linked[1].uses, (std::vector<std::string>{"core", "mqtt"}));
}
