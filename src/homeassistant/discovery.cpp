// SPDX-License-Identifier: MIT
// Writes discovery messages with the abbreviations that Home Assistant documents.
#include "core/json_writer.hpp"
#include "core/text.hpp"
#include "homeassistant/entity.hpp"

#include <algorithm>

namespace meterbridge::homeassistant {
namespace {

using Topics = std::vector<std::string>;

void text_member(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.key(name).value(text);
}

void origin(JsonWriter& json, const BridgeFacts& bridge) {
  json.key("o").object().key("name").value("meterbridge");
  text_member(json, "sw", bridge.version);
  json.end();
}

// `topics` must all be online, and the link between the brokers up where it is named.
void availability_list(JsonWriter& json, const BridgeFacts& bridge, const Topics& topics) {
  json.key("avty").array();
  for (const std::string& one : topics) {
    json.object().key("t").value(std::string_view(one)).end();
  }
  if (!bridge.link_topic.empty()) {
    json.object().key("t").value(std::string_view(bridge.link_topic));
    json.key("pl_avail").value("1").key("pl_not_avail").value("0").end();
  }
  json.end().key("avty_mode").value("all");
}

std::string identifier(const BridgeFacts& bridge, std::string_view meter) {
  return safe_id(bridge.instance) + "_" + safe_id(meter);
}

// What all documents of one device share.
struct Device {
  Device(const BridgeFacts& b, std::string_view i) : bridge(b), id(safe_id(i)) {}

