// SPDX-License-Identifier: MIT
#include "homeassistant/entity.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace meterbridge::homeassistant {
namespace {

constexpr std::string_view diagnostic = "diagnostic";
constexpr std::string_view config = "config";

// Null and absent members both render as `None`, which Home Assistant shows as unknown; neither
// logs a warning.
std::string member(std::string_view name) {
  return "{{ value_json.get('" + std::string(name) + "') }}";
}

std::string flag_member(std::string_view name) {
  return "{{ {true: 'ON', false: 'OFF'}.get(value_json.get('" + std::string(name) + "')) }}";
}

// Home Assistant puts the device's name in front of the entity's. Empty when nothing else remains.
std::string without_device(std::string name, const std::string& device) {
  if (device.empty() || name.size() < device.size()) return name;
  if (!same_ignoring_case(std::string_view(name).substr(0, device.size()), device)) return name;
  if (name.size() == device.size()) return {};
  if (name[device.size()] != ' ') return name;
  return std::string(trimmed(std::string_view(name).substr(device.size())));
}

bool is_diagnostic(const EntityFacts& facts) {
  if (facts.key.aspect == Aspect::limit) return true;
  switch (facts.key.quantity) {
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::clock:
    case Quantity::message:
      return true;
    case Quantity::status:
      return facts.kind != Kind::flag;  // a flag is the breaker
    default:
      return false;
  }
}

// The clock changes with every message; quadrants, angles and distortion are for specialists.
bool is_rare(const ReadingKey& key) {
  switch (key.direction) {
    case Direction::q1:
    case Direction::q2:
    case Direction::q3:
    case Direction::q4:
      return true;
    default:
      break;
  }
  return key.quantity == Quantity::clock || key.quantity == Quantity::phase_angle ||
         key.quantity == Quantity::thd_voltage || key.quantity == Quantity::thd_current;
}

Entity entity_of(const EntityFacts& facts, const std::string& device_name,
                 const Language& language) {
  const std::string key = facts.key.text();
  const bool flag = facts.kind == Kind::flag;
  Entity entity(flag ? "binary_sensor" : "sensor", key);
  const std::string label = sanitised(facts.label);
  if (!label.empty()) {
    entity.name = label;
  } else if (flag && facts.key.quantity == Quantity::status) {
    entity.name = word(language, Word::breaker);
  } else {
    entity.name = entity_name(facts.key, language);
  }
  entity.name = without_device(std::move(entity.name), device_name);
  const Classes classes = classes_of(facts.key, facts.kind, facts.unit);
  entity.device_class = classes.device_class;
  entity.state_class = classes.state_class;
  entity.unit = classes.unit;
  const bool numeric = !entity.unit.empty() || !entity.state_class.empty();
  if (facts.kind == Kind::number && numeric) entity.precision = facts.precision;
  if (is_diagnostic(facts)) entity.category = diagnostic;
  entity.enabled = !is_rare(facts.key) || !label.empty();  // who names it wants to see it
  entity.value_template = flag ? flag_member(key) : member(key);
  return entity;
}

Entity diagnostic_entity(std::string_view platform, std::string key, std::string name,
                         std::string state_topic) {
  Entity entity(platform, std::move(key));
  entity.name = std::move(name);
  entity.category = diagnostic;
  entity.state_topic = std::move(state_topic);
  entity.needs = Needs::bridge;
  return entity;
}

Entity connectivity(std::string topic, const Language& language) {
  Entity entity = diagnostic_entity("binary_sensor", "connectivity",
                                    word(language, Word::connectivity), std::move(topic));
  entity.device_class = "connectivity";
  entity.payload_on = "online";
  entity.payload_off = "offline";
  return entity;
}

// An empty topic stands for the state topic.
Entity last_reading(std::string topic, std::string_view name, const Language& language) {
  Entity entity = diagnostic_entity("sensor", "last_reading", word(language, Word::last_reading),
                                    std::move(topic));
  entity.device_class = "timestamp";
  entity.value_template = member(name);
  return entity;
}

// Diagnostics of a configured meter, all from its health topic.
void add_diagnostics(std::vector<Entity>& all, const std::string& health,
                     const Language& language) {
  all.push_back(last_reading(health, "last_reading", language));

  Entity fault = diagnostic_entity("sensor", "fault", word(language, Word::fault), health);
  fault.device_class = "enum";
  for (const std::string_view name : fault_names())
    fault.options.emplace_back(name);
  fault.value_template = member("state");
  all.push_back(std::move(fault));

  Entity error = diagnostic_entity("sensor", "error", word(language, Word::error), health);
  error.value_template = "{{ value_json.get('error') or 'none' }}";
  all.push_back(std::move(error));

  Entity rate = diagnostic_entity("sensor", "error_rate", word(language, Word::error_rate), health);
  rate.state_class = "measurement";
  rate.unit = "%";
  rate.precision = 0;
  rate.value_template = member("error_rate");
  all.push_back(std::move(rate));

  Entity recoveries =
      diagnostic_entity("sensor", "recoveries", word(language, Word::recoveries), health);
  recoveries.state_class = "total_increasing";
  recoveries.precision = 0;
  recoveries.value_template = "{{ value_json.get('recoveries', {}).values() | sum }}";
  all.push_back(std::move(recoveries));
}

// Each alarm is an entity, and one more says in words what is raised.
void add_alarms(std::vector<Entity>& all, const std::vector<AlarmFacts>& alarms,
                const std::string& health, const Language& language) {
  if (alarms.empty()) return;
  Entity words = diagnostic_entity("sensor", "alarms", word(language, Word::alarms), health);
  words.value_template = "{{ value_json.get('alarm') or 'none' }}";
  all.push_back(std::move(words));
  for (const AlarmFacts& alarm : alarms) {
    Entity entity("binary_sensor", "alarm_" + alarm.name);
    entity.name = sanitised(alarm.label);
    if (entity.name.empty())
      entity.name = find_term(language.anomalies, std::string_view(alarm.name));
    if (entity.name.empty()) {
      entity.name = capitalised(alarm.name);
      std::replace(entity.name.begin(), entity.name.end(), '_', ' ');
    }
    entity.device_class = "problem";
    entity.state_topic = health;
    entity.value_template = "{{ {true: 'ON', false: 'OFF'}.get(value_json.get('alarms', {}).get('" +
                            alarm.name + "', {}).get('active')) }}";
    if (!alarm.of_values) entity.needs = Needs::bridge;
    all.push_back(std::move(entity));
  }
}

// What only makes sense for a meter that we ask.
void add_controls(std::vector<Entity>& all, const BridgeFacts& bridge, const std::string& meter,
                  const std::string& health) {
  const Language& in = language(bridge.language);
  Entity poll_time = diagnostic_entity("sensor", "poll_time", word(in, Word::poll_time), health);
  poll_time.device_class = "duration";
  poll_time.state_class = "measurement";
  poll_time.unit = "ms";
  poll_time.precision = 0;
  poll_time.value_template = member("poll_time");
  all.push_back(std::move(poll_time));

  Entity poll = diagnostic_entity("button", "poll", word(in, Word::poll), {});
  poll.category.clear();
  poll.command_topic = topic(bridge, meter, "set/poll");
  poll.payload_press = "PRESS";
  all.push_back(std::move(poll));

  Entity interval = diagnostic_entity("number", "interval", word(in, Word::interval), health);
  interval.category = config;
  interval.device_class = "duration";
  interval.unit = "s";
  // Wide enough for every interval that a configuration may hold: a state outside is an error in
  // Home Assistant's log.
  interval.range = Range{"0", "31536000", "1"};
  interval.value_template = member("interval");
  interval.command_topic = topic(bridge, meter, "set/interval");
  all.push_back(std::move(interval));

  Entity pause = diagnostic_entity("switch", "pause", word(in, Word::pause), health);
  pause.category = config;
  pause.value_template = flag_member("paused");
  pause.command_topic = topic(bridge, meter, "set/pause");
  pause.payload_on = "ON";
  pause.payload_off = "OFF";
  all.push_back(std::move(pause));
}

std::vector<Entity> ordered(std::vector<Entity> all) {
  std::map<std::string, Entity> by_key;
  for (Entity& entity : all) {
    std::string key = entity.key;
    by_key.emplace(std::move(key), std::move(entity));
  }
  all.clear();
  for (auto& [key, entity] : by_key)
    all.push_back(std::move(entity));
  return all;
}

}  // namespace

