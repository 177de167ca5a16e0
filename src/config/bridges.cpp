// SPDX-License-Identifier: MIT
// `bridges`: further brokers with which topics are exchanged, and what would make messages run in
// circles between them.
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"
#include "core/topic.hpp"

#include <array>
#include <set>

namespace meterbridge::config {
namespace {

using std::string_view_literals::operator""sv;
using Type = SettingType;

constexpr std::array version_choices{"5"sv, "3.1.1"sv};
constexpr std::array preset_choices{"homeassistant"sv};

constexpr std::array bridge_fields{
    Field{.spec = {.name = "name", .help = "short name: letters, digits, _ and -"},
          .required = true},
    Field{.spec = {.name = "host", .help = "name or address of the other broker"},
          .required = true},
    Field{.spec = {.name = "port",
                   .type = Type::integer,
                   .help = "port of the other broker; 1883, with tls 8883",
                   .minimum = 1,
                   .maximum = 65535}},
    Field{.spec = {.name = "username", .help = "user at the other broker"}},
    Field{.spec = {.name = "password",
                   .type = Type::secret,
                   .help = "password at the other broker; better !secret NAME"}},
    Field{.spec = {.name = "client_id",
                   .help = "name towards the other broker; without it one that differs for each "
                           "installation and bridge"}},
    Field{.spec = {.name = "clean_session",
                   .type = Type::boolean,
                   .help = "true: what the brokers would have kept for us while we were away is "
                           "forgotten",
                   .fallback = "false"}},
    Field{.spec = {.name = "version",
                   .type = Type::choice,
                   .help = "MQTT version towards the other broker",
                   .fallback = "5",
                   .choices = version_choices}},
    Field{.spec = {.name = "keepalive",
                   .type = Type::duration,
                   .help = "a broker that is silent for so long (10s at least) is given up",
                   .fallback = "30s"},
          .least = Milliseconds(5000)},
    Field{.spec = {.name = "tls",
                   .type = Type::boolean,
                   .help = "encrypt the connection to the other broker"},
          .section = &tls_section},
    Field{.spec = {.name = "preset",
                   .type = Type::choice,
                   .help = "homeassistant: what Home Assistant at the other broker needs of us, "
                           "and its commands to us",
                   .choices = preset_choices}},
    Field{.spec = {.name = "topics",
                   .help = "topic lines of mosquitto.conf: PATTERN [out, in or both] [QOS] "
                           "[LOCAL-PREFIX REMOTE-PREFIX]; directions seen from our broker"},
          .many = Many::list},
    Field{.spec = {.name = "queue_messages",
                   .type = Type::integer,
                   .help = "messages (not retained ones) that wait for a broker at most, each way; "
                           "the oldest are dropped and counted",
                   .fallback = "10000",
                   .minimum = 1,
                   .maximum = 1000000}},
    Field{.spec = {.name = "queue_bytes",
                   .type = Type::integer,
                   .help = "memory that waiting messages take at most, each way",
                   .fallback = "16777216",
                   .minimum = 65536,
                   .maximum = 1073741824}},
    Field{.spec = {.name = "storm_limit",
                   .type = Type::integer,
                   .help = "more messages than this in a second on one topic stop the bridge: they "
                           "run in a circle",
                   .fallback = "100",
                   .minimum = 10,
                   .maximum = 100000}},
    Field{.spec = {.name = "state_topic",
                   .help = "retained 1 or 0: whether the bridge is connected; without it "
                           "<instance>-link/<name>/state"}},
};

std::string address_of(const std::string& host, std::uint16_t port) {
  std::string name = lower(host);
  if (name == "localhost" || name == "::1" || name == "[::1]" || name.starts_with("127."))
    name = "this machine";
  return name + ":" + std::to_string(port);
}

void read_topics(const Node& node, BridgeSettings& bridge, Problems& problems) {
  for (const Node& line : node.items) {
    if (line.missing) continue;
    if (line.kind != Kind::scalar) {
      complain(problems, line,
               "must be one topic line in quotes, for example \"sensor/# out 1\" (without them # "
               "begins a comment)");
      continue;
    }
    auto rule = parse_topic_rule(line.scalar);
    if (rule) {
      bridge.rules.push_back(*std::move(rule));
    } else {
      complain(problems, line, shown(line) + ": " + rule.error().detail());
    }
  }
}

BridgeSettings read_bridge(const Node& node, const Settings& settings, Problems& problems) {
  const SettingValues values = read_section(node, bridge_section, {}, problems);
  BridgeSettings bridge;
  bridge.place = node.place;
  bridge.path = node.path;
  bridge.name = values.text("name");
  if (const Node* name = node.find("name"); name != nullptr && values.has("name"))
    check_identity(*name, bridge.name, problems);
  static_cast<ConnectionSettings&>(bridge) = read_connection(node, values, problems);
  bridge.clean_session = values.boolean("clean_session");
  bridge.queue_messages = static_cast<std::size_t>(values.integer("queue_messages"));
  bridge.queue_bytes = static_cast<std::size_t>(values.integer("queue_bytes"));
  bridge.storm_limit = static_cast<unsigned>(values.integer("storm_limit"));
  bridge.state_topic = settings.instance + "-link/" + bridge.name + "/state";
  if (const Node* topic = node.find("state_topic"); topic != nullptr && values.has("state_topic")) {
    bridge.state_topic = values.text("state_topic");
    check_topic(*topic, bridge.state_topic, problems);
  }
  if (values.text("preset") == "homeassistant") bridge.rules = homeassistant_rules(settings);
  const Node* topics = list_in(node, "topics");
  if (topics != nullptr) read_topics(*topics, bridge, problems);
  if (bridge.rules.empty() && node.find("preset") == nullptr &&
      (topics == nullptr || topics->items.empty()))
    complain(problems, node,
             "exchanges nothing: give preset: homeassistant, or topics: with at least one line");
  return bridge;
}

// What goes out by one rule comes back by the other one, and goes out again.
bool makes_ring(const TopicRule& out, const TopicRule& in) {
  return out.goes(Way::out) && in.goes(Way::in) &&
         filters_overlap(out.local_filter(), in.local_filter()) &&
         filters_overlap(out.remote_filter(), in.remote_filter());
}

const TopicRule* ring_between(const BridgeSettings& a, const BridgeSettings& b) {
  for (const TopicRule& out : a.rules) {
    for (const TopicRule& in : b.rules)
      if (makes_ring(out, in)) return &out;
  }
  return nullptr;
}

void check_pair(const BridgeSettings& first, const BridgeSettings& second, Problems& problems) {
  if (address_of(first.host, first.port) != address_of(second.host, second.port)) return;
  const TopicRule* rule = ring_between(first, second);
  if (rule == nullptr) rule = ring_between(second, first);
  if (rule == nullptr) return;
  problems.add(Severity::error, second.place, second.path,
               "makes a ring with the bridge \"" + first.name + "\": both go to " + second.host +
                   ":" + std::to_string(second.port) + ", and what one sends there (\"" +
                   sanitised(topic_line(*rule), 80) +
                   "\") comes back by the other and is sent again, for ever. Put all topics of "
                   "one broker into one bridge");
}

// Both ends are one broker: what is written must never be heard.
void check_own_broker(const BridgeSettings& bridge, const MqttSettings& mqtt, Problems& problems) {
  if (address_of(bridge.host, bridge.port) != address_of(mqtt.host, mqtt.port)) return;
  for (const TopicRule& writes : bridge.rules) {
    for (const TopicRule& hears : bridge.rules) {
      for (const Way one : {Way::out, Way::in}) {
        for (const Way other : {Way::out, Way::in}) {
          if (!writes.goes(one) || !hears.goes(other) ||
              !filters_overlap(writes.target(one), hears.source(other)))
            continue;
          problems.add(Severity::error, bridge.place, bridge.path,
                       "is a bridge from our own broker (mqtt.host) to itself: what \"" +
                           sanitised(topic_line(writes), 80) +
                           "\" writes is heard again and written again, for ever. Name the other "
                           "broker, or map to topics that no line hears");
          return;
        }
      }
    }
  }
}

void check_names(const std::vector<BridgeSettings>& bridges, Problems& problems) {
  std::set<std::string> names;
  std::set<std::string> ids;
  std::set<std::string> topics;
  const auto twice = [&](const BridgeSettings& bridge, const std::string& text) {
    problems.add(Severity::error, bridge.place, bridge.path, text);
  };
  for (const BridgeSettings& bridge : bridges) {
    if (bridge.name.empty()) continue;
    if (!names.insert(bridge.name).second) {
      twice(bridge, "a second bridge with the name \"" + bridge.name + "\"");
      continue;
    }
    if (!topics.insert(bridge.state_topic).second)
      twice(bridge, "a second bridge with the state_topic \"" + bridge.state_topic + "\"");
    if (!bridge.client_id.empty() &&
        !ids.insert(address_of(bridge.host, bridge.port) + " " + bridge.client_id).second)
      twice(bridge, "a second bridge to this broker with the client_id \"" +
                        sanitised(bridge.client_id, 60) +
                        "\": they would throw each other out for ever");
  }
}

TopicRule rule(std::string pattern, Way way, int qos, bool state = false) {
  TopicRule rule;
  rule.pattern = std::move(pattern);
  rule.way = way;
  rule.qos = qos;
  rule.state = state;
  return rule;
}

}  // namespace

constinit const Section bridge_section{"a bridge", bridge_fields};

std::vector<TopicRule> homeassistant_rules(const Settings& settings) {
  const std::string& base = settings.mqtt.base_topic;
  const HomeAssistantSettings& homeassistant = settings.homeassistant;
  std::vector<TopicRule> rules;
  for (const char* what : {"/status", "/+/availability", "/+/state", "/+/health"})
    rules.push_back(rule(base + what, Way::out, 1, true));
  rules.push_back(rule(base + "/+/event", Way::out, 1));
  // Both forms, so that the documents of the other one are removed there, too, when the user
  // changes from one to the other.
  if (homeassistant.discovery != Discovery::off) {
    for (const char* what : {"/device/+/config", "/+/+/+/config"}) {
      rules.push_back(rule(homeassistant.discovery_prefix + what, Way::out, 1, true));
      rules.back().owner = settings.instance + "_";
    }
    rules.push_back(rule(homeassistant.birth_topic, Way::in, 0));
  }
  rules.push_back(rule(base + "/+/set/+", Way::in, 1));
  return rules;
}

void read_bridges(const Node& node, Settings& settings, Problems& problems) {
  for (const Node& entry : node.items) {
    if (entry.kind != Kind::map) {
      complain(problems, entry, "must be a map (name:, host: and so on)");
      continue;
    }
    settings.bridges.push_back(read_bridge(entry, settings, problems));
  }
  check_names(settings.bridges, problems);
  for (std::size_t i = 0; i < settings.bridges.size(); ++i) {
    check_own_broker(settings.bridges[i], settings.mqtt, problems);
    for (std::size_t j = 0; j < i; ++j)
      check_pair(settings.bridges[j], settings.bridges[i], problems);
  }
}

}  // namespace meterbridge::config
