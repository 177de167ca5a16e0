// SPDX-License-Identifier: MIT
// The topic lines of a broker bridge, in the language of mosquitto.conf:
//   topic PATTERN [out|in|both] [QOS] [LOCAL-PREFIX REMOTE-PREFIX]
// Directions are seen from the local broker. Read and mapped as Mosquitto 2 does it.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace meterbridge {

enum class Way : std::uint8_t { out, in, both };

struct TopicRule {
  TopicRule() = default;
  std::string pattern;  // "" = exactly the topic that the prefixes name
  Way way = Way::out;
  int qos = 0;
  std::string local_prefix;
  std::string remote_prefix;
  // Beyond mosquitto's language. `owner`: only topics one of whose levels begins with it (what a
  // whole level of a wildcard is too wide for). `state`: everything there is retained, also when a
  // broker took the flag off.
  std::string owner;
  bool state = false;

  [[nodiscard]] bool goes(Way wanted) const noexcept { return way == wanted || way == Way::both; }

  [[nodiscard]] std::string local_filter() const { return local_prefix + pattern; }

  [[nodiscard]] std::string remote_filter() const { return remote_prefix + pattern; }

  // Where a message is heard that goes this way, and where it ends.
  [[nodiscard]] std::string source(Way wanted) const {
    return wanted == Way::out ? local_filter() : remote_filter();
  }

  [[nodiscard]] std::string target(Way wanted) const {
    return wanted == Way::out ? remote_filter() : local_filter();
  }

  friend bool operator==(const TopicRule&, const TopicRule&) = default;
};

// The word `topic` in front, double quotes around a word and any blanks between are taken as they
// are found. Error: invalid, with the number of the word that is wrong.
[[nodiscard]] Result<TopicRule> parse_topic_rule(std::string_view line);
// The same as a line of mosquitto.conf, with the word `topic`.
[[nodiscard]] std::string topic_line(const TopicRule& rule);

struct Mapped {
  std::string topic;
  const TopicRule* rule = nullptr;
};

// Where a message goes that is heard on `topic`; nothing when no rule takes it that way. Of several
// rules that match, the first one with a prefix decides, as in Mosquitto.
[[nodiscard]] std::optional<Mapped> mapped(std::span<const TopicRule> rules, Way way,
                                           std::string_view topic);

}  // namespace meterbridge
