// SPDX-License-Identifier: MIT
// One entity before it is written down: the same description serves device documents and single
// messages.
#pragma once

#include "homeassistant/documents.hpp"
#include "homeassistant/language.hpp"

#include <optional>
#include <string>
#include <vector>

namespace meterbridge::homeassistant {

// What must be online for an entity to be available.
enum class Needs { bridge_and_meter, bridge, nothing };

struct Range {
  std::string_view minimum, maximum, step;  // as JSON numbers
};

// Empty members are not written.
struct Entity {
  Entity(std::string_view p, std::string k) : platform(p), key(std::move(k)) {}

  std::string platform;  // "sensor"
  std::string key;       // component key, and the end of the unique id
  std::string name;      // without the device's name; empty = null: the device's main feature
  std::string device_class;
  std::string state_class;
  std::string unit;
  std::string category;
  std::optional<int> precision;
  bool enabled = true;
  std::string state_topic;  // empty = the state topic of the device
  std::string value_template;
  std::string command_topic;
  std::string payload_on;
  std::string payload_off;
  std::string payload_press;
  std::vector<std::string> options;
  std::optional<Range> range;
  Needs needs = Needs::bridge_and_meter;
};

// The device's name: the configured one; of a sub-meter without one its medium and serial number.
[[nodiscard]] std::string shown_name(const MeterFacts& meter, const Language& language);
// All entities of a meter, ordered by key; of two with the same key the first one counts.
[[nodiscard]] std::vector<Entity> entities_of(const BridgeFacts& bridge, const MeterFacts& meter);
[[nodiscard]] std::vector<Entity> entities_of(const BridgeFacts& bridge);
// The same entity with nothing that releases before device documents refuse.
[[nodiscard]] Entity for_older_releases(const BridgeFacts& bridge, std::string_view meter,
                                        Entity entity);

// Text for identifiers and topic levels: any other character than letters, digits, `_` and `-`
// becomes `_`.
[[nodiscard]] std::string safe_id(std::string_view text);
inline constexpr std::string_view bridge_id = "bridge";  // no meter may be called so

}  // namespace meterbridge::homeassistant
