// SPDX-License-Identifier: MIT
// The parts of read_settings, each in a file of its own.
#pragma once

#include "config/section.hpp"
#include "config/settings.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::config {

// What is wrong with "house" as an id; empty = nothing.
[[nodiscard]] std::string identity_fault(std::string_view text);
// "house": letters, digits, _ and -, not too long. Adds a problem and returns false otherwise.
bool check_identity(const Node& node, std::string_view text, Problems& problems);
// A topic for publishing: no wildcards, no blank levels at the ends. The same.
bool check_topic(const Node& node, std::string_view text, Problems& problems);

// `values` are those of `node`: the keys that every connection to a broker has.
ConnectionSettings read_connection(const Node& node, const SettingValues& values,
                                   Problems& problems);

// `bridges`, when all that concerns our own broker is in `settings`.
void read_bridges(const Node& node, Settings& settings, Problems& problems);

MqttSettings read_mqtt(const Node& node, const std::string& instance, Problems& problems);
HomeAssistantSettings read_homeassistant(const Node& node, Problems& problems);
// `values` are those of the root, `node` is the root.
JournalSettings read_journal(const Node& node, const SettingValues& values, Problems& problems);
BlackBoxSettings read_black_box(const Node& node, const SettingValues& values, Problems& problems);

// max_power, main_fuse, guard and publish of a meter.
void read_limits(const Node& node, const SettingValues& values, MeterSettings& meter,
                 Problems& problems);
void read_reading_limits(const Node& entry, const SettingValues& values, ReadingOptions& options,
                         Problems& problems);

// A counter is not smoothed: it would lag behind.
void check_smoothing(const Node& entry, const ReadingKey& key, const ReadingOptions& options,
                     Problems& problems);

// alarms and anomalies of a meter; its readings are known already.
void read_alarms(const Node& node, const SettingValues& values, MeterSettings& meter,
                 Problems& problems);

// The sinks; `settings` has its meters already.
void read_sinks(const Node& sinks, const Catalogue& catalogue, Settings& settings,
                Problems& problems);

// A link as it stands in the file; its line is settled when its meters are known.
struct LinkDraft {
  LinkSettings settings;
  std::optional<std::uint32_t> baud;
  std::optional<std::string> mode;
  std::vector<std::size_t> meters;  // positions in Settings::meters
  bool usable = true;               // false: something about it is reported already
  std::string path;
};

LinkDraft read_link(const Node& node, std::string name, Problems& problems);

// Meters and the links they need. What meters and links owe each other (one port one link, one
// address one meter, lines that agree) is checked at the end.
class MeterReader {
 public:
  MeterReader(const Catalogue& catalogue, Problems& problems)
      : catalogue_(catalogue), problems_(problems) {}

  void read_links(const Node& links);
  void read_meters(const Node& meters);
  void finish(Settings& settings) &&;

 private:
  void read_meter(const Node& node);
  const ProfileFacts* find_profile(const Node& node);
  void read_id(const Node& node, const SettingValues& values, MeterSettings& meter);
  void attach_link(const Node& node, const SettingValues& values, MeterSettings& meter);
  void read_readings(const Node& node, MeterSettings& meter);
  void read_telegram(const Node& node, const SettingValues& values, const ProfileFacts* facts,
                     MeterSettings& meter);
  void check_ports();
  void check_topics(const Settings& settings);
  void check_identities();
  void check_sharing(const LinkDraft& link);
  void check_addresses(const LinkDraft& link);
  void settle_line(LinkDraft& link);
  void complain_about_meter(std::size_t position, std::string text);
  [[nodiscard]] LinkDraft* find_link(std::string_view name);

  const Catalogue& catalogue_;
  Problems& problems_;
  std::vector<LinkDraft> links_;
  std::vector<MeterSettings> meters_;
  std::vector<const ProfileFacts*> facts_;  // beside meters_; null when unknown
  std::map<std::string, Place, std::less<>> ids_;
};

}  // namespace meterbridge::config
