// SPDX-License-Identifier: MIT
// A bridge in the words of Mosquitto, for those who let the brokers do it.
#include "app/plan.hpp"
#include "app/sink_plan.hpp"
#include "cli/command.hpp"
#include "core/text.hpp"

#include <array>
#include <string>
#include <vector>

#include <unistd.h>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    Option{"--config", "-c", "FILE",
           "the configuration; default /etc/meterbridge/meterbridge.yaml, then ./meterbridge.yaml"},
    Option{"--address", "", "HOST", "how the other broker reaches our own one"},
    Option{"--side", "", "SIDE",
           "far: only what Home Assistant's broker gets; near: only what ours gets"},
};

constexpr std::string_view far_place = "HOME-ASSISTANT";
constexpr std::string_view near_place = "METER-SITE";

std::string site_name(const std::string& instance) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return instance;
  return instance + "-" + sanitised(name.data(), 40);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// The same lines as the other broker has to say them.
TopicRule seen_from_there(TopicRule rule) {
  std::swap(rule.local_prefix, rule.remote_prefix);
  if (rule.way != Way::both) rule.way = rule.way == Way::out ? Way::in : Way::out;
  return rule;
}

// Mosquitto parts words at blanks, whatever quotes there are.
std::string rule_line(const TopicRule& rule) {
  const std::string all = rule.pattern + rule.local_prefix + rule.remote_prefix;
  const bool sayable = all.find_first_of(" \t") == std::string::npos;
  return (sayable ? "" : "# Mosquitto has no form for topics with blanks: ") + topic_line(rule) +
         "\n";
}

std::string tls_lines(const config::TlsSettings& tls, std::string_view why) {
  if (!tls.enabled) return {};
  std::string text;
  if (!why.empty()) text += "# " + std::string(why) + "\n";
  text += tls.ca.empty() ? "bridge_capath /etc/ssl/certs\n" : "bridge_cafile " + tls.ca + "\n";
  if (!tls.certificate.empty())
    text += "bridge_certfile " + tls.certificate + "\nbridge_keyfile " + tls.key + "\n";
  if (tls.insecure) text += "bridge_insecure true\n";
  return text;
}

std::string login_lines(const std::string& username, bool password) {
  std::string text = "remote_username " + (username.empty() ? "bridge" : username) + "\n";
  if (password || username.empty()) text += "remote_password ***\n";
  return text;
}

constexpr std::string_view common =
    "# QoS 1 messages of an outage are delivered after it\n"
    "cleansession false\n"
    "restart_timeout 5 30\n";

// For the broker at Home Assistant, which fetches.
std::string far_side(const config::Settings& settings, const config::BridgeSettings& bridge,
                     const std::string& address) {
  const std::string site = site_name(settings.instance);
  const std::string host = !address.empty()                  ? address
                           : is_loopback(settings.mqtt.host) ? std::string(near_place)
                                                             : settings.mqtt.host;
  std::string text = "connection " + site + "-" + bridge.name + "\n";
  text += "address " + host + ":" + std::to_string(settings.mqtt.port) + "\n";
  text += "# must differ at each site, or they throw each other out for ever\n";
  text += "remote_clientid ha-bridge-" + site + "-" + bridge.name + "\n";
  text += login_lines(settings.mqtt.username, !settings.mqtt.password.empty());
  text += tls_lines(settings.mqtt.tls, "paths at the machine that gets this file");
  text += common;
  text += "# 1 or 0 at Home Assistant's broker: whether the site is connected\n";
  text += "notifications_local_only true\nnotification_topic " + bridge.state_topic + "\n";
  for (const TopicRule& rule : bridge.rules)
    text += rule_line(seen_from_there(rule));
  return text;
}

// For the broker at the meters, which pushes.
std::string near_side(const config::Settings& settings, const config::BridgeSettings& bridge) {
  const std::string site = site_name(settings.instance);
  std::string text = "connection " + site + "-" + bridge.name + "\n";
  text += "address " + bridge.host + ":" + std::to_string(bridge.port) + "\n";
  text += "# must differ at each site, or they throw each other out for ever\n";
  text += "remote_clientid " +
          (bridge.client_id.empty() ? "bridge-" + site + "-" + bridge.name : bridge.client_id) +
          "\n";
  text += login_lines(bridge.username, !bridge.password.empty());
  text += tls_lines(bridge.tls, "");
  text += common;
  text += "# 1 or 0 at both brokers: whether the site is connected\n";
  text += "notification_topic " + bridge.state_topic + "\n";
  for (const TopicRule& rule : bridge.rules)
    text += rule_line(rule);
  return text;
}

std::string both_sides(const config::Settings& settings, const config::BridgeSettings& bridge,
                       const std::string& address) {
  return "# Bridge \"" + bridge.name +
         "\": ONE of these two, never both, nor one of them beside the same bridge under\n"
         "# `bridges:`; messages would run in a circle. *** stands for the password.\n"
         "\n"
         "# A. Home Assistant's broker fetches: /share/mosquitto/" +
         settings.instance +
         ".conf there (in the broker app's options:\n"
         "# customize: {active: true, folder: mosquitto}). Nothing may stand before it or after "
         "it\n"
         "# but other connections. Our own broker must be reachable from there.\n" +
         far_side(settings, bridge, address) +
         "\n"
         "# B. Our own broker pushes: /etc/mosquitto/conf.d/" +
         settings.instance +
         ".conf here. Works from behind a router; this machine then\n"
         "# has a password of Home Assistant's broker.\n" +
         near_side(settings, bridge);
}

int run_mosquitto_conf(const Arguments& arguments) {
  const std::string side = arguments.value("--side").value_or("");
  if (!arguments.words().empty() || (!side.empty() && side != "far" && side != "near")) {
    complain("usage: mosquitto-conf [-c FILE] [--address HOST] [--side far|near]");
    return exit_usage;
  }
  config::Problems problems;
  const config::Settings settings =
      app::load_configuration(configuration_file(arguments), problems).settings;
  for (const config::Problem& problem : problems.all())
    complain(problem.str());
  if (problems.any_error()) return exit_usage;
  std::vector<config::BridgeSettings> bridges = settings.bridges;
  if (bridges.empty()) {
    config::BridgeSettings usual;
    usual.name = "ha";
    usual.host = far_place;
    usual.state_topic = settings.instance + "-link/ha/state";
    usual.rules = config::homeassistant_rules(settings);
    bridges.push_back(std::move(usual));
  }
  const std::string address = arguments.value("--address").value_or("");
  std::string text;
  for (const config::BridgeSettings& bridge : bridges) {
    if (!text.empty()) text += "\n";
    text += side == "far"    ? far_side(settings, bridge, address)
            : side == "near" ? near_side(settings, bridge)
                             : both_sides(settings, bridge, address);
  }
  print(text);
  return exit_ok;
}

}  // namespace

const Command mosquitto_conf_command{
    "mosquitto-conf",
    "mosquitto-conf [-c FILE] [--address HOST] [--side far|near]",
    "prints bridges as sections of mosquitto.conf, for either broker",
    "For those who let Mosquitto itself carry messages between the broker of the meters and that "
    "of Home Assistant.\n"
    "Prints each bridge of the configuration, or the one that Home Assistant needs where there is "
    "none, as the\n"
    "section for Home Assistant's broker and as that for ours. Use one of them only. Passwords "
    "are shown as ***.\n"
    "\n"
    "Example:\n"
    "  meterbridge mosquitto-conf -c meterbridge.yaml --address 192.168.1.123\n",
    options,
    run_mosquitto_conf};

}  // namespace meterbridge::cli
