// SPDX-License-Identifier: MIT
// Discovery and state documents for Home Assistant: pure functions from descriptions to messages.
//
// Entities of readings need the bridge and the meter to be online; diagnostics and controls need
// only the bridge, or nobody could see why a meter is away, nor end its pause. A sub-meter has no
// health topic: its connectivity follows its availability, its last reading the `time` of its
// state.
#pragma once

#include "core/fault.hpp"
#include "core/reading.hpp"
#include "mqtt/message.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::homeassistant {

// The bridge as all documents need it.
struct BridgeFacts {
  std::string instance;  // "meterbridge"
  std::string base;      // base topic
  std::string prefix = "homeassistant";
  std::string version;  // of meterbridge
  int qos = 1;
  std::string language = "en";       // of names, see language.hpp
  std::vector<std::string> bridges;  // names of bridges to further brokers
  // Where a broker's own bridge says 1 or 0: without 1 nothing of ours is available; empty = none.
  std::string link_topic;
};

enum class Kind { number, text, flag, time };  // what a reading's value is

// What is known of one reading that was delivered: enough for its entity.
struct EntityFacts {
  EntityFacts() = default;
  ReadingKey key;
  Kind kind = Kind::number;
  Unit unit = Unit::none;
  int precision = 0;    // most digits behind the point seen so far
  bool listed = false;  // a table (registers, codes, fields) names it
  std::string label;    // the user's name; empty = ours
};

// An alarm that the user configured, or an anomaly that could be judged.
struct AlarmFacts {
  AlarmFacts() = default;
  std::string name;
  std::string label;      // shown name; empty = made from the name
  bool of_values = true;  // false: about the meter's silence, and told also while it is away
};

struct MeterFacts {
  MeterFacts() = default;
  std::string id;      // identity: configured id, or "<id>_<medium>_<serial>"
  std::string parent;  // of a sub-meter: the configured id of its meter
  std::string
      name;  // shown name; empty = made from the id, or the medium and serial of a sub-meter
  MeterIdentity identity;
  std::string medium;  // of a sub-meter: "gas"
  bool polled = true;  // button and interval number only make sense for polled meters
  std::vector<EntityFacts> entities;  // readings that were delivered, not hidden
  std::vector<AlarmFacts> alarms;
};

// Values of one meter: last good ones merged.
struct StateFacts {
  StateFacts() = default;
  std::map<ReadingKey, std::optional<Value>> values;  // nothing = null: too old
  Instant time{};
};

struct AlarmHealth {
  AlarmHealth() = default;
  std::string name;
  std::string severity;
  std::optional<bool> active;    // nothing = cannot be told now
  bool raised = false;           // the last that was known
  std::optional<Instant> since;  // it was raised
  std::string text;              // why
};

struct HealthFacts {
  HealthFacts() = default;
  Fault fault = Fault::starting;
  std::string error;  // last error in words, empty when none
  std::optional<Instant> last_frame;
  std::optional<Instant> last_reading;
  std::uint64_t polls = 0;  // telegrams of a pushing meter
  std::uint64_t failures = 0;
  std::uint64_t refused = 0;   // readings that the guard held back
  int error_rate_percent = 0;  // of the last 100 polls or telegrams
  std::map<std::string, std::uint64_t>
      recoveries;  // rung -> count: resynchronise, flush, reopen, usb_reset, restart, cool_down
  std::optional<Milliseconds> poll_time;
  Milliseconds interval{};
  bool paused = false;
  std::vector<AlarmHealth> alarms;
  std::vector<std::string> left_out;  // not asked for, because the meter refuses it
};

// A bridge to a further broker.
struct LinkFacts {
  LinkFacts() = default;
  std::string name;
  std::string state;  // connected, local_away, remote_away, stopped
  std::string error;  // in words, empty when none
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};

// How a sink keeps up.
struct SinkHealthFacts {
  SinkHealthFacts() = default;
  std::string name;
  std::uint64_t lag = 0;  // samples that it has not got yet
  std::chrono::seconds lag_time{};
  std::uint64_t written = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t failures = 0;
  bool failing = false;
  std::string error;
};

