// SPDX-License-Identifier: MIT
#include "rules.hpp"

#include <fstream>
#include <sstream>
#include <string_view>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;
using Words = std::set<std::string>;

const Words document_keys = {"dev", "o", "cmps", "avty", "avty_mode", "stat_t", "cmd_t", "qos"};
const Words device_keys = {"ids", "cns", "name", "mf", "mdl", "mdl_id",
                           "sn",  "sw",  "hw",   "sa", "cu",  "via_device"};
const Words origin_keys = {"name", "sw", "url"};
const Words common_keys = {"uniq_id", "name",      "def_ent_id", "dev_cla", "ent_cat", "en",
                           "avty",    "avty_mode", "stat_t",     "val_tpl", "qos",     "ic"};
const std::map<std::string, Words> platform_keys = {
    {"sensor", {"stat_cla", "unit_of_meas", "sug_dsp_prc", "ops", "exp_aft"}},
    {"binary_sensor", {"pl_on", "pl_off", "off_dly"}},
    {"button", {"cmd_t", "pl_prs"}},
    {"number", {"cmd_t", "unit_of_meas", "min", "max", "step", "mode"}},
    {"switch", {"cmd_t", "pl_on", "pl_off"}},
};
// Keys that one message for one entity has in addition.
const Words single_keys = {"dev", "o", "obj_id"};
const Words binary_classes = {"", "connectivity", "power", "problem", "tamper"};
const Words number_classes = {"", "duration"};

class Complaints {
 public:
  explicit Complaints(std::string place) : place_(std::move(place)) {}

  void add(const std::string& text) { all_.push_back(place_ + ": " + text); }

  void require(bool good, const std::string& text) {
    if (!good) add(text);
  }

  [[nodiscard]] const std::vector<std::string>& all() const { return all_; }

 private:
  std::string place_;
  std::vector<std::string> all_;
};

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool id_characters(std::string_view word) {
  return !word.empty() && word.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                              std::string_view::npos;
}

// What the part behind the point of an entity id must look like.
bool entity_id_characters(std::string_view word) {
  return !word.empty() && word.front() != '_' && word.back() != '_' &&
         word.find("__") == std::string_view::npos &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

void check_availability(const json& object, Complaints& complaints) {
  if (!object.contains("avty")) return;
  complaints.require(text(object, "avty_mode") == "all", "availability mode is not all");
  for (const json& entry : object["avty"]) {
    // The state of a link between brokers has payloads of its own.
    const bool link =
        entry.size() == 3 && text(entry, "pl_avail") == "1" && text(entry, "pl_not_avail") == "0";
    complaints.require((entry.size() == 1 || link) && !text(entry, "t").empty(),
                       "availability entry is not {t}");
  }
}

void check_device(const json& document, Complaints& complaints) {
  const json& device = document["dev"];
  for (const auto& [key, value] : device.items()) {
    complaints.require(device_keys.contains(key), "unknown key in device: " + key);
    complaints.require(!value.empty() && value != "", "empty in device: " + key);
  }
  complaints.require(device.contains("ids") && !device["ids"].empty(),
                     "device without identifiers");
  complaints.require(!text(device, "name").empty(), "device without name");
  const json& origin = document["o"];
  for (const auto& [key, value] : origin.items()) {
    complaints.require(origin_keys.contains(key), "unknown key in origin: " + key);
  }
  complaints.require(!text(origin, "name").empty(), "origin without name");
}

void check_sensor(const json& sensor, Complaints& complaints) {
  for (const std::string& complaint : complaints_of_classes(sensor))
    complaints.add(complaint);
  const bool numeric = sensor.contains("unit_of_meas") || sensor.contains("stat_cla");
  complaints.require(numeric || !sensor.contains("sug_dsp_prc"),
                     "precision of something that is no number");
  complaints.require(text(sensor, "ent_cat") != "config", "a sensor cannot be configuration");
  const bool is_enum = text(sensor, "dev_cla") == "enum";
  complaints.require(is_enum == sensor.contains("ops"), "options and enum belong together");
}

void check_number(const json& number, Complaints& complaints) {
  const bool complete = number.contains("min") && number.contains("max") && number.contains("step");
  complaints.require(complete, "number without range");
  if (!complete) return;
  complaints.require(number["min"].get<double>() < number["max"].get<double>(),
                     "min is not below max");
  complaints.require(number["step"].get<double>() >= 0.001, "step is too small");
  complaints.require(number_classes.contains(text(number, "dev_cla")), "unknown class of a number");
}

void check_name(const json& entity, const std::string& device, Complaints& complaints) {
  complaints.require(entity.contains("name"),
                     "no name: Home Assistant would call it `MQTT Sensor`");
  if (!entity["name"].is_string()) return;
  const std::string name = entity["name"];
  complaints.require(!name.empty(), "empty name");
  complaints.require(name.find(device) == std::string::npos, "name repeats the device: " + name);
}

void check_entity(const json& entity, const std::string& platform, const std::string& device,
                  Complaints& complaints) {
  check_name(entity, device, complaints);
  check_availability(entity, complaints);
  complaints.require(id_characters(text(entity, "uniq_id")), "bad unique id");
  const std::string wanted = text(entity, "def_ent_id");
  complaints.require(wanted.starts_with(platform + ".") &&
                         entity_id_characters(std::string_view(wanted).substr(platform.size() + 1)),
                     "bad default_entity_id: " + wanted);
  if (entity.contains("ent_cat")) {
    complaints.require(entity["ent_cat"] == "diagnostic" || entity["ent_cat"] == "config",
                       "unknown category");
  }
  if (platform == "sensor") check_sensor(entity, complaints);
  if (platform == "number") check_number(entity, complaints);
  if (platform == "binary_sensor") {
    complaints.require(binary_classes.contains(text(entity, "dev_cla")),
                       "unknown class of a binary sensor");
    complaints.require(text(entity, "ent_cat") != "config",
                       "a binary sensor cannot be configuration");
  }
  if (platform == "button" || platform == "number" || platform == "switch") {
    complaints.require(!text(entity, "cmd_t").empty(), "no command topic");
  }
}

void check_keys(const json& entity, const Words& more, const Words& platform,
                Complaints& complaints) {
  for (const auto& [key, value] : entity.items()) {
    const bool known = common_keys.contains(key) || platform.contains(key) || more.contains(key);
    complaints.require(known, "unknown key: " + key);
    complaints.require(value != "", "empty value: " + key);
  }
}

}  // namespace

