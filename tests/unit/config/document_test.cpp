// SPDX-License-Identifier: MIT
#include "config/document.hpp"

#include "unit/config/catalogue.hpp"

#include <random>

#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

Node parse(std::string_view text, Problems& problems) {
  return parse_yaml(text, "test.yaml", test_sources(), problems);
}

Node parse_good(std::string_view text) {
  Problems problems;
  Node root = parse(text, problems);
  EXPECT_EQ(printed(problems), "");
  return root;
}

// One line per value with its place: two trees are the same when these are.
std::string outline(const Node& node) {
  std::string text = node.path + "@" + std::to_string(node.place.line) + ":" +
                     std::to_string(node.place.column) + "=";
  if (node.kind == Kind::scalar) text += node.scalar;
  text += "\n";
  for (const Node& item : node.items)
    text += outline(item);
  for (const auto& [key, member] : node.members)
    text += outline(member);
  return text;
}

}  // namespace

TEST(Document, KnowsPlaceAndPathOfEveryValue) {
  const Node root =
      parse_good("mqtt:\n  host: localhost\nmeters:\n  - {id: house, link: {baud: 9600}}\n");
  const Node* baud = root.find("meters")->items.at(0).find("link")->find("baud");
  ASSERT_NE(baud, nullptr);
  EXPECT_EQ(baud->scalar, "9600");
  EXPECT_EQ(baud->path, "meters[0].link.baud");
  EXPECT_EQ(baud->place.line, 4);
  EXPECT_EQ(baud->place.column, 30);
  EXPECT_EQ(root.find("mqtt")->key_places.at(0).line, 2);
  EXPECT_EQ(root.find("mqtt")->key_places.at(0).column, 3);
}

TEST(Document, KeepsScalarsAsTextAndKnowsQuotes) {
  const Node root =
      parse_good("a: 010\nb: \"010\"\nc: 1e3\nd: yes\ne: '5'\nf: !!str 5\ng: \"\"\nh: ~\ni:\n");
  EXPECT_EQ(root.find("a")->scalar, "010");
  EXPECT_FALSE(root.find("a")->quoted);
  EXPECT_EQ(root.find("b")->scalar, "010");
  EXPECT_TRUE(root.find("b")->quoted);
  EXPECT_EQ(root.find("c")->scalar, "1e3");
  EXPECT_EQ(root.find("d")->scalar, "yes");
  EXPECT_TRUE(root.find("e")->quoted);
  EXPECT_TRUE(root.find("f")->quoted);
  EXPECT_EQ(root.find("g")->kind, Kind::scalar);
  EXPECT_EQ(root.find("h")->kind, Kind::null);
  EXPECT_EQ(root.find("i")->kind, Kind::null);
}

TEST(Document, AcceptsWindowsLineEndsAndByteOrderMark_P45) {
  const std::string unix_text = "mqtt:\n  host: localhost\nmeters:\n  - id: house\n";
  std::string windows_text = "\xEF\xBB\xBF";
  for (const char c : unix_text)
    windows_text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(outline(parse_good(windows_text)), outline(parse_good(unix_text)));
}

TEST(Document, AliasesBecomeCopiesWithPathsOfTheirOwn) {
  const Node root = parse_good("a: &line {serial: /dev/x, list: [1, 2]}\nb: *line\nc: [*line]\n");
  EXPECT_EQ(root.find("b")->find("serial")->scalar, "/dev/x");
  EXPECT_EQ(root.find("b")->find("list")->items.at(1).path, "b.list[1]");
  EXPECT_EQ(root.find("c")->items.at(0).find("serial")->path, "c[0].serial");
  EXPECT_EQ(root.find("b")->place.line, 2);
}

TEST(Document, SecretsAndEnvironmentAreMarked) {
  const Node root = parse_good("a: !secret password\nb: !env BROKER_PORT\nc: plain\n");
  EXPECT_EQ(root.find("a")->scalar, "planted-secret");
  EXPECT_TRUE(root.find("a")->secret);
  EXPECT_EQ(root.find("a")->origin, "!secret password");
  EXPECT_EQ(root.find("b")->scalar, "8884");
  EXPECT_TRUE(root.find("b")->secret);
  EXPECT_FALSE(root.find("c")->secret);
}

TEST(Document, DuplicateKeyKeepsTheFirstAndTellsBothPlaces) {
  Problems problems;
  const Node root = parse("mqtt:\n  host: first\n  host: second\n", problems);
  EXPECT_EQ(printed(problems),
            "test.yaml:3:3: error: mqtt.host: is set twice in the same map (first on line 2, "
            "column 3)\n");
  EXPECT_EQ(root.find("mqtt")->find("host")->scalar, "first");
  EXPECT_EQ(root.find("mqtt")->members.size(), 1U);
}

TEST(Document, EmptyFileIsNullWithoutProblem) {
  for (const std::string_view text : {"", "\n\n", "# only a comment\n", "---\n", "~\n"}) {
    Problems problems;
    const Node root = parse(text, problems);
    EXPECT_EQ(root.kind, Kind::null) << text;
    EXPECT_EQ(root.place.file, "test.yaml") << text;
    EXPECT_FALSE(problems.any_error()) << text;
  }
}