// The store of samples, as far as its user should know.
struct JournalFacts {
  JournalFacts() = default;
  std::uint64_t entries = 0;
  std::uint64_t waiting = 0;  // not written yet
  std::uint64_t bytes = 0;    // of the database
  std::uint64_t dropped = 0;
  std::uint64_t damaged = 0;
  std::optional<Instant> last_commit;
  std::string trouble;  // empty = none
};

// The bridge as a whole, for `<base>/bridge/health`.
struct BridgeHealthFacts {
  BridgeHealthFacts() = default;
  std::chrono::seconds uptime{};
  std::uint64_t memory_bytes = 0;  // resident
  std::size_t queue = 0;           // messages that wait for the broker
  std::string run;   // random for each start: another one on our topic is another bridge (P60)
  std::string host;  // where it runs, so that the other one can be found
  std::vector<LinkFacts> bridges;
  std::vector<SinkHealthFacts> sinks;
  std::optional<JournalFacts> journal;
};

// Topics. Characters that identities and topics may not have become `_`.
[[nodiscard]] std::string status_topic(const BridgeFacts& bridge);
[[nodiscard]] std::string topic(const BridgeFacts& bridge, std::string_view meter,
                                std::string_view what);
[[nodiscard]] std::string device_topic(const BridgeFacts& bridge, std::string_view meter);

// `<prefix>/device/<instance>_<meter>/config`; `gone` are component keys to remove in this
// document, with their platform
// ("sensor"): publish once with them, then without.
mqtt::Message device_document(const BridgeFacts& bridge, const MeterFacts& meter,
                              const std::map<std::string, std::string>& gone = {});
// The bridge's own device, to which meters point by via_device.
mqtt::Message bridge_document(const BridgeFacts& bridge,
                              const std::map<std::string, std::string>& gone = {});
// One message per entity, for releases before device documents.
std::vector<mqtt::Message> component_documents(const BridgeFacts& bridge, const MeterFacts& meter);
std::vector<mqtt::Message> bridge_component_documents(const BridgeFacts& bridge);
// Component key -> platform of everything that device_document announces.
[[nodiscard]] std::map<std::string, std::string> components_of(const MeterFacts& meter);
[[nodiscard]] std::map<std::string, std::string> components_of(const BridgeFacts& bridge);
// Topic of one entity in `discovery: component`; an empty retained payload there removes it.
[[nodiscard]] std::string component_topic(const BridgeFacts& bridge, std::string_view meter,
                                          std::string_view platform, std::string_view key);

mqtt::Message state_document(const BridgeFacts& bridge, std::string_view meter,
                             const StateFacts& state);
mqtt::Message health_document(const BridgeFacts& bridge, std::string_view meter,
                              const HealthFacts& health);
// {"uptime": seconds, "version", "memory": bytes, rounded, "queue": messages, "run", "host"},
// where there are bridges "bridges": {name: {"state", "error", counters}}, and where there are
// sinks "sinks": {name: {"state", "lag", "lag_seconds", ..., "error"}}.
// With a journal "journal": {"entries", "waiting", "bytes", "dropped", "damaged", "last_commit",
// "error"}
[[nodiscard]] std::string bridge_health_topic(const BridgeFacts& bridge);
mqtt::Message bridge_health_document(const BridgeFacts& bridge, const BridgeHealthFacts& health);
mqtt::Message availability(const BridgeFacts& bridge, std::string_view meter, bool online);

// English entity name without the device's name: "Energy import tariff 1", "Power L1".
[[nodiscard]] std::string entity_name(const ReadingKey& key);

// Home Assistant's words for a quantity; empty = none. Checked against home-assistant's table in a
// test.
struct Classes {
  std::string_view device_class, state_class, unit;
};

[[nodiscard]] Classes classes_of(const ReadingKey& key, Kind kind, Unit unit);

}  // namespace meterbridge::homeassistant