std::map<std::string, Allowed> allowed_classes() {
  std::map<std::string, Allowed> table;
  std::ifstream in(std::string(METERBRIDGE_SOURCE_DIR) +
                   "/tests/unit/homeassistant/home_assistant_classes.txt");
  const auto words = [](const std::string& column) {
    std::istringstream stream(column);
    Words all;
    for (std::string word; stream >> word;)
      all.insert(word == "none" ? "" : word);
    return all;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream stream(line);
    std::string device_class;
    std::string units;
    std::string state_classes;
    std::getline(stream, device_class, '|');
    std::getline(stream, units, '|');
    std::getline(stream, state_classes);
    table[*words(device_class).begin()] = {words(units), words(state_classes)};
  }
  return table;
}

std::vector<std::string> complaints_of_classes(const json& sensor) {
  static const auto table = allowed_classes();
  Complaints complaints("classes");
  const std::string device_class = text(sensor, "dev_cla");
  const std::string unit = text(sensor, "unit_of_meas");
  const std::string state_class = text(sensor, "stat_cla");
  if (state_class == "measurement_angle") {
    complaints.require(unit == "°" && device_class.empty(), "an angle has the unit ° and no class");
  } else if (!device_class.empty()) {
    const auto row = table.find(device_class);
    complaints.require(row != table.end(), "unknown device class " + device_class);
    if (row != table.end()) {
      complaints.require(row->second.units.contains(unit),
                         device_class + " does not take unit '" + unit + "'");
      complaints.require(row->second.state_classes.contains(state_class),
                         device_class + " does not take state class " + state_class);
    }
  } else {
    static const Words known = {"", "measurement", "total", "total_increasing"};
    complaints.require(known.contains(state_class), "unknown state class " + state_class);
  }
  return complaints.all();
}

std::vector<std::string> complaints_of_device(const mqtt::Message& message) {
  Complaints complaints(message.topic);
  const json document = json::parse(message.payload, nullptr, false);
  if (!document.is_object()) return {message.topic + ": no JSON object"};
  complaints.require(message.retain, "not retained");
  for (const auto& [key, value] : document.items()) {
    complaints.require(document_keys.contains(key), "unknown key: " + key);
  }
  if (!document.contains("dev") || !document.contains("o") || !document.contains("cmps")) {
    return {message.topic + ": device, origin or components missing"};
  }
  check_device(document, complaints);
  check_availability(document, complaints);
  std::set<std::string> ids;
  for (const auto& [key, entity] : document["cmps"].items()) {
    Complaints inside(message.topic + " " + key);
    const std::string platform = text(entity, "p");
    inside.require(id_characters(key), "bad component key");
    inside.require(platform_keys.contains(platform), "unsupported platform");
    if (platform_keys.contains(platform)) {
      check_keys(entity, {"p"}, platform_keys.at(platform), inside);
      check_entity(entity, platform, text(document["dev"], "name"), inside);
    }
    inside.require(ids.insert(platform + text(entity, "uniq_id")).second, "unique id twice");
    inside.require(platform == "button" || entity.contains("stat_t") || document.contains("stat_t"),
                   "no state topic");
    for (const std::string& complaint : inside.all())
      complaints.add(complaint);
  }
  return complaints.all();
}

std::vector<std::string> complaints_of_component(const mqtt::Message& message) {
  Complaints complaints(message.topic);
  const json entity = json::parse(message.payload, nullptr, false);
  if (!entity.is_object()) return {message.topic + ": no JSON object"};
  complaints.require(message.retain, "not retained");
  std::istringstream levels(message.topic);
  std::string prefix;
  std::string platform;
  std::getline(levels, prefix, '/');
  std::getline(levels, platform, '/');
  if (!platform_keys.contains(platform)) return {message.topic + ": unsupported platform"};
  check_keys(entity, single_keys, platform_keys.at(platform), complaints);
  if (!entity.contains("dev") || !entity.contains("o"))
    return {message.topic + ": device or origin missing"};
  check_device(entity, complaints);
  check_entity(entity, platform, text(entity["dev"], "name"), complaints);
  complaints.require(platform + "." + text(entity, "obj_id") == text(entity, "def_ent_id"),
                     "object_id and default_entity_id differ");
  complaints.require(platform == "button" || entity.contains("stat_t"), "no state topic");
  // Not known in 2024.3.
  complaints.require(text(entity, "dev_cla") != "reactive_energy", "class too new");
  complaints.require(text(entity, "stat_cla") != "measurement_angle", "state class too new");
  return complaints.all();
}

}  // namespace meterbridge::homeassistant::test
