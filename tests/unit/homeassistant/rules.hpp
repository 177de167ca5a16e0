// SPDX-License-Identifier: MIT
// What Home Assistant refuses or complains about, as far as our documents could run into it.
#pragma once

#include "mqtt/message.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {

struct Allowed {
  std::set<std::string> units;
  std::set<std::string> state_classes;
};

// The stored table of device classes.
[[nodiscard]] std::map<std::string, Allowed> allowed_classes();
// Complaints about a device document, and about a message of a single entity. Empty = accepted in
// silence.
[[nodiscard]] std::vector<std::string> complaints_of_device(const mqtt::Message& message);
[[nodiscard]] std::vector<std::string> complaints_of_component(const mqtt::Message& message);
// About unit, device class and state class alone.
[[nodiscard]] std::vector<std::string> complaints_of_classes(const nlohmann::json& sensor);

}  // namespace meterbridge::homeassistant::test
