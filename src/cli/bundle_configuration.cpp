// SPDX-License-Identifier: MIT
#include "cli/bundle.hpp"
#include "core/json_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace meterbridge::cli {
namespace {

constexpr std::string_view invented_file = "bundle/configuration";

std::string in_quotes(std::string_view text) {
  JsonWriter json;
  json.array().value(text).end();
  const std::string list = json.text();
  return list.substr(1, list.size() - 2);
}

// Numbers and switches bare, all else in quotes, which YAML reads as JSON does.
std::string cell(const SettingValues::Stored& stored) {
  if (const auto* const secret = std::get_if<Secret>(&stored)) return in_quotes(secret->reveal());
  const std::string text = setting_text(stored);
  const bool bare = std::holds_alternative<std::int64_t>(stored) ||
                    std::holds_alternative<bool>(stored) || std::holds_alternative<Decimal>(stored);
  return bare ? text : in_quotes(text);
}

std::string row_text(const TableSpec& table, const SettingValues& row) {
  std::string text;
  for (const SettingSpec& column : table.columns) {
    const auto* const value = row.find(column.name);
    if (value == nullptr) continue;
    text += (text.empty() ? "" : ", ") + std::string(column.name) + ": " + cell(*value);
  }
  return "{" + text + "}";
}

std::string link_text(const config::LinkSettings& link, const LineSettings& line) {
  std::string text;
  switch (link.kind) {
    case config::LinkKind::tcp:
      return R"({tcp: "192.0.2.1:)" + std::to_string(link.port) + "\"}";
    case config::LinkKind::mqtt:
      return link.topic.find_first_of("+#") == std::string::npos ? "{mqtt: meter/telegram}"
                                                                 : "{mqtt: \"meter/#\"}";
    case config::LinkKind::replay:
      return "{replay: capture.bin}";
    case config::LinkKind::serial:
      break;
  }
  const std::string settings = line.text();
  const std::size_t blank = settings.find(' ');
  return "{serial: /dev/meter, baud: " + settings.substr(0, blank) +
         ", mode: " + settings.substr(blank + 1) + "}";
}

// The profile that everybody has and that is nearest: the meter's own, or, of a profile of the
// user's, any that speaks the protocol.
std::string shipped_profile(const meter::Profile& profile, meter::ProfileLibrary& library) {
  config::Problems ignored;
  if (meter::ProfileLibrary::ships(profile.id)) {
    library.add_shipped(profile.id, ignored);
    const meter::Profile* const shipped = library.find(profile.id);
    if (shipped != nullptr && shipped->protocol == profile.protocol &&
        meter::default_values(*shipped) == meter::default_values(profile))
      return profile.id;
  }
  library.add_all_shipped(ignored);
  std::string found;
  for (const meter::Profile& one : library.all()) {
    if (one.protocol != profile.protocol) continue;
    if (found.empty() || one.vendor == "any") found = one.id;
  }
  return found;
}

void put_settings(std::string& text, const protocol::Protocol& protocol, const SettingValues& base,
                  const SettingValues& settings) {
  for (const SettingSpec& spec : protocol.settings) {
    const auto* const value = settings.find(spec.name);
    if (value == nullptr) continue;
    const auto* const usual = base.find(spec.name);
    if (usual != nullptr && *usual == *value) continue;
    // What the link settles for Modbus ("rtu") is no word of another protocol.
    const bool choice = spec.type == SettingType::choice;
    if (choice && std::ranges::count(spec.choices, settings.text(spec.name)) == 0) continue;
    text += "    " + std::string(spec.name) + ": " + cell(*value) + "\n";
  }
  for (const TableSpec& table : protocol.tables) {
    const auto rows = settings.rows(table.name);
    if (rows.empty() || std::ranges::equal(rows, base.rows(table.name))) continue;
    text += "    " + std::string(table.name) + ":\n";
    for (const SettingValues& row : rows)
      text += "      - " + row_text(table, row) + "\n";
  }
}

