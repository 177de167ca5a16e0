// SPDX-License-Identifier: MIT
// The tables of the reader as JSON Schema: what an editor underlines is what `check` refuses.
#include "config/reader.hpp"
#include "config/rows.hpp"
#include "config/tables.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace meterbridge::config {
namespace {

using Json = nlohmann::ordered_json;

// A choice as a YAML reader may hand it on: 5 is a number to it, and off a boolean to YAML 1.1.
Json choices_of(const SettingSpec& spec) {
  Json list = Json::array();
  for (const std::string_view choice : spec.choices) {
    list.push_back(choice);
    const bool digits = !choice.empty() && std::all_of(choice.begin(), choice.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
    if (digits) list.push_back(std::stoi(std::string(choice)));
    if (choice == "off") list.push_back(false);
  }
  return list;
}

Json scalar_schema(const SettingSpec& spec) {
  Json schema = Json::object();
  switch (spec.type) {
    case SettingType::text:
    case SettingType::secret:
      schema["type"] = {"string", "number"};
      break;
    case SettingType::integer:
      schema["type"] = "integer";
      schema["minimum"] = spec.minimum;
      if (spec.maximum != INT64_MAX) schema["maximum"] = spec.maximum;
      break;
    case SettingType::decimal:
      schema["type"] = {"number", "string"};
      schema["pattern"] = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)$";
      break;
    case SettingType::boolean:
      schema["type"] = "boolean";
      break;
    case SettingType::duration:
      schema["type"] = "string";
      schema["pattern"] = "^[0-9]+(ms|s|m|h|d)$";
      break;
    case SettingType::rate:
      schema["type"] = "string";
      schema["pattern"] = "^([0-9]+(ms|s|m|h|d)|every)$";
      break;
    case SettingType::choice:
      schema["enum"] = choices_of(spec);
      break;
    case SettingType::key:
      // Groups of digits may be set apart; a key of decimal digits alone is a number to YAML.
      schema["type"] = {"string", "number"};
      schema["pattern"] = "^(0[xX])?([0-9A-Fa-f][ :-]*){32}$";
      break;
  }
  return schema;
}

void describe(Json& schema, const SettingSpec& spec) {
  if (!spec.help.empty()) schema["description"] = spec.help;
  if (spec.fallback.empty()) return;
  const auto stored = parse_setting(spec, spec.fallback);
  if (stored && std::holds_alternative<bool>(*stored)) {
    schema["default"] = std::get<bool>(*stored);
  } else if (stored && std::holds_alternative<std::int64_t>(*stored)) {
    schema["default"] = std::get<std::int64_t>(*stored);
  } else {
    schema["default"] = spec.fallback;
  }
}

Json section_schema(const Section& section);

// One entry of a field: as one value, as a map, or either.
Json entry_schema(const Field& field) {
  if (field.section == nullptr) return scalar_schema(field.spec);
  Json map = section_schema(*field.section);
  if (!field.scalar) return map;
  return Json{{"anyOf", Json::array({scalar_schema(field.spec), std::move(map)})}};
}

// The names of `readings` are reading keys; the grammar itself is checked by the program.
Json names_of(const Field& field) {
  const bool keys = field.section == &reading_section || field.many == Many::one_or_named;
  return Json{{"pattern", keys ? "^[a-z][a-z0-9_]*$" : "^.{1,64}$"}};
}

Json field_schema(const Field& field) {
  Json schema;
  switch (field.many) {
    case Many::one:
      schema = entry_schema(field);
      break;
    case Many::list:
      schema = Json{{"type", {"array", "null"}}, {"items", entry_schema(field)}};
      break;
    case Many::named:
      schema = Json{{"type", {"object", "null"}},
                    {"propertyNames", names_of(field)},
                    {"additionalProperties", entry_schema(field)}};
      break;
    case Many::one_or_named:
      schema["anyOf"] =
          Json::array({entry_schema(field), Json{{"type", "object"},
                                                 {"propertyNames", names_of(field)},
                                                 {"additionalProperties", entry_schema(field)}}});
      break;
  }
  describe(schema, field.spec);
  return schema;
}

Json section_schema(const Section& section) {
  Json schema{{"type", "object"}};
  Json properties = Json::object();
  Json required = Json::array();
  for (const Field& field : section.fields) {
    if (!field.later.empty()) continue;
    properties[std::string(field.spec.name)] = field_schema(field);
    if (field.required) required.push_back(field.spec.name);
  }
  // To a reader of YAML 1.1 `is: on` is a boolean.
  for (const char* word : {"is", "is_not"}) {
    if (&section == &alarm_section) properties[word]["type"].push_back("boolean");
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  if (&section == &link_section) {
    schema["oneOf"] = Json::array();
    for (const char* key : {"serial", "tcp", "mqtt", "replay"})
      schema["oneOf"].push_back(Json{{"required", Json::array({key})}});
  }
  schema["additionalProperties"] = false;
  return schema;
}

// Profiles whose protocols have the same settings are told apart by nothing in the schema.
std::vector<std::vector<const ProfileFacts*>> groups_of(const Catalogue& catalogue) {
  std::vector<std::vector<const ProfileFacts*>> groups;
  for (const ProfileFacts& facts : catalogue.profiles) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.front()->protocol == facts.protocol;
    });
    if (same == groups.end()) {
      groups.push_back({&facts});
    } else {
      same->push_back(&facts);
    }
  }
  return groups;
}