TEST(Document, RefusesWhatIsTooLarge) {
  Problems problems;
  const Node root = parse(std::string(max_file_size + 1, '#'), problems);
  EXPECT_EQ(root.kind, Kind::null);
  EXPECT_EQ(printed(problems),
            "test.yaml:1:1: error: is larger than 1024 KiB: that is no configuration\n");
  std::string many = "a: [";
  for (std::size_t i = 0; i <= max_nodes; ++i)
    many += "1,";
  Problems too_many;
  EXPECT_EQ(parse(many + "]", too_many).kind, Kind::null);
  EXPECT_TRUE(too_many.any_error());
}

TEST(Document, NestingUpToTheLimitIsRead) {
  const std::string good = std::string(max_depth, '[') + std::string(max_depth, ']');
  EXPECT_EQ(parse_good(good).kind, Kind::sequence);
  Problems problems;
  EXPECT_EQ(parse("[" + good + "]", problems).kind, Kind::null);
  EXPECT_TRUE(problems.any_error());
}

TEST(Document, HostileRepetitionEndsInAProblem) {
  for (const std::string_view unit : {"[", "{", "- ", "? ", "{a: ", "[&a ", "!x ", "\"", "'", "&",
                                      "*", "|\n", ">", "%", "@", "\\", ":", ": "}) {
    std::string text;
    while (text.size() < 100'000)
      text += unit;
    Problems problems;
    const Node root = parse(text, problems);
    // Names without a value and unknown directives make an empty document, which is no fault.
    const bool empty = unit == "&" || unit == "%";
    EXPECT_TRUE(empty || problems.any_error() || root.kind != Kind::null) << unit;
  }
}

TEST(Document, AnyPrefixAndAnyFlippedBitEndsInATreeOrAProblem) {
  const std::string text =
      "# comment\nmqtt: {host: \"local\\thost\", password: !secret password}\nlinks: &l\n  cellar: "
      "{serial: '/dev/x'}\n"
      "meters:\n  - id: house\n    name: |\n      two\n      lines\n    link: *l\n    readings: "
      "{power: hidden}\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Problems problems;
    const Node root = parse(std::string_view(text).substr(0, cut), problems);
    EXPECT_TRUE(root.kind == Kind::null || root.kind == Kind::map || root.kind == Kind::scalar)
        << cut;
  }
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = text;
    const std::size_t at = random() % damaged.size();
    damaged[at] =
        static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << (random() % 8U)));
    Problems problems;
    const Node root = parse(damaged, problems);
    for (const Problem& problem : problems.all())
      EXPECT_GE(problem.place.line, 1) << damaged;
    EXPECT_EQ(printed(problems).find("planted"), std::string::npos);
  }
}

TEST(Document, JsonGivesTheSameTree) {
  Problems problems;
  const Node json =
      parse_json(R"({"mqtt": {"host": "core-mosquitto", "port": 1883, "tls": false, "x": null},
      "meters": [{"id": "house", "name": "\ud83d\ude00", "factor": 0.10}, []]})",
                 "options.json", problems);
  EXPECT_EQ(printed(problems), "");
  EXPECT_EQ(json.find("mqtt")->find("port")->scalar, "1883");
  EXPECT_FALSE(json.find("mqtt")->find("port")->quoted);
  EXPECT_TRUE(json.find("mqtt")->find("host")->quoted);
  EXPECT_EQ(json.find("mqtt")->find("tls")->scalar, "false");
  EXPECT_EQ(json.find("mqtt")->find("x")->kind, Kind::null);
  const Node& meter = json.find("meters")->items.at(0);
  EXPECT_EQ(meter.find("name")->scalar, "\xF0\x9F\x98\x80");
  EXPECT_EQ(meter.find("factor")->scalar, "0.10");
  EXPECT_EQ(meter.find("factor")->path, "meters[0].factor");
}

TEST(Document, JsonProblems) {
  const auto problems_of = [](std::string_view text) {
    Problems problems;
    parse_json(text, "options.json", problems);
    return printed(problems);
  };
  EXPECT_EQ(problems_of(R"({"a": 1, "a": 2})"),
            "options.json: error: a: is set twice in the same map\n");
  EXPECT_NE(problems_of("{\"a\": 1,\n  \"b\": }").find("options.json:2:8: error: is no valid JSON"),
            std::string::npos)
      << problems_of("{\"a\": 1,\n  \"b\": }");
  EXPECT_NE(problems_of(""), "");
  EXPECT_NE(problems_of(std::string(100'000, '[')).find("nested deeper"), std::string::npos);
  EXPECT_EQ(problems_of("{\"a\": planted}").find("planted"), std::string::npos);
}

TEST(Problems, AreOrderedByPlaceAndKeepTheirOrderWithinOne) {
  Problems problems;
  const auto at = [](int line, int column) {
    Place place;
    place.file = "f";
    place.line = line;
    place.column = column;
    return place;
  };
  problems.add(Severity::error, at(3, 1), "c", "x");
  problems.add(Severity::warning, at(1, 9), "b", "x");
  problems.add(Severity::error, at(1, 2), "a", "first");
  problems.add(Severity::error, at(1, 2), "a", "second");
  problems.sort();
  EXPECT_EQ(printed(problems),
            "f:1:2: error: a: first\nf:1:2: error: a: second\nf:1:9: warning: b: x\nf:3:1: error: "
            "c: x\n");
}

}  // namespace meterbridge::config
