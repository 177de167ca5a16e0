// SPDX-License-Identifier: MIT
#include "config/reader.hpp"
#include "config/rows.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::config {
namespace {

// What any protocol knows: with an unknown profile nobody can say which of them belong here.
std::vector<SettingSpec> all_settings(const Catalogue& catalogue) {
  std::vector<SettingSpec> all;
  for (const ProfileFacts& facts : catalogue.profiles) {
    for (const SettingSpec& spec : facts.settings) {
      const bool known = std::any_of(all.begin(), all.end(),
                                     [&](const SettingSpec& s) { return s.name == spec.name; });
      // Their types may differ between protocols: without the profile only the name counts.
      if (!known)
        all.push_back(
            SettingSpec{.name = spec.name, .type = SettingType::secret, .help = spec.help});
    }
  }
  return all;
}

std::vector<TableSpec> all_tables(const Catalogue& catalogue) {
  std::vector<TableSpec> all;
  for (const ProfileFacts& facts : catalogue.profiles) {
    for (const TableSpec& table : facts.tables) {
      if (std::ranges::count(all, table.name, &TableSpec::name) == 0) all.push_back(table);
    }
  }
  return all;
}

// A protocol may give a key of every meter a meaning of its own; then it is the protocol's alone.
bool declares(const ProfileFacts* facts, std::string_view name) {
  return facts != nullptr &&
         std::any_of(facts->settings.begin(), facts->settings.end(),
                     [name](const SettingSpec& spec) { return spec.name == name; });
}

bool looks_like_port(std::string_view text) {
  return text.starts_with('/') || text.starts_with("usb") ||
         text.find(':') != std::string_view::npos;
}

}  // namespace

SettingValues preset_values(const ProfileFacts& facts) {
  SettingValues values = default_settings(facts.settings);
  for (const auto& [name, text] : facts.preset) {
    for (const SettingSpec& spec : facts.settings) {
      if (spec.name != name) continue;
      if (auto stored = parse_setting(spec, text)) values.set(name, *std::move(stored));
    }
  }
  values.share_tables(facts.rows);
  return values;
}

const ProfileFacts* MeterReader::find_profile(const Node& node) {
  const Node* profile = node.find("profile");
  if (profile == nullptr || profile->kind != Kind::scalar || profile->missing) return nullptr;
  std::vector<std::string_view> names;
  for (const ProfileFacts& facts : catalogue_.profiles) {
    if (facts.id == profile->scalar) return &facts;
    names.push_back(facts.id);
  }
  complain(problems_, *profile,
           shown(*profile) + " is no profile of this version" + suggestion(profile->scalar, names) +
               " (\"meterbridge profiles list\" shows all)");
  return nullptr;
}

void MeterReader::read_id(const Node& node, const SettingValues& values, MeterSettings& meter) {
  const Node* id = node.find("id");
  if (id == nullptr || !values.has("id")) return;
  meter.id = values.text("id");
  if (!check_identity(*id, meter.id, problems_)) return;
  if (meter.id == "bridge") {
    complain(problems_, *id, "\"bridge\" is the name of the bridge's own topics: choose another");
    return;
  }
  const auto [earlier, fresh] = ids_.emplace(meter.id, id->place);
  if (fresh) return;
  std::string where;
  if (earlier->second.line > 0) where = " (line " + std::to_string(earlier->second.line) + ")";
  complain(problems_, *id, shown(*id) + " is the id of another meter already" + where);
}

void MeterReader::attach_link(const Node& node, const SettingValues& values, MeterSettings& meter) {
  const std::size_t position = meters_.size();
  if (const Node* place = map_in(node, "link")) {
    std::string name = meter.id;
    while (name.empty() || find_link(name) != nullptr)
      name += "-link";
    meter.link = name;
    links_.push_back(read_link(*place, std::move(name), problems_));
    links_.back().meters.push_back(position);
    return;
  }
  const Node* named = node.find("link");
  if (named == nullptr || !values.has("link")) return;
  meter.link = values.text("link");
  if (LinkDraft* link = find_link(meter.link)) {
    link->meters.push_back(position);
    return;
  }
  if (!named->secret && looks_like_port(meter.link)) {
    const bool tcp = !meter.link.starts_with('/') && !meter.link.starts_with("usb");
    complain(problems_, *named,
             shown(*named) + " is not the name of a link; to give the line itself write link: {" +
                 (tcp ? "tcp: \"" + meter.link.substr(0, 60) + "\""
                      : "serial: " + meter.link.substr(0, 60)) +
                 "}");
    return;
  }
  std::vector<std::string_view> names;
  for (const LinkDraft& link : links_)
    names.push_back(link.settings.name);
  complain(
      problems_, *named,
      shown(*named) + " is not the name of a link under links" + suggestion(meter.link, names));
}