// What a meter may hold depends on its profile: the union of all settings by name, and one rule for
// each protocol that gives them their types and forbids those of others.
void add_protocols(Json& meter, const Catalogue& catalogue) {
  Json& properties = meter["properties"];
  Json profiles = Json::array();
  Json rules = Json::array();
  for (const auto& group : groups_of(catalogue)) {
    Json names = Json::array();
    for (const ProfileFacts* facts : group) {
      names.push_back(facts->id);
      profiles.push_back(facts->id);
    }
    Json types = Json::object();
    Json allowed = Json::array();
    for (const Field& field : meter_section.fields)
      if (field.later.empty()) allowed.push_back(field.spec.name);
    for (const SettingSpec& spec : group.front()->settings) {
      const std::string name(spec.name);
      types[name] = scalar_schema(spec);
      describe(types[name], spec);
      allowed.push_back(name);
      if (!properties.contains(name)) properties[name] = Json{{"description", spec.help}};
    }
    const TableFields tables(group.front()->tables);
    for (const Field& field : tables.fields()) {
      const std::string name(field.spec.name);
      types[name] = field_schema(field);
      allowed.push_back(name);
      if (!properties.contains(name)) properties[name] = Json{{"description", field.spec.help}};
    }
    Json profile{{"properties", {{"profile", {{"enum", std::move(names)}}}}},
                 {"required", Json::array({"profile"})}};
    Json then{{"properties", std::move(types)}, {"propertyNames", {{"enum", std::move(allowed)}}}};
    rules.push_back(Json{{"if", std::move(profile)}, {"then", std::move(then)}});
  }
  properties["profile"] = Json{{"enum", std::move(profiles)},
                               {"description", find_field(meter_section, "profile")->spec.help}};
  if (!rules.empty()) meter["allOf"] = std::move(rules);
}

// What a sink may hold depends on its kind: its `type`, or its name where that is one.
void add_sinks(Json& sinks, const Catalogue& catalogue) {
  Json entry = std::move(sinks["additionalProperties"]);
  Json& properties = entry["properties"];
  Json types = Json::array();
  Json rules = Json::array();
  Json named = Json::object();
  for (const SinkFacts& kind : catalogue.sinks) {
    Json own = Json::object();
    Json allowed = Json::array();
    for (const Field& field : sink_section.fields)
      allowed.push_back(field.spec.name);
    for (const SettingSpec& spec : kind.settings) {
      const std::string name(spec.name);
      own[name] = scalar_schema(spec);
      describe(own[name], spec);
      if (find_field(sink_section, name) == nullptr) allowed.push_back(name);
      if (!properties.contains(name)) properties[name] = Json{{"description", spec.help}};
    }
    const Json then{{"properties", std::move(own)}, {"propertyNames", {{"enum", allowed}}}};
    rules.push_back(Json{
        {"if",
         {{"properties", {{"type", {{"const", kind.type}}}}}, {"required", Json::array({"type"})}}},
        {"then", then}});
    Json untyped{{"if", {{"required", Json::array({"type"})}}}, {"else", then}};
    named[std::string(kind.type)] =
        Json{{"allOf", Json::array({Json{{"$ref", "#/$defs/sink"}}, std::move(untyped)})}};
    types.push_back(kind.type);
  }
  properties["type"] = Json{{"enum", std::move(types)},
                            {"description", find_field(sink_section, "type")->spec.help}};
  if (!rules.empty()) entry["allOf"] = std::move(rules);
  sinks["properties"] = std::move(named);
  sinks["additionalProperties"] = Json{{"allOf", Json::array({Json{{"$ref", "#/$defs/sink"}}})},
                                       {"required", Json::array({"type"})}};
  sinks["entry"] = std::move(entry);  // settings_schema moves it to where it is referred to
}

