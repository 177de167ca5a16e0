// SPDX-License-Identifier: MIT
// A few invented profiles, so that tests of the configuration do not depend on the shipped ones.
#pragma once

#include "config/settings.hpp"

#include <array>
#include <map>
#include <string>

namespace meterbridge::config {

// A table of the kind that protocols declare; `high` needs `instant` of the meter.
inline const TableSpec& test_table() {
  static constexpr std::array<std::string_view, 2> kinds{"low", "high"};
  static constexpr std::array columns{
      SettingSpec{.name = "key", .help = "reading key"},
      SettingSpec{.name = "code", .type = SettingType::integer, .help = "code", .maximum = 999},
      SettingSpec{.name = "kind", .type = SettingType::choice, .help = "kind", .choices = kinds}};
  static constexpr std::array<std::string_view, 2> required{"key", "code"};
  static constexpr std::array<std::string_view, 1> identity{"key"};
  static constexpr TableSpec table{
      .name = "codes",
      .help = "codes",
      .columns = columns,
      .required = required,
      .identity = identity,
      .example = "key: energy_import, code: 180",
      .check =
          [](const SettingValues& settings) {
            std::vector<RowFault> faults;
            const auto rows = settings.rows("codes");
            for (std::size_t i = 0; i < rows.size(); ++i) {
              if (rows[i].text("kind") == "high" && !settings.boolean("instant"))
                faults.push_back({i, "kind", "high needs instant"});
              if (settings.text("family") == "classic" && rows[i].integer("code") > 100)
                faults.push_back({i, "code", "is above 100"});
            }
            return faults;
          },
  };
  return table;
}

inline Catalogue test_catalogue() {
  static constexpr std::array<std::string_view, 3> families{"auto", "classic", "r51"};
  static constexpr std::array<std::string_view, 2> checks{"on", "off"};
  static constexpr std::array polled{
      SettingSpec{
          .name = "address", .type = SettingType::integer, .help = "address", .maximum = 65535},
      SettingSpec{.name = "serial", .help = "serial number instead of the address"},
      SettingSpec{
          .name = "password", .type = SettingType::secret, .help = "password", .fallback = "0"},
      SettingSpec{.name = "family",
                  .type = SettingType::choice,
                  .help = "family",
                  .fallback = "auto",
                  .choices = families},
      SettingSpec{.name = "response_timeout",
                  .type = SettingType::duration,
                  .help = "time for an answer",
                  .fallback = "1500ms"},
      SettingSpec{
          .name = "scale", .type = SettingType::decimal, .help = "scale", .fallback = "0.001"},
      SettingSpec{.name = "instant",
                  .type = SettingType::boolean,
                  .help = "more values",
                  .fallback = "false"},
  };
  static constexpr std::array pushed{
      SettingSpec{.name = "key", .type = SettingType::key, .help = "key"},
      SettingSpec{.name = "crc",
                  .type = SettingType::choice,
                  .help = "check",
                  .fallback = "on",
                  .choices = checks},
      SettingSpec{
          .name = "timeout", .type = SettingType::duration, .help = "patience", .fallback = "30s"},
  };
  Catalogue catalogue;
  ProfileFacts house;
  house.id = "energomera-ce307";
  house.protocol = "ce102";
  house.interval = std::chrono::seconds(30);
  house.settings.assign(polled.begin(), polled.end());
  house.preset = {{"family", "r51"}};
  catalogue.profiles.push_back(house);
  ProfileFacts slow = house;
  slow.id = "slow-meter";
  slow.protocol = "slow";
  slow.line = LineSettings{300, 7, Parity::even, 1};
  slow.preset.clear();
  catalogue.profiles.push_back(slow);
  ProfileFacts p1;
  p1.id = "p1";
  p1.protocol = "p1";
  p1.pushes = true;
  p1.interval = std::chrono::seconds(10);
  p1.line = LineSettings{115200, 8, Parity::none, 1};
  p1.settings.assign(pushed.begin(), pushed.end());
  p1.layouts = {"okosmero"};
  catalogue.profiles.push_back(p1);
  ProfileFacts listed = house;
  listed.id = "listed-meter";
  listed.protocol = "listed";
  listed.tables = {&test_table(), 1};
  listed.preset.clear();
  SettingValues row;
  row.set("key", std::string("energy_import"));
  row.set("code", std::int64_t{180});
  listed.rows.add_rows(test_table(), std::span(&row, 1));
  catalogue.profiles.push_back(listed);
  static constexpr std::array files{
      SettingSpec{.name = "directory", .help = "folder"},
      SettingSpec{.name = "flush_interval",
                  .type = SettingType::duration,
                  .help = "of files",
                  .fallback = "5m"},
      SettingSpec{.name = "gzip", .type = SettingType::boolean, .help = "", .fallback = "false"}};
  static constexpr std::array database{
      SettingSpec{.name = "url", .help = "address"},
      SettingSpec{.name = "token", .type = SettingType::secret, .help = "token"}};
  catalogue.sinks = {{"csv", "files", files}, {"influxdb", "a database", database}};
  return catalogue;
}

// Names that every test document may use.
inline Sources test_sources() {
  Sources sources;
  sources.secret = [](std::string_view name) -> std::optional<std::string> {
    static const std::map<std::string, std::string, std::less<>> known{
        {"password", "planted-secret"},
        {"key", "5DC1A7F20B934E8866F1D29A30C7B45E"},
        {"zeros", std::string(32, '0')},
        {"short_key", "planted5dc1"}};
    const auto found = known.find(name);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  };
  sources.environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "BROKER_PORT") return "8884";
    if (name == "PLANTED") return "planted-secret";
    return std::nullopt;
  };
  return sources;
}

inline Settings read_text(std::string_view yaml, Problems& problems) {
  const Node root = parse_yaml(yaml, "test.yaml", test_sources(), problems);
  if (root.kind == Kind::null && problems.any_error()) return {};
  return read_settings(root, test_catalogue(), problems);
}

inline std::string printed(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.all())
    text += problem.str() + "\n";
  return text;
}

}  // namespace meterbridge::config