std::string shown_name(const MeterFacts& meter, const Language& language) {
  std::string name = sanitised(meter.name);
  if (!name.empty()) return name;
  if (meter.parent.empty() || meter.medium.empty()) return meter.id;
  // Two meters of one medium differ by their serial numbers.
  name = find_term(language.media, std::string_view(meter.medium));
  if (name.empty()) name = capitalised(sanitised(meter.medium)) + " meter";
  const std::string serial = sanitised(meter.identity.serial);
  return serial.empty() ? name : name + " " + serial;
}

std::vector<Entity> entities_of(const BridgeFacts& bridge, const MeterFacts& meter) {
  const Language& in = language(bridge.language);
  const std::string device = shown_name(meter, in);
  std::vector<Entity> all;
  const std::string health = topic(bridge, meter.id, "health");
  all.push_back(connectivity(topic(bridge, meter.id, "availability"), in));
  if (!meter.parent.empty()) {
    all.push_back(last_reading({}, "time", in));
  } else {
    add_diagnostics(all, health, in);
    add_alarms(all, meter.alarms, health, in);
    if (meter.polled) add_controls(all, bridge, meter.id, health);
  }
  for (Entity& entity : all)
    entity.name = without_device(std::move(entity.name), device);
  for (const EntityFacts& facts : meter.entities)
    all.push_back(entity_of(facts, device, in));
  return ordered(std::move(all));
}