void put_readings(std::string& text, const config::MeterSettings& settings) {
  std::string readings;
  for (const auto& [key, options] : settings.readings) {
    std::string row;
    const auto put = [&row](std::string_view name, const std::optional<Decimal>& value) {
      if (value) row += (row.empty() ? "" : ", ") + std::string(name) + ": " + value->str();
    };
    put("factor", options.factor);
    put("offset", options.offset);
    put("minimum", options.minimum);
    put("maximum", options.maximum);
    if (!row.empty()) readings += "      " + key.text() + ": {" + row + "}\n";
  }
  if (!readings.empty()) text += "    readings:\n" + readings;
}

}  // namespace

std::string bundle_configuration(const app::House& house, const meter::Meter& meter,
                                 const SettingValues& settings) {
  const config::MeterSettings& own = meter.settings();
  const config::LinkSettings* const link = app::find_link(house.settings, own.link);
  meter::ProfileLibrary library;
  const std::string profile = shipped_profile(meter.profile(), library);
  const meter::Profile* const base = library.find(profile);
  std::string text = "meters:\n  - id: meter\n    profile: " + profile + "\n";
  if (link != nullptr)
    text += "    link: " + link_text(*link, link->line.value_or(meter.profile().line)) + "\n";
  text += "    interval: " + duration_text(own.interval) + "\n";
  put_settings(text, *meter.profile().protocol,
               base == nullptr ? SettingValues() : meter::default_values(*base), settings);
  put_readings(text, own);
  return text;
}

Result<app::House> house_of_capture(const protocol::Capture& capture) {
  std::string text = capture.configuration;
  if (text.empty()) {
    const std::string profile = capture.fact("profile");
    if (profile.empty())
      return Error(Errc::invalid, "the capture does not say whose it is: it has no profile");
    text = "meters:\n  - id: meter\n    profile: " + profile + "\n    link: {serial: /dev/meter}\n";
  }
  config::Problems problems;
  auto configuration = meter::parse_configuration(text, std::string(invented_file), problems);
  for (const config::Problem& problem : problems.all())
    if (problem.severity == config::Severity::error) return Error(Errc::invalid, problem.str());
  if (configuration.settings.meters.empty())
    return Error(Errc::invalid, "the configuration of the capture has no meter");
  return app::build_house(std::move(configuration));
}

std::vector<protocol::TranscriptLine> transcript_of(const protocol::Capture& capture) {
  std::vector<protocol::TranscriptLine> lines;
  for (const protocol::CaptureEntry& entry : capture.entries) {
    if (entry.kind == protocol::CaptureEntry::Kind::outcome) continue;
    protocol::TranscriptLine line;
    line.sent = entry.kind == protocol::CaptureEntry::Kind::sent;
    line.bytes = entry.bytes;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<protocol::Decoded> decode_capture(const protocol::Protocol& protocol,
                                              const protocol::Capture& capture,
                                              const SettingValues& values) {
  const auto lines = transcript_of(capture);
  if (protocol.decode_transcript != nullptr) return protocol.decode_transcript(lines, values);
  const bool messages = std::ranges::any_of(
      capture.entries, [](const protocol::CaptureEntry& entry) { return !entry.topic.empty(); });
  if (!messages) return protocol.decode(protocol::heard_bytes(lines), values);
  std::vector<protocol::Decoded> all;
  const bool knows_topics = std::ranges::find(protocol.settings, std::string_view("topic"),
                                              &SettingSpec::name) != protocol.settings.end();
  std::size_t offset = 0;
  for (const protocol::CaptureEntry& entry : capture.entries) {
    if (entry.kind != protocol::CaptureEntry::Kind::heard) continue;
    SettingValues own = values;
    if (knows_topics) own.set("topic", entry.topic);
    for (protocol::Decoded& decoded : protocol.decode(entry.bytes, own)) {
      decoded.offset += offset;
      all.push_back(std::move(decoded));
    }
    offset += entry.bytes.size();
  }
  return all;
}

}  // namespace meterbridge::cli