Json document(std::string_view title, std::string_view description, Json body) {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", title},
              {"description", description}};
  for (auto& [key, value] : body.items())
    schema[key] = std::move(value);
  return schema;
}

// What settings and tables of one protocol may hold. Numbers may be written as text everywhere a
// scalar is: YAML readers hand on either.
Json protocol_rules(const ProfileFacts& protocol) {
  Json settings = Json::object();
  for (const SettingSpec& spec : protocol.settings) {
    settings[std::string(spec.name)] = scalar_schema(spec);
    describe(settings[std::string(spec.name)], spec);
  }
  Json rules = Json::object();
  rules["settings"] = Json{{"type", {"object", "null"}},
                           {"properties", std::move(settings)},
                           {"additionalProperties", false}};
  const TableFields tables(protocol.tables);
  for (const Field& field : tables.fields())
    rules[std::string(field.spec.name)] = field_schema(field);
  return rules;
}

Json names_in(const Json& properties, std::span<const Field> fields) {
  Json names = Json::array();
  for (const Field& field : fields)
    names.push_back(field.spec.name);
  for (const auto& [name, unused] : properties.items())
    names.push_back(name);
  return names;
}

}  // namespace

std::string profile_schema(const Section& profile, std::span<const Field> test,
                           const Catalogue& protocols) {
  Json root = section_schema(profile);
  root.erase("additionalProperties");
  // What else a test may hold is its protocol's to say.
  Json one_test = section_schema(Section{"a test", test});
  one_test.erase("additionalProperties");
  one_test["properties"]["expect"]["additionalProperties"]["type"] = {"string", "number",
                                                                      "boolean"};
  one_test["properties"]["settings"].erase("additionalProperties");
  root["properties"]["settings"].erase("additionalProperties");
  root["properties"]["tests"] = Json{{"type", {"array", "null"}}, {"items", std::move(one_test)}};
  Json rules = Json::array();
  Json names = Json::array();
  for (const ProfileFacts& protocol : protocols.profiles) {
    names.push_back(protocol.protocol);
    Json own = protocol_rules(protocol);
    Json tests = own;
    Json allowed = names_in(own, profile.fields);
    Json allowed_in_test = names_in(own, test);
    own["tests"] = Json{{"items",
                         {{"properties", std::move(tests)},
                          {"propertyNames", {{"enum", std::move(allowed_in_test)}}}}}};
    rules.push_back(Json{
        {"if",
         {{"properties", {{"protocol", {{"const", protocol.protocol}}}}},
          {"required", Json::array({"protocol"})}}},
        {"then",
         {{"properties", std::move(own)}, {"propertyNames", {{"enum", std::move(allowed)}}}}}});
  }
  root["properties"]["protocol"]["enum"] = std::move(names);
  root["allOf"] = std::move(rules);
  return document("Profile of meterbridge",
                  "What a type of meter is. A duration is written with its unit (500ms, 30s, 5m).",
                  std::move(root))
             .dump(2) +
         "\n";
}

std::string settings_schema(const Catalogue& catalogue) {
  Json root = section_schema(root_section);
  // Profiles of the user's own make the list of names and settings an open one.
  add_protocols(root["properties"]["meters"]["items"], catalogue);
  Json& sinks = root["properties"]["sinks"];
  add_sinks(sinks, catalogue);
  root["$defs"] = Json{{"sink", std::move(sinks["entry"])}};
  sinks.erase("entry");
  Json schema = document("Configuration of meterbridge",
                         "A duration is written with its unit (500ms, 30s, 5m, 1h). !secret NAME "
                         "reads secrets.yaml beside the file, !env NAME the environment.",
                         std::move(root));
  schema["type"] = {"object", "null"};
  return schema.dump(2) + "\n";
}

}  // namespace meterbridge::config
