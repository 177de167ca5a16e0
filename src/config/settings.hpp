// SPDX-License-Identifier: MIT
// The configuration as plain structs, validated once (contract.md 4).
#pragma once

#include "config/alarm_settings.hpp"
#include "config/document.hpp"
#include "core/decimal.hpp"
#include "core/line_settings.hpp"
#include "core/reading_key.hpp"
#include "core/secret.hpp"
#include "core/setting.hpp"
#include "core/time.hpp"
#include "core/topic_rule.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::config {

struct TlsSettings {
  bool enabled = false;
  std::string ca;           // empty = the system's store
  std::string certificate;  // client certificate and key, both or none
  std::string key;
  bool insecure = false;  // explicit and loud: do not verify
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

// A connection to a broker: ours, or the one at the other end of a bridge.
struct ConnectionSettings {
  std::string host = "localhost";
  std::uint16_t port = 1883;  // 8883 when tls is on and no port is given
  std::string username;
  Secret password;
  std::string client_id;  // empty = ours: kept in the state directory, with the name of a bridge
  int version = 5;        // 3 (3.1.1) or 5
  std::chrono::seconds keepalive{30};
  TlsSettings tls;
  friend bool operator==(const ConnectionSettings&, const ConnectionSettings&) = default;
};

struct MqttSettings : ConnectionSettings {
  std::string base_topic;  // empty in the file = instance
  int qos = 1;
  bool host_given = false;   // in the file
  bool login_given = false;  // username or password, too
  friend bool operator==(const MqttSettings&, const MqttSettings&) = default;
};

enum class Discovery { device, component, off };

struct HomeAssistantSettings {
  Discovery discovery = Discovery::device;
  std::string discovery_prefix = "homeassistant";
  std::string birth_topic = "homeassistant/status";
  std::string language = "en";
  std::string link_availability_topic;  // empty = none
  friend bool operator==(const HomeAssistantSettings&, const HomeAssistantSettings&) = default;
};

// Pages for monitoring; port 0 = none.
struct HttpSettings {
  std::string address;  // numeric
  std::uint16_t port = 0;
  bool edit = false;  // the configuration may be read and written there; loopback only
  friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
};

enum class LinkKind { serial, tcp, mqtt, replay };

struct LinkSettings {
  std::string name;  // as configured, or "<meter>" for a link given in place
  LinkKind kind = LinkKind::serial;
  std::string serial;  // /dev/..., usb:VID:PID[:SERIAL], usb-path:1-1.2
  std::string host;
  std::uint16_t port = 0;
  std::string topic;                 // filter of messages at the broker
  std::string replay;                // file of captured bytes, played as a pushing meter
  std::optional<LineSettings> line;  // unset = the profile's
  bool echo = false;                 // the adapter returns what we send
  bool usb_reset = false;            // the recovery ladder may reset the USB adapter
  Milliseconds turnaround{50};       // least pause between two exchanges on the line
  int failing_share = 10;            // percent of its time that failing meters may cost the others
  std::optional<Milliseconds>
      silence;  // TCP: reconnect when nothing valid came for so long; unset = from the meters
  Place place;
  friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};

struct ReadingOptions {
  std::string name;  // empty = ours
  bool hidden = false;
  std::optional<Decimal> factor;
  std::optional<Decimal> offset;
  // Limits of the value as it is published; nothing = ours (meter/limits.hpp).
  std::optional<Decimal> minimum;
  std::optional<Decimal> maximum;
  std::optional<Decimal> max_step;    // between two values that follow each other
  std::optional<Decimal> max_growth;  // of a counter, in an hour
  int median = 1;                     // of so many values; what is published, nothing else
  int average = 1;
  std::optional<Decimal> dead_band;  // smaller changes are shown late
  friend bool operator==(const ReadingOptions&, const ReadingOptions&) = default;
};

// How often values go out while they change; a value that waits is never lost, only late.
struct PublishRates {
  static constexpr Milliseconds each{0};  // every sample
  std::optional<Milliseconds> all;        // `publish: 10s`; unset = by the kind of reading
  std::map<ReadingKey, Milliseconds> keys;
  friend bool operator==(const PublishRates&, const PublishRates&) = default;
};

// When the counter guard believes what it first refused.
struct GuardSettings {
  bool enabled = true;
  int confirmations = 10;
  Milliseconds over = std::chrono::hours(2);
  friend bool operator==(const GuardSettings&, const GuardSettings&) = default;
};

struct TelegramTopic {
  bool enabled = false;
  std::string topic;   // empty = <base>/<meter>/telegram
  std::string layout;  // empty = our own form
  friend bool operator==(const TelegramTopic&, const TelegramTopic&) = default;
};

struct MeterSettings {
  std::string id;
  std::string name;  // empty in the file = id
  std::string profile;
  std::string link;         // name of a LinkSettings
  Milliseconds interval{};  // polled: time between polls; pushed: the expected period
  std::optional<Milliseconds>
      timeout;  // limit of one poll (the watchdog); unset = from the interval and profile
  bool paused = false;
  std::map<ReadingKey, ReadingOptions> readings;
  std::optional<Decimal> max_power;  // W, from max_power or main_fuse
  GuardSettings guard;
  PublishRates publish;
  std::vector<AlarmSettings> alarms;
  TelegramTopic telegram;
  SettingValues protocol;  // the profile's preset overlaid by the user's
  Place place;
  std::string path;  // "meters[1]"
  friend bool operator==(const MeterSettings&, const MeterSettings&) = default;
};

// A further broker with which topics are exchanged.
struct BridgeSettings : ConnectionSettings {
  std::string name;
  bool clean_session = false;
  std::vector<TopicRule> rules;  // of the preset and of `topics`
  std::size_t queue_messages = 10000;
  std::size_t queue_bytes = 16UL << 20;
  unsigned storm_limit = 100;  // messages on one topic in a second
  std::string state_topic;
  Place place;
  std::string path;
  friend bool operator==(const BridgeSettings&, const BridgeSettings&) = default;
};

// A place that gets every sample: files, a database.
struct SinkSettings {
  std::string name;                 // the key under `sinks`
  std::string type;                 // its kind
  std::vector<std::string> meters;  // configured ids; empty = all. Sub-meters follow their meter
  std::size_t batch = 0;            // entries of one write, at most
  Milliseconds flush_interval{};    // an entry waits so long for more of them, at most
  SettingValues values;             // of its kind
  Place place;
  std::string path;  // "sinks.csv"
  friend bool operator==(const SinkSettings&, const SinkSettings&) = default;
};

// The store of samples that files and databases are filled from.
enum class JournalStore { automatic, off, memory, disk };

struct JournalSettings {
  JournalStore store = JournalStore::automatic;  // on a disk when something reads it
  Milliseconds commit{5000};                     // zero = each sample
  Milliseconds sync{300000};                     // zero = each commit
  Milliseconds keep = std::chrono::hours(24 * 30);
  std::uint64_t size = 200'000'000;  // bytes
  std::size_t samples = 10'000;      // in memory
  friend bool operator==(const JournalSettings&, const JournalSettings&) = default;
};

// The last bytes of each line, kept for when something goes wrong.
struct BlackBoxSettings {
  std::size_t size = 64'000;  // bytes in memory, of each line; 0 = off
  std::size_t cases = 8;      // files that are kept of meters that failed
  friend bool operator==(const BlackBoxSettings&, const BlackBoxSettings&) = default;
};

struct Settings {
  std::string instance = "meterbridge";
  std::string
      state_directory;  // load_settings: $STATE_DIRECTORY or /var/lib/meterbridge when not given
  std::string profiles_directory;  // the user's own profiles; empty = none
  MqttSettings mqtt;
  HomeAssistantSettings homeassistant;
  HttpSettings http;
  JournalSettings journal;
  BlackBoxSettings black_box;
  std::vector<LinkSettings> links;
  std::vector<MeterSettings> meters;
  std::vector<BridgeSettings> bridges;
  std::vector<SinkSettings> sinks;
};

// What the configuration must know of a profile, handed in by the layer above.
struct ProfileFacts {
  ProfileFacts() = default;
  std::string id;
  std::string protocol;
  bool pushes = false;
  Milliseconds interval{};
  LineSettings line;
  std::vector<SettingSpec> settings;  // of its protocol
  std::vector<std::pair<std::string, std::string>> preset;
  std::span<const TableSpec> tables;  // of its protocol
  SettingValues rows;                 // of these tables, from the profile
  std::vector<std::string_view> layouts;
};

// The same of a kind of sink.
struct SinkFacts {
  std::string_view type;
  std::string_view help;
  std::span<const SettingSpec> settings;
};

struct Catalogue {
  std::vector<ProfileFacts> profiles;
  std::vector<SinkFacts> sinks;
};

// The settings of a profile's protocol: their defaults with the profile's preset on top, and its
// rows.
[[nodiscard]] SettingValues preset_values(const ProfileFacts& facts);
// Everything wrong lands in `problems`, ordered by place; the result is usable only when none is an
// error.
Settings read_settings(const Node& root, const Catalogue& catalogue, Problems& problems);
// Reads FILE and secrets.yaml beside it. A missing or unreadable file is a problem, too.
// meter/configuration.hpp has the door for programs: it knows the profiles, the user's own ones
// included.
Settings load_settings(const std::string& file, const Catalogue& catalogue, Problems& problems);
// JSON Schema (draft 2020-12) of the configuration file, for editors.
std::string settings_schema(const Catalogue& catalogue);
// The same as a table for people, in Markdown (docs/settings.md).
std::string settings_reference(const Catalogue& catalogue);

// `preset: homeassistant` of a bridge.
[[nodiscard]] std::vector<TopicRule> homeassistant_rules(const Settings& settings);

// A protocol with several framings has a setting for it, whose `auto` is what the link suggests:
// tcp on a TCP link, rtu on any other.
void settle_framing(SettingValues& protocol, bool tcp_link);

}  // namespace meterbridge::config