void MeterReader::read_readings(const Node& node, MeterSettings& meter) {
  const Node* readings = map_in(node, "readings");
  if (readings == nullptr) return;
  for (std::size_t i = 0; i < readings->members.size(); ++i) {
    const auto& [text, entry] = readings->members[i];
    const auto key = ReadingKey::parse(text);
    if (!key) {
      problems_.add(Severity::error, readings->key_places[i], entry.path,
                    "\"" + sanitised(text, 60) +
                        "\" is no reading key (such as energy_import, power_l1, voltage_l2)");
    }
    if (entry.missing) continue;
    ReadingOptions options;
    if (entry.kind == Kind::scalar && entry.scalar == "hidden") {
      options.hidden = true;
    } else if (entry.kind == Kind::map) {
      const SettingValues values = read_section(entry, reading_section, {}, problems_);
      options.name = values.text("name");
      options.factor = values.decimal("factor");
      options.offset = values.decimal("offset");
      if (options.factor && options.factor->is_zero())
        complain(problems_, *entry.find("factor"),
                 "a factor of zero would lose the reading; to leave it out write hidden");
      read_reading_limits(entry, values, options, problems_);
      if (key) check_smoothing(entry, *key, options, problems_);
    } else {
      std::string words = "must be hidden, or a map with name, factor, offset or limits";
      if (entry.kind == Kind::scalar && !entry.secret)
        words += ", for example {name: " + sanitised(entry.scalar, 40) + "}";
      complain(problems_, entry, std::move(words));
    }
    if (key) meter.readings.insert_or_assign(*key, std::move(options));
  }
}

void MeterReader::read_telegram(const Node& node, const SettingValues& values,
                                const ProfileFacts* facts, MeterSettings& meter) {
  meter.telegram.enabled = values.boolean("telegram");
  const Node* map = map_in(node, "telegram");
  if (map == nullptr) return;
  const SettingValues telegram = read_section(*map, telegram_section, {}, problems_);
  meter.telegram.enabled = true;
  meter.telegram.topic = telegram.text("topic");
  meter.telegram.layout = telegram.text("layout");
  if (const Node* topic = map->find("topic"); topic != nullptr && telegram.has("topic"))
    check_topic(*topic, meter.telegram.topic, problems_);
  const Node* layout = map->find("layout");
  if (layout == nullptr || facts == nullptr || !telegram.has("layout")) return;
  const auto& known = facts->layouts;
  if (std::find(known.begin(), known.end(), meter.telegram.layout) != known.end()) return;
  std::string words = shown(*layout) + " is no layout for telegrams of this meter";
  if (known.empty()) words += "; there is only our own form: leave layout out";
  words += suggestion(meter.telegram.layout, known);
  complain(problems_, *layout, std::move(words));
}

void MeterReader::read_meter(const Node& node) {
  // The profile decides which further keys there are, so it is looked up first.
  const ProfileFacts* facts = find_profile(node);
  const std::vector<SettingSpec> extra =
      facts == nullptr ? all_settings(catalogue_) : facts->settings;
  const std::string what = facts == nullptr ? "a meter" : "a meter with profile " + facts->id;
  const std::vector<TableSpec> tables =
      facts == nullptr ? all_tables(catalogue_)
                       : std::vector(facts->tables.begin(), facts->tables.end());
  const TableFields table_fields(tables);
  std::vector<Field> fields(meter_section.fields.begin(), meter_section.fields.end());
  fields.insert(fields.end(), table_fields.fields().begin(), table_fields.fields().end());
  const Section section{what, fields};
  const SettingValues values = read_section(node, section, extra, problems_);

  MeterSettings meter;
  meter.place = node.place;
  meter.path = node.path;
  read_id(node, values, meter);
  meter.name = values.text("name").empty() ? meter.id : values.text("name");
  meter.profile = values.text("profile");
  if (facts != nullptr) meter.interval = facts->interval;
  if (values.has("interval")) meter.interval = values.duration("interval");
  if (values.has("timeout") && !declares(facts, "timeout"))
    meter.timeout = values.duration("timeout");
  meter.paused = values.boolean("paused");
  read_readings(node, meter);
  read_limits(node, values, meter, problems_);
  read_alarms(node, values, meter, problems_);
  read_telegram(node, values, facts, meter);
  attach_link(node, values, meter);
  if (facts != nullptr) {
    meter.protocol = preset_values(*facts);
    for (const SettingSpec& spec : facts->settings) {
      const auto* stored = node.find(spec.name) == nullptr ? nullptr : values.find(spec.name);
      if (stored != nullptr) meter.protocol.set(spec.name, *stored);
    }
    read_tables(node, tables, meter.protocol, problems_);
  }
  meters_.push_back(std::move(meter));
  facts_.push_back(facts);
}

void MeterReader::read_meters(const Node& meters) {
  for (const Node& node : meters.items) {
    if (node.missing) continue;
    if (node.kind == Kind::map) {
      read_meter(node);
    } else {
      complain(problems_, node, "must be a map with id, profile and link");
    }
  }
  if (meters.items.empty())
    problems_.add(Severity::warning, meters.place, meters.path,
                  "the list is empty: nothing will be read");
}

}  // namespace meterbridge::config
