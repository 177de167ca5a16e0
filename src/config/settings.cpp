// SPDX-License-Identifier: MIT
#include "config/settings.hpp"

#include "config/reader.hpp"
#include "config/tables.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace meterbridge::config {
namespace {

constexpr std::size_t longest_identity = 64;
constexpr std::size_t longest_topic = 200;

bool is_identity_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string identity_fault(std::string_view text) {
  if (text.empty()) return "is empty; letters, digits, _ and - are needed";
  if (!std::all_of(text.begin(), text.end(), is_identity_character))
    return "has other characters than letters (a-z), digits, _ and -";
  if (text.size() > longest_identity)
    return "is longer than " + std::to_string(longest_identity) + " characters";
  return {};
}

bool check_identity(const Node& node, std::string_view text, Problems& problems) {
  std::string fault = identity_fault(text);
  if (fault.empty()) return true;
  if (fault.starts_with("has ")) fault.insert(0, shown(node) + " ");
  complain(problems, node, fault);
  return false;
}

bool check_topic(const Node& node, std::string_view text, Problems& problems) {
  if (text.empty()) {
    complain(problems, node, "is empty; a topic is needed");
  } else if (text.find_first_of("+#") != std::string_view::npos) {
    complain(problems, node,
             shown(node) + " contains a wildcard (+ or #), which a topic to publish cannot have");
  } else if (text.starts_with('/') || text.ends_with('/') ||
             text.find("//") != std::string_view::npos) {
    complain(problems, node,
             shown(node) + " has an empty level: no / at the ends, and no two side by side");
  } else if (text.starts_with('$')) {
    complain(problems, node, shown(node) + " begins with $, which belongs to the broker");
  } else if (text.size() > longest_topic) {
    complain(problems, node, "is longer than " + std::to_string(longest_topic) + " characters");
  } else {
    return true;
  }
  return false;
}

namespace {

// A broker's name as people paste it: an address of the web, or with the port behind it.
void check_host(const Node& node, std::string_view host, Problems& problems) {
  if (host.empty()) {
    complain(problems, node, "is empty; name the broker, for example localhost");
  } else if (host.find("://") != std::string_view::npos) {
    complain(problems, node,
             shown(node) + " is a URL: write the name alone, port and tls have keys of their own");
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    complain(problems, node, shown(node) + " contains a port: write it as port: beside host:");
  } else if (host.find_first_of(" \t/") != std::string_view::npos) {
    complain(problems, node, shown(node) + " is no host name");
  }
}

TlsSettings read_tls(const Node& node, const SettingValues& values, Problems& problems) {
  TlsSettings tls;
  tls.enabled = values.boolean("tls");
#ifdef METERBRIDGE_WITHOUT_TLS
  if (const Node* given = node.find("tls");
      given != nullptr && (tls.enabled || given->kind == Kind::map))
    complain(problems, *given, "this program was built without TLS");
#endif
  const Node* map = map_in(node, "tls");
  if (map == nullptr) return tls;
  const SettingValues inner = read_section(*map, tls_section, {}, problems);
  tls.enabled = true;
  tls.ca = inner.text("ca");
  tls.certificate = inner.text("certificate");
  tls.key = inner.text("key");
  tls.insecure = inner.boolean("insecure");
  if (tls.certificate.empty() != tls.key.empty())
    complain(problems, *map, "certificate and key belong together: give both or none");
  if (tls.insecure)
    problems.add(Severity::warning, map->place, map->path,
                 "insecure: anybody between us and the broker can read and change everything");
  return tls;
}

}  // namespace

ConnectionSettings read_connection(const Node& node, const SettingValues& values,
                                   Problems& problems) {
  ConnectionSettings settings;
  settings.host = values.text("host");
  if (const Node* host = node.find("host");
      host != nullptr && host->kind == Kind::scalar && !host->missing)
    check_host(*host, settings.host, problems);
  settings.username = values.text("username");
  settings.password = values.secret("password");
  if (!settings.password.empty() && settings.username.empty() && node.find("username") == nullptr)
    complain(problems, *node.find("password"),
             "a password without username is never sent: give username, too");
  settings.client_id = values.text("client_id");
  settings.version = values.text("version") == "5" ? 5 : 3;
  settings.keepalive =
      std::chrono::duration_cast<std::chrono::seconds>(values.duration("keepalive"));
  if (settings.keepalive > std::chrono::seconds(65535))
    complain(problems, *node.find("keepalive"), "is longer than MQTT can say (at most 65535s)");
  settings.tls = read_tls(node, values, problems);
  settings.port = settings.tls.enabled ? 8883 : 1883;
  if (values.has("port")) settings.port = static_cast<std::uint16_t>(values.integer("port"));
  return settings;
}

MqttSettings read_mqtt(const Node& node, const std::string& instance, Problems& problems) {
  const SettingValues values = read_section(node, mqtt_section, {}, problems);
  MqttSettings mqtt;
  static_cast<ConnectionSettings&>(mqtt) = read_connection(node, values, problems);
  mqtt.base_topic = instance;
  if (const Node* topic = node.find("base_topic"); topic != nullptr && values.has("base_topic")) {
    mqtt.base_topic = values.text("base_topic");
    check_topic(*topic, mqtt.base_topic, problems);
  }
  mqtt.qos = static_cast<int>(values.integer("qos"));
  mqtt.host_given = node.find("host") != nullptr;
  mqtt.login_given = node.find("username") != nullptr || node.find("password") != nullptr;
  return mqtt;
}

HomeAssistantSettings read_homeassistant(const Node& node, Problems& problems) {
  const SettingValues values = read_section(node, homeassistant_section, {}, problems);
  HomeAssistantSettings homeassistant;
  const std::string discovery = values.text("discovery");
  if (discovery == "component") homeassistant.discovery = Discovery::component;
  if (discovery == "off") homeassistant.discovery = Discovery::off;
  homeassistant.discovery_prefix = values.text("discovery_prefix");
  homeassistant.birth_topic = values.text("birth_topic");
  homeassistant.language = values.text("language");
  homeassistant.link_availability_topic = values.text("link_availability_topic");
  for (const std::string_view key :
       {"discovery_prefix", "birth_topic", "link_availability_topic"}) {
    const Node* topic = node.find(key);
    if (topic != nullptr && topic->kind == Kind::scalar && !topic->missing)
      check_topic(*topic, topic->scalar, problems);
  }
  return homeassistant;
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  for (bool more = true; more; ++parts) {
    const auto dot = text.find('.');
    more = dot != std::string_view::npos;
    const std::string_view digits = text.substr(0, dot);
    int number = -1;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return false;
    if (number < 0 || number > 255 || digits.size() > 3) return false;
    if (more) text.remove_prefix(dot + 1);
  }
  return parts == 4;
}

bool is_ipv6(std::string_view text) {
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// "127.0.0.1:8099", "localhost:8099", "[::1]:8099".
HttpSettings read_http(const Node& node, Problems& problems) {
  const SettingValues values = read_section(node, http_section, {}, problems);
  const std::string listen = values.text("listen");
  const Node* given = node.find("listen");
  const auto colon = listen.rfind(':');
  HttpSettings http;
  http.address = listen.substr(0, colon);
  if (http.address == "localhost") http.address = "127.0.0.1";
  const bool bracketed = http.address.starts_with('[') && http.address.ends_with(']');
  if (bracketed) http.address = http.address.substr(1, http.address.size() - 2);
  const std::string_view digits =
      colon == std::string::npos ? std::string_view() : std::string_view(listen).substr(colon + 1);
  int port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  const bool address = bracketed ? is_ipv6(http.address) : is_ipv4(http.address);
  if (given != nullptr && given->kind == Kind::scalar && !given->missing &&
      (!address || !whole || port < 1 || port > 65535)) {
    complain(problems, *given,
             shown(*given) +
                 " is no ADDRESS:PORT in numbers, for example 127.0.0.1:8099, "
                 "0.0.0.0:8099 or [::1]:8099");
  }
  http.port = static_cast<std::uint16_t>(port);
  http.edit = values.boolean("edit");
  const bool loopback = http.address.starts_with("127.") || http.address == "::1";
  if (http.edit && address && !loopback)
    complain(problems, *node.find("edit"),
             "needs a listener of this machine alone (listen: \"127.0.0.1:8099\"): there is no "
             "login");
#ifdef METERBRIDGE_WITHOUT_HTTP
  complain(problems, node, "this program was built without pages for monitoring");
#endif
  return http;
}

Settings read_settings(const Node& root, const Catalogue& catalogue, Problems& problems) {
  Settings settings;
  const Node empty = [&root] {
    Node node;
    node.kind = Kind::map;
    node.place = root.place;
    return node;
  }();
  if (root.kind == Kind::scalar || root.kind == Kind::sequence) {
    complain(problems, root,
             "the file must be a map of settings (\"mqtt:\", \"meters:\" and so on)");
    return settings;
  }
  const SettingValues values = read_section(root, root_section, {}, problems);
  settings.instance = values.text("instance");
  if (const Node* instance = root.find("instance"); instance != nullptr && values.has("instance"))
    check_identity(*instance, settings.instance, problems);
  settings.state_directory = values.text("state_directory");
  settings.profiles_directory = values.text("profiles_directory");
  const Node* mqtt = map_in(root, "mqtt");
  settings.mqtt = read_mqtt(mqtt == nullptr ? empty : *mqtt, settings.instance, problems);
  const Node* homeassistant = map_in(root, "homeassistant");
  settings.homeassistant =
      read_homeassistant(homeassistant == nullptr ? empty : *homeassistant, problems);
  settings.journal = read_journal(root, values, problems);
  settings.black_box = read_black_box(root, values, problems);

  if (const Node* http = map_in(root, "http")) settings.http = read_http(*http, problems);

  MeterReader reader(catalogue, problems);
  if (const Node* links = map_in(root, "links")) reader.read_links(*links);
  const Node* meters = list_in(root, "meters");
  if (meters != nullptr) reader.read_meters(*meters);
  std::move(reader).finish(settings);
  if (const Node* bridges = list_in(root, "bridges")) read_bridges(*bridges, settings, problems);
  if (const Node* sinks = map_in(root, "sinks")) read_sinks(*sinks, catalogue, settings, problems);
  if (settings.journal.store == JournalStore::off && !settings.sinks.empty())
    complain(problems, *root.find("journal"), "is off, and the sinks are filled from it");
  if (settings.meters.empty() && root.find("meters") == nullptr && !problems.any_error())
    problems.add(Severity::warning, root.place, {},
                 "no meters are configured: nothing will be read");
  problems.sort();
  return settings;
}

void settle_framing(SettingValues& protocol, bool tcp_link) {
  if (protocol.text("framing") != "auto") return;
  protocol.set("framing", std::string(tcp_link ? "tcp" : "rtu"));
}

}  // namespace meterbridge::config
