// SPDX-License-Identifier: MIT
#include "core/topic_rule.hpp"

#include "core/text.hpp"
#include "core/topic.hpp"

#include <algorithm>
#include <vector>

namespace meterbridge {
namespace {

constexpr std::size_t most_words = 6;
constexpr std::string_view form =
    "the form is: PATTERN [out|in|both] [QOS] [LOCAL-PREFIX REMOTE-PREFIX]";

struct Word {
  std::size_t number;  // in the line, from 1
  std::string text;
};

std::string in_quotes(std::string_view text) {
  return "\"" + sanitised(text, 60) + "\"";
}

Error wrong(const Word& word, std::string_view why) {
  return {Errc::invalid, "word " + std::to_string(word.number) + " (" + in_quotes(word.text) +
                             ") " + std::string(why)};
}

// Blanks part words; what stands in double quotes is one word, "" an empty one.
Result<std::vector<Word>> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<Word> words;
  for (std::size_t at = line.find_first_not_of(blanks); at < line.size();
       at = line.find_first_not_of(blanks, at)) {
    const std::size_t number = words.size() + 1;
    if (line[at] != '"') {
      const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
      words.push_back({number, std::string(line.substr(at, end - at))});
      at = end;
      continue;
    }
    const std::size_t end = line.find('"', at + 1);
    if (end == std::string_view::npos)
      return Error(Errc::invalid,
                   "word " + std::to_string(number) + " begins with a quote that does not end");
    words.push_back({number, std::string(line.substr(at + 1, end - at - 1))});
    at = end + 1;
    if (at < line.size() && blanks.find(line[at]) == std::string_view::npos)
      return Error(Errc::invalid,
                   "word " + std::to_string(number) + " goes on behind its closing quote");
  }
  return words;
}

Result<Way> way_of(const Word& word) {
  if (same_ignoring_case(word.text, "out")) return Way::out;
  if (same_ignoring_case(word.text, "in")) return Way::in;
  if (same_ignoring_case(word.text, "both")) return Way::both;
  return wrong(word, "is no direction: out, in or both");
}

std::string_view prefix_fault(std::string_view prefix) {
  if (prefix.find_first_of("+#") != std::string_view::npos)
    return "is a prefix and has a wildcard (+ or #)";
  if (!is_utf8(prefix)) return "is not UTF-8";
  return {};
}

// What a filter that the rule makes of its parts may not be.
Result<> check_filter(const std::string& filter, std::string_view side) {
  std::string_view fault = filter_fault(filter);
  if (fault.empty() && !is_utf8(filter)) fault = "is not UTF-8";
  if (fault.empty() && filter.find('\0') != std::string::npos) fault = "holds a zero character";
  if (fault.empty() && filter.size() > 65535) fault = "is longer than 65535 bytes";
  if (fault.empty()) return {};
  return Error(Errc::invalid, "the " + std::string(side) + " topic " + in_quotes(filter) + " " +
                                  std::string(fault));
}

Result<> check_rule(const TopicRule& rule) {
  if (rule.pattern.empty() && (rule.local_prefix.empty() || rule.remote_prefix.empty()))
    return Error(Errc::invalid,
                 "an empty pattern maps one topic to another: both prefixes must name one");
  if (const auto local = check_filter(rule.local_filter(), "local"); !local) return local.error();
  if (const auto remote = check_filter(rule.remote_filter(), "remote"); !remote)
    return remote.error();
  for (const Way way : {Way::out, Way::in}) {
    if (rule.goes(way) && rule.target(way).starts_with('$'))
      return Error(Errc::invalid, "messages would go to " + in_quotes(rule.target(way)) +
                                      ": topics that begin with $ belong to the broker, and no "
                                      "client may publish there; name a prefix for that side");
  }
  return {};
}

bool is_owned(const TopicRule& rule, std::string_view topic) {
  return rule.owner.empty() || topic.find("/" + rule.owner) != std::string_view::npos;
}

// As Mosquitto: a prefix that the topic does not have is not taken off ("site/#" hears "site",
// too).
std::string replace_prefix(std::string_view topic, std::string_view from, std::string_view to) {
  if (topic.starts_with(from)) topic.remove_prefix(from.size());
  return std::string(to) + std::string(topic);
}

}  // namespace

Result<TopicRule> parse_topic_rule(std::string_view line) {
  auto split = words_of(line);
  if (!split) return split.error();
  std::vector<Word> words = *std::move(split);
  if (!words.empty() && words.front().text == "topic") words.erase(words.begin());
  if (words.empty())
    return Error(Errc::invalid, "no topic pattern; " + std::string(form) +
                                    " (in YAML the line needs quotes: # begins a comment there)");
  TopicRule rule;
  rule.pattern = words[0].text;
  // Mosquitto takes what follows the direction as a comment when it begins with #.
  if (words.size() > 2 && words[2].text.starts_with('#')) words.resize(2);
  if (words.size() >= most_words) return wrong(words[most_words - 1], "is one word too many");
  if (words.size() > 1) {
    const auto way = way_of(words[1]);
    if (!way) return way.error();
    rule.way = *way;
  }
  if (words.size() > 2) {
    const std::string& qos = words[2].text;
    if (qos.size() != 1 || qos[0] < '0' || qos[0] > '2')
      return wrong(words[2], "is no QoS: 0, 1 or 2");
    rule.qos = qos[0] - '0';
  }
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (const auto fault = prefix_fault(words[i].text); !fault.empty())
      return wrong(words[i], fault);
    (i == 3 ? rule.local_prefix : rule.remote_prefix) = words[i].text;
  }
  if (const auto usable = check_rule(rule); !usable) return usable.error();
  return rule;
}

std::string topic_line(const TopicRule& rule) {
  const auto word = [](const std::string& text) {
    const bool plain = !text.empty() && text.find_first_of(" \t\r\n") == std::string::npos;
    return plain ? text : "\"" + text + "\"";
  };
  std::string line = "topic " + word(rule.pattern);
  line += rule.way == Way::out ? " out " : rule.way == Way::in ? " in " : " both ";
  line += std::to_string(rule.qos);
  if (!rule.local_prefix.empty() || !rule.remote_prefix.empty())
    line += " " + word(rule.local_prefix) + " " + word(rule.remote_prefix);
  return line;
}

std::optional<Mapped> mapped(std::span<const TopicRule> rules, Way way, std::string_view topic) {
  const TopicRule* plain = nullptr;
  for (const TopicRule& rule : rules) {
    if (!rule.goes(way) || !topic_matches(rule.source(way), topic) || !is_owned(rule, topic))
      continue;
    if (rule.local_prefix.empty() && rule.remote_prefix.empty()) {
      if (plain == nullptr) plain = &rule;
      continue;
    }
    Mapped found;
    found.rule = &rule;
    found.topic = way == Way::out ? replace_prefix(topic, rule.local_prefix, rule.remote_prefix)
                                  : replace_prefix(topic, rule.remote_prefix, rule.local_prefix);
    if (found.topic.empty()) return std::nullopt;
    return found;
  }
  if (plain == nullptr) return std::nullopt;
  Mapped found;
  found.topic = std::string(topic);
  found.rule = plain;
  return found;
}

}  // namespace meterbridge
