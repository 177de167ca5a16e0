// SPDX-License-Identifier: MIT
// The documentation table of all settings, from the tables of the reader.
#include "config/markdown.hpp"
#include "config/reader.hpp"
#include "config/rows.hpp"
#include "config/tables.hpp"

#include <algorithm>

namespace meterbridge::config {
namespace {

std::string type_of(const SettingSpec& spec) {
  switch (spec.type) {
    case SettingType::text:
      return "text";
    case SettingType::secret:
      return "text (secret)";
    case SettingType::key:
      return "32 hex digits (secret)";
    case SettingType::boolean:
      return "true or false";
    case SettingType::decimal:
      return "number";
    case SettingType::duration:
      return "duration";
    case SettingType::rate:
      return "duration, or every";
    case SettingType::integer:
      return spec.maximum == INT64_MAX ? "number from " + std::to_string(spec.minimum)
                                       : "number " + std::to_string(spec.minimum) + " ... " +
                                             std::to_string(spec.maximum);
    case SettingType::choice: {
      std::string list;
      for (const std::string_view choice : spec.choices)
        list += (list.empty() ? "" : ", ") + std::string(choice);
      return list;
    }
  }
  return {};
}

std::string form_of(const Field& field) {
  if (field.many == Many::one_or_named)
    return type_of(field.spec) + ", or a map of reading keys to these";
  if (field.section == nullptr)
    return field.many == Many::list ? "list of texts" : type_of(field.spec);
  std::string form;
  switch (field.many) {
    case Many::one:
      form = "map";
      break;
    case Many::list:
      return "list of maps";
    case Many::named:
      form = "map of names to maps";
      break;
    case Many::one_or_named:
      break;
  }
  return field.scalar ? form + ", or " + type_of(field.spec) : form;
}

std::string row(std::string_view name, const std::string& form, const SettingSpec& spec,
                bool required) {
  const std::string fallback = required ? "(required)" : table_cell(spec.fallback);
  return "| `" + std::string(name) + "` | " + table_cell(form) + " | " + fallback + " | " +
         table_cell(spec.help) + " |\n";
}

constexpr std::string_view head = "\n| key | value | default | meaning |\n|---|---|---|---|\n";

void add_section(std::string& text, std::string_view title, const Section& section) {
  text += "\n## " + std::string(title) + "\n" + std::string(head);
  for (const Field& field : section.fields)
    if (field.later.empty())
      text += row(field.spec.name, form_of(field), field.spec, field.required);
}

void add_tables(std::string& text, const ProfileFacts& facts) {
  const TableFields tables(facts.tables);
  for (const Field& table : tables.fields())
    add_section(text, "`" + std::string(table.spec.name) + "` of protocol " + facts.protocol,
                *table.section);
}

}  // namespace

std::string settings_reference(const Catalogue& catalogue) {
  std::string text =
      "# All settings\n\nMade by `meterbridge schema --markdown`; not to be edited. A duration is "
      "written with its unit: "
      "`500ms`, `30s`, `5m`, `1h`.\n`!secret NAME` reads `secrets.yaml` beside the file, `!env "
      "NAME` the environment.\n";
  add_section(text, "The file", root_section);
  add_section(text, "`mqtt`", mqtt_section);
  add_section(text, "`mqtt.tls`", tls_section);
  add_section(text, "`homeassistant`", homeassistant_section);
  add_section(text, "`http`", http_section);
  add_section(text, "`journal`", journal_section);
  add_section(text, "`black_box`", black_box_section);
  add_section(text, "A link: under `links`, or in place of its name in a meter", link_section);
  add_section(text, "A meter: each entry of `meters`", meter_section);
  add_section(text, "A reading: under `readings` of a meter, by its key", reading_section);
  add_section(text, "`telegram` of a meter", telegram_section);
  add_section(text, "`guard` of a meter", guard_section);
  add_section(text, "An alarm: each entry of `alarms` of a meter", alarm_section);
  add_section(text, "A bridge: each entry of `bridges`", bridge_section);
  std::vector<std::string> told;
  for (const ProfileFacts& facts : catalogue.profiles) {
    if (std::find(told.begin(), told.end(), facts.protocol) != told.end()) continue;
    told.push_back(facts.protocol);
    std::string profiles;
    for (const ProfileFacts& other : catalogue.profiles)
      if (other.protocol == facts.protocol)
        profiles += (profiles.empty() ? "`" : ", `") + other.id + "`";
    text += "\n## Further keys of a meter with protocol " + facts.protocol +
            "\n\nProfiles: " + profiles + "\n" + std::string(head);
    for (const SettingSpec& spec : facts.settings)
      text += row(spec.name, type_of(spec), spec, false);
    for (const TableSpec& table : facts.tables)
      text += row(table.name, "list of maps", SettingSpec{.name = table.name, .help = table.help},
                  false);
    add_tables(text, facts);
  }
  add_section(text, "A sink: each entry of `sinks`, by its name", sink_section);
  for (const SinkFacts& kind : catalogue.sinks) {
    text += "\n## Further keys of a sink of type " + std::string(kind.type) + "\n\n" +
            std::string(kind.help) + "\n" + std::string(head);
    for (const SettingSpec& spec : kind.settings)
      text += row(spec.name, type_of(spec), spec, false);
  }
  return text;
}

}  // namespace meterbridge::config