  const BridgeFacts& bridge;
  std::string id;  // of the meter, or "bridge"
  std::string name;
  std::string manufacturer, model, serial, firmware;
  bool behind_bridge = true;
  Topics online;            // availability of its readings
  std::string state_topic;  // default of its entities

  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
};

void block(JsonWriter& json, const Device& device) {
  json.key("dev").object();
  json.key("ids").array().value(std::string_view(identifier(device.bridge, device.id))).end();
  text_member(json, "name", device.name);
  text_member(json, "mf", device.manufacturer);
  text_member(json, "mdl", device.model);
  text_member(json, "sn", device.serial);
  text_member(json, "sw", device.firmware);
  if (device.behind_bridge) text_member(json, "via_device", identifier(device.bridge, bridge_id));
  json.end();
}

// The name of an entity id: English and stable whatever the user calls things. Home Assistant wants
// lower case and no doubled, leading or trailing `_`.
std::string object_id(const Device& device, const Entity& entity) {
  const bool is_bridge = device.id == bridge_id;
  const std::string text =
      (is_bridge ? device.bridge.instance + "_" : "") + device.id + "_" + entity.key;
  std::string id;
  for (char c : lower(safe_id(text))) {
    if (c == '-') c = '_';
    if (c == '_' && (id.empty() || id.back() == '_')) continue;
    id += c;
  }
  while (!id.empty() && id.back() == '_')
    id.pop_back();
  return id;
}

void body(JsonWriter& json, const Device& device, const Entity& entity) {
  json.key("uniq_id").value(
      std::string_view(identifier(device.bridge, device.id) + "_" + entity.key));
  json.key("name");
  if (entity.name.empty()) {
    json.null();
  } else {
    json.value(std::string_view(entity.name));
  }
  json.key("def_ent_id").value(std::string_view(entity.platform + "." + object_id(device, entity)));
  text_member(json, "dev_cla", entity.device_class);
  text_member(json, "stat_cla", entity.state_class);
  text_member(json, "unit_of_meas", entity.unit);
  if (entity.precision) json.key("sug_dsp_prc").value(std::int64_t{*entity.precision});
  text_member(json, "ent_cat", entity.category);
  if (!entity.enabled) json.key("en").value(false);
  text_member(json, "stat_t", entity.state_topic);
  text_member(json, "val_tpl", entity.value_template);
  text_member(json, "cmd_t", entity.command_topic);
  text_member(json, "pl_on", entity.payload_on);
  text_member(json, "pl_off", entity.payload_off);
  text_member(json, "pl_prs", entity.payload_press);
  if (!entity.options.empty()) {
    json.key("ops").array();
    for (const std::string& option : entity.options)
      json.value(std::string_view(option));
    json.end();
  }
  if (entity.range) {
    json.key("min").raw(entity.range->minimum).key("max").raw(entity.range->maximum);
    json.key("step").raw(entity.range->step).key("mode").value("box");
  }
}

bool announces(const std::vector<Entity>& entities, std::string_view key) {
  return std::any_of(entities.begin(), entities.end(),
                     [key](const Entity& entity) { return entity.key == key; });
}

mqtt::Message document(const Device& device, const std::vector<Entity>& entities,
                       const std::map<std::string, std::string>& gone) {
  const BridgeFacts& bridge = device.bridge;
  JsonWriter json;
  json.object();
  block(json, device);
  origin(json, bridge);
  if (!device.online.empty()) availability_list(json, bridge, device.online);
  text_member(json, "stat_t", device.state_topic);
  json.key("qos").value(std::int64_t{bridge.qos});
  json.key("cmps").object();
  for (const Entity& entity : entities) {
    json.key(entity.key).object().key("p").value(std::string_view(entity.platform));
    body(json, device, entity);
    if (entity.needs == Needs::bridge) availability_list(json, bridge, {status_topic(bridge)});
    json.end();
  }
  for (const auto& [key, platform] : gone) {
    if (announces(entities, key)) continue;
    json.key(key).object().key("p").value(std::string_view(platform)).end();
  }
  json.end().end();
  return {device_topic(bridge, device.id), json.text(), true, bridge.qos};
}

mqtt::Message component(const Device& device, const Entity& entity) {
  const BridgeFacts& bridge = device.bridge;
  JsonWriter json;
  json.object();
  block(json, device);
  origin(json, bridge);
  body(json, device, entity);
  json.key("obj_id").value(std::string_view(object_id(device, entity)));
  if (entity.state_topic.empty()) text_member(json, "stat_t", device.state_topic);
  if (entity.needs == Needs::bridge_and_meter) availability_list(json, bridge, device.online);
  if (entity.needs == Needs::bridge) availability_list(json, bridge, {status_topic(bridge)});
  json.key("qos").value(std::int64_t{bridge.qos}).end();
  return {component_topic(bridge, device.id, entity.platform, entity.key), json.text(), true,
          bridge.qos};
}

void describe(Device& device, const MeterFacts& meter) {
  device.name = shown_name(meter, language(device.bridge.language));
  device.manufacturer = sanitised(meter.identity.manufacturer);
  device.model = sanitised(meter.identity.model);
  device.serial = sanitised(meter.identity.serial);
  device.firmware = sanitised(meter.identity.firmware);
  device.online = {status_topic(device.bridge), topic(device.bridge, meter.id, "availability")};
  device.state_topic = topic(device.bridge, meter.id, "state");
}

void describe_bridge(Device& device) {
  const std::string& instance = device.bridge.instance;
  device.name = instance == "meterbridge" ? "Meterbridge" : "Meterbridge " + sanitised(instance);
  device.manufacturer = "meterbridge";
  device.model = "Bridge";
  device.firmware = device.bridge.version;
  device.behind_bridge = false;
}

std::map<std::string, std::string> components_in(const std::vector<Entity>& entities) {
  std::map<std::string, std::string> components;
  for (const Entity& entity : entities)
    components[entity.key] = entity.platform;
  return components;
}

}  // namespace

mqtt::Message device_document(const BridgeFacts& bridge, const MeterFacts& meter,
                              const std::map<std::string, std::string>& gone) {
  Device device(bridge, meter.id);
  describe(device, meter);
  return document(device, entities_of(bridge, meter), gone);
}

mqtt::Message bridge_document(const BridgeFacts& bridge,
                              const std::map<std::string, std::string>& gone) {
  Device device(bridge, bridge_id);
  describe_bridge(device);
  return document(device, entities_of(bridge), gone);
}

std::vector<mqtt::Message> component_documents(const BridgeFacts& bridge, const MeterFacts& meter) {
  Device device(bridge, meter.id);
  describe(device, meter);
  std::vector<mqtt::Message> messages;
  for (Entity& entity : entities_of(bridge, meter)) {
    messages.push_back(component(device, for_older_releases(bridge, meter.id, std::move(entity))));
  }
  return messages;
}

std::vector<mqtt::Message> bridge_component_documents(const BridgeFacts& bridge) {
  Device device(bridge, bridge_id);
  describe_bridge(device);
  std::vector<mqtt::Message> messages;
  for (const Entity& entity : entities_of(bridge))
    messages.push_back(component(device, entity));
  return messages;
}

std::map<std::string, std::string> components_of(const MeterFacts& meter) {
  return components_in(entities_of(BridgeFacts{}, meter));
}

std::map<std::string, std::string> components_of(const BridgeFacts& bridge) {
  return components_in(entities_of(bridge));
}

}  // namespace meterbridge::homeassistant
