// SPDX-License-Identifier: MIT
#include "scan/catalogue.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>
#include <variant>

namespace meterbridge::scan {
namespace {

constexpr std::string_view registers = "registers";
constexpr std::size_t enough_telling = 3;  // rows of one model
constexpr int twin_telegrams = 10;
constexpr int most_steps = 1000;

// How much a row tells of whether its table is the right one.
int weight_of(const SettingValues& row) {
  const auto key = ReadingKey::parse(row.text("key"));
  if (!key) return 0;
  switch (key->quantity) {
    case Quantity::frequency:
      return 4;
    case Quantity::voltage:
      return 3;
    case Quantity::dc_voltage:
    case Quantity::power_factor:
      return 2;
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::input:
      return 0;
    default:
      return 1;
  }
}

// The rows that tell most, of each SunSpec model by itself; one voltage is enough.
std::vector<SettingValues> telling_rows(std::span<const SettingValues> rows) {
  std::map<std::int64_t, std::vector<const SettingValues*>> models;
  for (const SettingValues& row : rows)
    models[row.has("model") ? row.integer("model") : -1].push_back(&row);
  std::vector<SettingValues> chosen;
  for (auto& [model, all] : models) {
    std::ranges::sort(all, [](const auto* a, const auto* b) {  // equal ones as the table has them
      return std::pair(-weight_of(*a), a) < std::pair(-weight_of(*b), b);
    });
    const std::size_t count = std::min(enough_telling, all.size());
    for (std::size_t i = 0; i < count; ++i)
      chosen.push_back(*all[i]);
  }
  return chosen;
}

std::optional<SettingValues> glance_of(const Candidate& candidate) {
  const auto tables = candidate.profile->protocol->tables;
  const auto spec = std::ranges::find(tables, registers, &TableSpec::name);
  if (spec == tables.end()) return std::nullopt;
  const auto rows = telling_rows(candidate.whole.rows(registers));
  SettingValues values = candidate.whole;
  values.share_tables(SettingValues());
  values.add_rows(*spec, rows);
  return values;
}

// 0 where a device has only some of them: SunSpec.
std::size_t rows_of(const SettingValues& settings) {
  const auto rows = settings.rows(registers);
  const bool models =
      std::ranges::any_of(rows, [](const SettingValues& row) { return row.has("model"); });
  return models ? 0 : rows.size();
}

// Of the exchanges and telegrams that prove the profile: what such a meter answers to a sign-on.
// What stands for any meter has an invented one.
std::vector<std::string> identifications(const meter::Profile& profile) {
  std::vector<std::string> all;
  if (profile.vendor == "any") return all;
  const auto add = [&all](ByteView bytes) {
    std::string text = to_text(bytes);
    text.erase(0, text.find_first_not_of('\x7F'));
    if (text.starts_with('/')) all.push_back(text.substr(1, text.find_first_of("\r\n") - 1));
  };
  for (const meter::ProfileTest& test : profile.tests) {
    if (!test.telegram.empty()) add(test.telegram);
    for (const protocol::TranscriptLine& line : test.exchange) {
      if (!line.sent) add(line.bytes);
    }
  }
  return all;
}

// A table that its user has to fill describes no meter.
bool is_template(const meter::Profile& profile) {
  const auto tables = profile.protocol->tables;
  const bool registered = std::ranges::find(tables, registers, &TableSpec::name) != tables.end();
  return registered && profile.rows.rows(registers).empty();
}

protocol::MeterFace face_at(int beat) {
  protocol::MeterFace face;
  // An hour begins among them: some meters send their counters only then.
  constexpr std::int64_t shortly_before = 1'700'002'760;
  face.now = Seconds(std::chrono::seconds(shortly_before + std::int64_t{10} * beat));
  face.current = {Decimal(1250, -3), Decimal(2500, -3), Decimal(500, -3)};
  face.power = {Decimal(288), Decimal(575), Decimal(115)};
  face.energy_import = {Decimal(1'234'560), Decimal(654'320)};
  face.energy_export = {Decimal(4'560), Decimal(1'320)};
  return face;
}

Bytes sent_by(protocol::Responder& responder, int beats) {
  Bytes all;
  for (int beat = 0; beat < beats; ++beat) {
    responder.show(face_at(beat));
    const Bytes telegram = responder.push();
    all.insert(all.end(), telegram.begin(), telegram.end());
  }
  return all;
}

bool sends(const meter::Profile& profile, const SettingValues& settings) {
  if (profile.protocol->name == "json" || profile.protocol->responder == nullptr) return false;
  if (profile.protocol->pushes) return true;
  const auto twin = profile.protocol->responder(settings);
  return twin && !sent_by(**twin, 1).empty();
}

void take_print(Sender& sender) {
  const auto driver = sender.profile->protocol->driver(sender.settings);
  const auto twin = sender.profile->protocol->responder(sender.settings);
  if (!driver || !twin) return;
  const auto dialogue = (*driver)->begin();
  const Bytes bytes = sent_by(**twin, twin_telegrams);
  sender.opening = opening_of(bytes);
  bool given = false;
  for (int step = 0; step < most_steps; ++step) {
    const auto next = dialogue->next();
    if (!next) continue;
    if (const auto* finished = std::get_if<protocol::step::Finished>(&*next)) {
      sender.print.add(finished->telegram);
    } else if (std::holds_alternative<protocol::step::Listen>(*next)) {
      if (given) return;
      given = true;
      dialogue->received(bytes);
    }
  }
}

// What the twin sends with some key: its title is in clear.
void take_maker(Sender& sender) {
  const auto specs = sender.profile->protocol->settings;
  const auto key = std::ranges::find(specs, SettingType::key, &SettingSpec::type);
  if (key == specs.end()) return;
  SettingValues settings = sender.settings;
  settings.set(key->name, Secret("0102030405060708090A0B0C0D0E0F10"));
  const auto twin = sender.profile->protocol->responder(settings);
  if (twin) sender.maker = maker_in(sent_by(**twin, 1));
}

std::vector<LineSettings> by_frequency(const std::vector<LineSettings>& all) {
  std::vector<LineSettings> lines;
  for (const LineSettings& line : all) {
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  }
  std::ranges::sort(lines, {}, [&all](const LineSettings& line) {
    return std::pair(-std::ranges::count(all, line), std::ranges::find(all, line) - all.begin());
  });
  return lines;
}

std::string_view protocol_name(const Candidate& candidate) {
  return candidate.profile->protocol->name;
}

}  // namespace

void Fingerprint::add(const protocol::Telegram& telegram) {
  if (!telegram.meter.manufacturer.empty()) manufacturer = telegram.meter.manufacturer;
  if (!telegram.meter.model.empty()) model = telegram.meter.model;
  if (!telegram.identification.empty()) identification = telegram.identification;
  for (const protocol::Item& item : telegram.items)
    codes.insert(item.address);
}

Catalogue::Catalogue(const meter::ProfileLibrary& library) {
  for (const meter::Profile& profile : library.all()) {
    SettingValues settings = meter::default_values(profile);
    if (sends(profile, settings)) {
      Sender& sender = senders_.emplace_back();
      sender.profile = &profile;
      sender.settings = std::move(settings);
    } else if (profile.protocol->name != "json" && !is_template(profile)) {
      Candidate& candidate = candidates_.emplace_back();
      candidate.profile = &profile;
      candidate.whole = std::move(settings);
      candidate.rows = rows_of(candidate.whole);
      candidate.glance = glance_of(candidate);
      candidate.signs_as = identifications(profile);
    }
  }
  std::ranges::sort(candidates_, {}, [](const Candidate& candidate) {
    return std::pair(protocol_name(candidate), std::string_view(candidate.profile->id));
  });
}

std::span<const Candidate> Catalogue::candidates(std::string_view protocol) const {
  const auto begin = std::ranges::lower_bound(candidates_, protocol, {}, protocol_name);
  const auto end = std::ranges::upper_bound(candidates_, protocol, {}, protocol_name);
  return {begin, end};
}

void Catalogue::listen_to_twins() {
  if (listened_) return;
  listened_ = true;
  for (Sender& sender : senders_) {
    take_print(sender);
    take_maker(sender);
  }
}

std::vector<LineSettings> Catalogue::lines(std::string_view protocol) const {
  std::vector<LineSettings> all;
  if (protocol.empty()) {
    for (const Sender& sender : senders_)
      all.push_back(sender.profile->line);
  }
  for (const Candidate& candidate : candidates(protocol))
    all.push_back(candidate.profile->line);
  return by_frequency(all);
}

std::string maker_in(ByteView bytes) {
  constexpr std::size_t letters = 3;
  for (std::size_t at = 0; at + 2 + letters <= bytes.size(); ++at) {
    if (u8(bytes[at]) != 0xDB || u8(bytes[at + 1]) != 0x08) continue;
    const std::string name = to_text(bytes.subspan(at + 2, letters));
    if (std::ranges::all_of(name, [](char c) { return c >= 'A' && c <= 'Z'; })) return name;
  }
  return {};
}

std::string opening_of(ByteView bytes) {
  constexpr std::size_t head = 4;
  for (std::size_t at = 0; at + head <= bytes.size(); ++at) {
    if (u8(bytes[at]) == 0x68 && u8(bytes[at + 3]) == 0x68 && bytes[at + 1] == bytes[at + 2])
      return "M-Bus";
    if (u8(bytes[at]) == 0x7E && (u8(bytes[at + 1]) & 0xF0U) == 0xA0) return "HDLC";
  }
  return {};
}

}  // namespace meterbridge::scan
