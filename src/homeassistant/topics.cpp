// SPDX-License-Identifier: MIT
#include "homeassistant/entity.hpp"

namespace meterbridge::homeassistant {

std::string safe_id(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '_' && c != '-') c = '_';
  }
  return safe;
}

std::string status_topic(const BridgeFacts& bridge) {
  return bridge.base + "/status";
}

std::string topic(const BridgeFacts& bridge, std::string_view meter, std::string_view what) {
  return bridge.base + "/" + safe_id(meter) + "/" + std::string(what);
}

std::string device_topic(const BridgeFacts& bridge, std::string_view meter) {
  return bridge.prefix + "/device/" + safe_id(bridge.instance) + "_" + safe_id(meter) + "/config";
}

std::string component_topic(const BridgeFacts& bridge, std::string_view meter,
                            std::string_view platform, std::string_view key) {
  return bridge.prefix + "/" + std::string(platform) + "/" + safe_id(bridge.instance) + "_" +
         safe_id(meter) + "/" + safe_id(key) + "/config";
}

}  // namespace meterbridge::homeassistant
