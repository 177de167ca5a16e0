// SPDX-License-Identifier: MIT
#include "app/app_options.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

using nlohmann::json;

constexpr std::uint16_t plain_port = 1883;
constexpr std::uint16_t tls_port = 8883;
constexpr std::array<std::string_view, 5> levels{"error", "warning", "info", "debug", "trace"};

// The values of known names with the right type; null counts as absent.
class Reader {
 public:
  Reader(const json& object, std::vector<std::string>& remarks)
      : object_(object), remarks_(remarks) {}

  void text(const char* name, std::string& into) {
    const json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_string()) return complain(name, "text");
    into = value->get<std::string>();
  }

  void secret(const char* name, Secret& into) {
    std::string plain;
    text(name, plain);
    into = Secret(plain);
  }

  void flag(const char* name, bool& into) {
    const json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return complain(name, "true or false");
    into = value->get<bool>();
  }

  void port(const char* name, std::uint16_t& into) {
    const json* value = find(name);
    if (value == nullptr) return;
    const bool whole = value->is_number_integer();
    const auto number = whole ? value->get<std::int64_t>() : 0;
    if (number < 1 || number > 65535) return complain(name, "a port from 1 to 65535");
    into = static_cast<std::uint16_t>(number);
  }

 private:
  const json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  void complain(const char* name, std::string_view expected) {
    remarks_.push_back("the option " + std::string(name) +
                       " is left out: " + std::string(expected) + " was expected");
  }

  const json& object_;
  std::vector<std::string>& remarks_;
};

std::string message_of(const json& answer) {
  const auto found = answer.is_object() ? answer.find("message") : answer.end();
  if (!answer.is_object() || found == answer.end() || !found->is_string()) return {};
  const std::string said = sanitised(found->get<std::string>(), 120);
  return said.empty() ? said : " (\"" + said + "\")";
}

}  // namespace

AppOptions parse_options(std::string_view text, std::vector<std::string>& remarks) {
  AppOptions options;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    remarks.emplace_back("the app's options are no JSON object: all of them have their defaults");
    return options;
  }
  Reader reader(object, remarks);
  reader.text("log_level", options.log_level);
  reader.text("configuration", options.configuration);
  reader.text("mqtt_host", options.mqtt_host);
  reader.port("mqtt_port", options.mqtt_port);
  reader.text("mqtt_username", options.mqtt_username);
  reader.secret("mqtt_password", options.mqtt_password);
  reader.flag("mqtt_tls", options.mqtt_tls);
  if (std::find(levels.begin(), levels.end(), options.log_level) == levels.end()) {
    remarks.push_back("the option log_level is left out: \"" + sanitised(options.log_level, 40) +
                      "\" is none of error, warning, info, debug, trace");
    options.log_level = "info";
  }
  if (options.configuration.empty()) options.configuration = AppOptions().configuration;
  return options;
}

Result<MqttService> parse_service(unsigned status, std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  const std::string said = message_of(answer);
  if (status == 400)
    return Error(Errc::not_found,
                 "Home Assistant knows no MQTT broker" + said +
                     ": install and start the app \"Mosquitto broker\", or name your own with the "
                     "option mqtt_host");
  if (status == 401 || status == 403)
    return Error(Errc::access, "the Supervisor does not tell this app the broker" + said +
                                   ": its config.yaml needs \"services: [mqtt:want]\"; or name "
                                   "the broker with the option mqtt_host");
  if (status != 200)
    return Error(Errc::io, "the Supervisor answers with status " + std::to_string(status) + said);
  const auto data = answer.is_object() ? answer.find("data") : answer.end();
  if (!answer.is_object() || data == answer.end() || !data->is_object())
    return Error(Errc::malformed, "the Supervisor's answer is not what is known of it");
  MqttService service;
  std::vector<std::string> remarks;
  Reader reader(*data, remarks);
  reader.text("host", service.host);
  reader.port("port", service.port);
  reader.flag("ssl", service.tls);
  reader.text("username", service.username);
  reader.secret("password", service.password);
  if (!remarks.empty() || service.host.empty())
    return Error(Errc::malformed, "the Supervisor's answer names no broker");
  return service;
}

void complete(config::MqttSettings& mqtt, const AppOptions& options,
              const std::optional<MqttService>& service) {
  const bool chosen = !options.mqtt_host.empty();
  if (!mqtt.host_given && chosen) {
    mqtt.host = options.mqtt_host;
    // The file's tls without a host counts, too: nobody asked for a password in clear.
    mqtt.tls.enabled = mqtt.tls.enabled || options.mqtt_tls;
    mqtt.port = mqtt.tls.enabled ? tls_port : plain_port;
    if (options.mqtt_port != 0) mqtt.port = options.mqtt_port;
  } else if (!mqtt.host_given && service) {
    mqtt.host = service->host;
    mqtt.port = service->port;
    mqtt.tls.enabled = service->tls;
  }
  if (mqtt.login_given || mqtt.host_given) return;
  if (!options.mqtt_username.empty()) {
    mqtt.username = options.mqtt_username;
    mqtt.password = options.mqtt_password;
  } else if (!chosen && service) {
    mqtt.username = service->username;
    mqtt.password = service->password;
  }
}

bool needs_service(const config::MqttSettings& mqtt, const AppOptions& options) {
  return !mqtt.host_given && options.mqtt_host.empty();
}

std::string_view example_configuration() noexcept {
  return R"(# What meterbridge reads. Take the "#" off what you need, and save: the app takes the file over by itself.
# The page "Meters" shows every mistake with its line. All settings: docs/settings.md of the project.
#
# The MQTT broker needs no entry here: Home Assistant tells the app where it is. A section
# "mqtt:" with a host would count for more.

#homeassistant:
#  language: en                 # of the names of entities: en, de, hu, ru

# One physical line each. The stable name of your adapter stands in Home Assistant under
# Settings, System, Hardware, All hardware.
#links:
#  cellar: {serial: /dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K5XYZ-if00-port0}
#  attic: {tcp: "10.0.0.5:8899"}

# Which profiles there are: `meterbridge profiles list`, or the table in the README.
#meters:
#  - {id: house, name: House meter, profile: p1, link: cellar}
#  - {id: heatpump, name: Heat pump, profile: eastron-sdm630, link: attic, address: 1, interval: 10s}

# Every sample as a line in a file a day, where other apps can read it.
#sinks:
#  csv: {directory: /share/meterbridge}
)";
}

}  // namespace meterbridge::app
