// SPDX-License-Identifier: MIT
// What Home Assistant tells its app: the options of the user, and the broker that it knows.
#pragma once

#include "config/settings.hpp"
#include "core/result.hpp"
#include "core/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

struct AppOptions {
  AppOptions() = default;
  std::string log_level = "info";
  std::string configuration = "/config/meterbridge.yaml";
  std::string mqtt_host;  // empty = ask the Supervisor
  std::uint16_t mqtt_port = 0;
  std::string mqtt_username;
  Secret mqtt_password;
  bool mqtt_tls = false;
};

// From the text of /data/options.json. What is wrong with it is said in `remarks`, one sentence
// each, and left out: an app that does not start could not say it.
[[nodiscard]] AppOptions parse_options(std::string_view text, std::vector<std::string>& remarks);

// The broker that the Supervisor knows.
struct MqttService {
  MqttService() = default;
  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  std::string username;
  Secret password;
  friend bool operator==(const MqttService&, const MqttService&) = default;
};

// From its answer to GET /services/mqtt. Error: in words, what is to be done.
Result<MqttService> parse_service(unsigned status, std::string_view body);

// Fills in what the file does not say: a host in the file counts most, then the options, then the
// service; a login in the file, and one in the options, before the service's. May be repeated.
void complete(config::MqttSettings& mqtt, const AppOptions& options,
              const std::optional<MqttService>& service);
// Nothing is known yet: the Supervisor is to be asked.
[[nodiscard]] bool needs_service(const config::MqttSettings& mqtt, const AppOptions& options);

// The example that a first start writes: everything in it is a comment.
[[nodiscard]] std::string_view example_configuration() noexcept;

}  // namespace meterbridge::app