std::vector<Entity> entities_of(const BridgeFacts& bridge) {
  std::vector<Entity> all;
  const Language& in = language(bridge.language);
  const std::string health = topic(bridge, bridge_id, "health");
  Entity online = connectivity(status_topic(bridge), in);
  online.needs = Needs::nothing;  // it is what tells that the bridge is away
  all.push_back(std::move(online));

  Entity uptime = diagnostic_entity("sensor", "uptime", word(in, Word::uptime), health);
  uptime.device_class = "duration";
  uptime.unit = "s";
  uptime.precision = 0;
  uptime.enabled = false;
  uptime.value_template = member("uptime");
  all.push_back(std::move(uptime));

  Entity memory = diagnostic_entity("sensor", "memory", word(in, Word::memory), health);
  memory.device_class = "data_size";
  memory.state_class = "measurement";
  memory.unit = "MiB";
  memory.precision = 1;
  memory.value_template =
      "{% set v = value_json.get('memory') %}{{ (v / 1048576) | round(1) if v is number else "
      "'None' }}";
  all.push_back(std::move(memory));

  Entity queue = diagnostic_entity("sensor", "queue", word(in, Word::queue), health);
  queue.state_class = "measurement";
  queue.precision = 0;
  queue.enabled = false;
  queue.value_template = member("queue");
  all.push_back(std::move(queue));

  Entity version = diagnostic_entity("sensor", "version", word(in, Word::version), health);
  version.value_template = member("version");
  all.push_back(std::move(version));

  // From the health document, not from the bridge's own topic: it is at either broker.
  for (const std::string& name : bridge.bridges) {
    Entity link = diagnostic_entity("binary_sensor", "bridge_" + safe_id(name),
                                    word(in, Word::connectivity) + " " + name, health);
    link.device_class = "connectivity";
    link.value_template = "{{ 'ON' if value_json.get('bridges', {}).get('" + safe_id(name) +
                          "', {}).get('state') == 'connected' else 'OFF' }}";
    all.push_back(std::move(link));
  }

  return ordered(std::move(all));
}

Entity for_older_releases(const BridgeFacts& bridge, std::string_view meter, Entity entity) {
  // Home Assistant 2024.3 refuses classes it does not know, and warns of a timestamp that is
  // unknown: the state topic has no message without a time, the health topic has. But a state may
  // come each second: whole minutes, so that the recorder does not write a row for each (P41).
  if (entity.device_class == "reactive_energy" || entity.device_class == "volume_flow_rate") {
    entity.device_class.clear();
  }
  if (entity.state_class == "measurement_angle") entity.state_class = "measurement";
  if (entity.key == "last_reading") {
    entity.state_topic = topic(bridge, meter, "state");
    entity.value_template = "{{ (value_json.get('time') or '')[:16] ~ ':00Z' }}";
  }
  return entity;
}

}  // namespace meterbridge::homeassistant
