// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

namespace meterbridge::mqtt {

struct Message {
  Message() = default;

  Message(std::string t, std::string p, bool r, int q = 1)
      : topic(std::move(t)), payload(std::move(p)), retain(r), qos(q) {}

  std::string topic;
  std::string payload;
  bool retain = false;
  int qos = 1;
  unsigned hops = 0;  // bridges that it went through, as far as they say so (MQTT 5)
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace meterbridge::mqtt
