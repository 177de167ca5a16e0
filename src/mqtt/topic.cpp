// SPDX-License-Identifier: MIT
#include "mqtt/topic.hpp"

#include "core/text.hpp"
#include "core/topic.hpp"

namespace meterbridge::mqtt {
namespace {

Error invalid(std::string_view what, std::string_view topic, std::string_view why) {
  return {Errc::invalid,
          std::string(what) + " \"" + sanitised(topic, 120) + "\" " + std::string(why)};
}

// What holds for names and filters alike; empty when it is right.
std::string_view common_fault(std::string_view topic) {
  if (topic.empty()) return "is empty";
  if (topic.size() > max_topic_bytes) return "is longer than 65535 bytes";
  if (!is_utf8(topic)) return "is not UTF-8";
  if (topic.find('\0') != std::string_view::npos) return "holds a zero character";
  return {};
}

}  // namespace

Result<> publishable(const Message& message, bool binary_payload) {
  const std::string_view topic = message.topic;
  if (const auto fault = common_fault(topic); !fault.empty()) {
    return invalid("the topic", topic, fault);
  }
  if (topic.find_first_of("+#") != std::string_view::npos) {
    return invalid("the topic", topic, "holds a wildcard (+ or #)");
  }
  if (message.qos < 0 || message.qos > 2) {
    return invalid("the message for", topic,
                   "asks for QoS " + std::to_string(message.qos) + " (allowed: 0 ... 2)");
  }
  if (message.payload.size() > max_payload_bytes - max_topic_bytes) {
    return invalid("the message for", topic, "is too large for MQTT (256 MB)");
  }
  if (!binary_payload && !is_utf8(message.payload)) {
    return invalid("the message for", topic, "is not UTF-8");
  }
  return {};
}

Result<> subscribable(std::string_view filter) {
  if (const auto fault = common_fault(filter); !fault.empty()) {
    return invalid("the subscription", filter, fault);
  }
  if (const auto fault = filter_fault(filter); !fault.empty()) {
    return invalid("the subscription", filter, fault);
  }
  return {};
}

}  // namespace meterbridge::mqtt
