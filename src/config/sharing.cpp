// SPDX-License-Identifier: MIT
// What meters and links owe each other.
#include "config/reader.hpp"
#include "core/serial_server.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::config {
namespace {

std::string line_of(const Place& place) {
  return place.line > 0 ? " (line " + std::to_string(place.line) + ")" : std::string{};
}

// What is opened; a file may be replayed by several.
std::string port_of(const LinkSettings& link) {
  switch (link.kind) {
    case LinkKind::serial:
      return link.serial;
    case LinkKind::tcp:
      return link.host + ":" + std::to_string(link.port);
    case LinkKind::mqtt:
      return link.topic;
    case LinkKind::replay:
      break;
  }
  return {};
}

// What tells a meter from others on its line, in one form whatever its type: the address, or what
// some protocols take instead of it.
std::string address_of(const SettingValues& values) {
  for (const std::string_view name : {"address", "serial"}) {
    const auto* stored = values.find(name);
    if (stored == nullptr) continue;
    if (const auto* number = std::get_if<std::int64_t>(stored)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(stored); text != nullptr && !text->empty())
      return *text;
  }
  return {};
}

// One device may carry several meters in different registers, as a PLC does.
bool rows_differ(std::span<const TableSpec> tables, const SettingValues& a,
                 const SettingValues& b) {
  return std::ranges::any_of(tables, [&](const TableSpec& table) {
    return !std::ranges::equal(a.rows(table.name), b.rows(table.name));
  });
}

}  // namespace

void MeterReader::complain_about_meter(std::size_t position, std::string text) {
  problems_.add(Severity::error, meters_[position].place, meters_[position].path, std::move(text));
}

// The identity of an entity is meter and key in one word: "house" with battery_power and
// "house_battery" with power would be the same to Home Assistant.
void MeterReader::check_identities() {
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    for (const MeterSettings& other : meters_) {
      const std::string_view id = meters_[i].id;
      if (other.id.empty() || !id.starts_with(other.id + "_")) continue;
      const std::string rest(id.substr(other.id.size() + 1));
      if (!ReadingKey::parse(rest + "_power") && !ReadingKey::parse(rest + "_energy_import"))
        continue;
      complain_about_meter(i, "the id \"" + meters_[i].id + "\" begins with that of meter \"" +
                                  other.id + "\"" + line_of(other.place) + ", and \"" + rest +
                                  "\" begins names of readings: their entities could not be told "
                                  "apart; choose another id");
    }
  }
}

void MeterReader::check_ports() {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const std::string port = links_[i].usable ? port_of(links_[i].settings) : std::string{};
    if (port.empty()) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if (!links_[j].usable || port_of(links_[j].settings) != port) continue;
      problems_.add(Severity::error, links_[i].settings.place, links_[i].path,
                    "is the same line as " + links_[j].path + line_of(links_[j].settings.place) +
                        ": give it once under links, and name it in each meter");
      break;
    }
  }
}

void MeterReader::check_sharing(const LinkDraft& link) {
  if (link.meters.size() < 2) return;
  for (const std::size_t position : link.meters) {
    const ProfileFacts* facts = facts_[position];
    if (facts == nullptr || !facts->pushes) continue;
    const std::size_t other = link.meters[0] == position ? link.meters[1] : link.meters[0];
    complain_about_meter(position, "a meter of profile " + facts->id +
                                       " sends by itself and must be alone on its line, but " +
                                       meters_[other].path + " is on link \"" + link.settings.name +
                                       "\", too");
    return;
  }
  check_addresses(link);
}

void MeterReader::check_addresses(const LinkDraft& link) {
  for (std::size_t i = 0; i < link.meters.size(); ++i) {
    const std::size_t meter = link.meters[i];
    if (facts_[meter] == nullptr) continue;
    const std::string address = address_of(meters_[meter].protocol);
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t other = link.meters[j];
      if (facts_[other] == nullptr || facts_[other]->protocol != facts_[meter]->protocol) continue;
      const std::string theirs = address_of(meters_[other].protocol);
      const bool one_without = address.empty() != theirs.empty();
      if (address != theirs && !one_without) continue;
      if (!one_without &&
          rows_differ(facts_[meter]->tables, meters_[meter].protocol, meters_[other].protocol))
        continue;
      std::string what = address.empty() ? "has no address of its own like "
                                         : "has the same address " + address + " as ";
      if (one_without)
        what = address.empty() ? "needs an address on the line of " : "shares its line with ";
      what += meters_[other].path + line_of(meters_[other].place) + " on link \"" +
              link.settings.name + "\"";
      what +=
          one_without && !address.empty() ? ", which needs an address, too" : ": both would answer";
      complain_about_meter(meter, std::move(what));
      break;
    }
  }
}

// The line is the link's where the link says so, else what the profiles of its meters agree on.
void MeterReader::settle_line(LinkDraft& link) {
  if (link.settings.kind != LinkKind::serial && !speaks_rfc2217(link.settings.host)) return;
  std::optional<std::size_t> first;
  LineSettings line;
  for (const std::size_t position : link.meters) {
    const ProfileFacts* facts = facts_[position];
    if (facts == nullptr) continue;
    if (!first) {
      first = position;
      line = facts->line;
      continue;
    }
    const bool same_speed = link.baud.has_value() || line.baud == facts->line.baud;
    LineSettings framed = facts->line;
    framed.baud = line.baud;
    const bool same_mode = link.mode.has_value() || framed == line;
    if (same_speed && same_mode) continue;
    complain_about_meter(position, "its profile talks at " + facts->line.text() + ", that of " +
                                       meters_[*first].path + " on the same link at " +
                                       line.text() + ": set baud and mode of link \"" +
                                       link.settings.name + "\" to what both meters are set to");
    return;
  }
  if (!link.baud && !link.mode) return;
  // Both were checked one by one, so this cannot fail.
  const std::string text = line.text();
  const std::string mode = link.mode.value_or(text.substr(text.find(' ') + 1));
  const auto settled = LineSettings::parse(link.baud.value_or(line.baud), mode);
  if (settled) link.settings.line = *settled;
}

void MeterReader::finish(Settings& settings) && {
  check_ports();
  check_identities();
  check_topics(settings);
  for (LinkDraft& link : links_) {
    check_sharing(link);
    settle_line(link);
    for (const std::size_t position : link.meters)
      settle_framing(meters_[position].protocol,
                     link.settings.kind == LinkKind::tcp && !speaks_rfc2217(link.settings.host));
    if (link.meters.empty() && link.usable)
      problems_.add(Severity::warning, link.settings.place, link.path, "is used by no meter");
    settings.links.push_back(std::move(link.settings));
  }
  settings.meters = std::move(meters_);
}

}  // namespace meterbridge::config
