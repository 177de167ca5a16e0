// SPDX-License-Identifier: MIT
// From a capture to one that tells nothing of whose it is, and the look whether it does not.
#include "cli/bundle.hpp"
#include "core/fault.hpp"
#include "core/text.hpp"
#include "protocol/anatomy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <utility>

namespace meterbridge::cli {
namespace {

using protocol::CaptureEntry;
using protocol::Decoded;

constexpr std::string_view meter_name = "meter";

// Longest first, so that a part of one name does not break another.
using Names = std::vector<std::pair<std::string, std::string>>;

Names names_of(const config::Settings& settings, const config::MeterSettings& meter,
               const config::LinkSettings* link) {
  Names names{{meter.id, std::string(meter_name)}, {meter.name, std::string(meter_name)}};
  if (link != nullptr) {
    names.emplace_back(link->serial, "/dev/meter");
    names.emplace_back(link->host, "192.0.2.1");
    names.emplace_back(link->topic, "meter/telegram");
    names.emplace_back(link->replay, "capture.bin");
    names.emplace_back(link->name, "line");
  }
  names.emplace_back(settings.instance, "meterbridge");
  names.emplace_back(settings.mqtt.host, "192.0.2.2");
  std::erase_if(names, [](const auto& name) { return name.first.size() < 3; });
  std::ranges::sort(names, std::greater(), [](const auto& name) { return name.first.size(); });
  return names;
}

bool is_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

// A path, an address or the name of a host, whoever named it.
bool is_place(std::string_view word) {
  const auto all_of = [&](std::string_view characters) {
    return word.find_first_not_of(characters) == std::string_view::npos;
  };
  if (word.starts_with('/') && word.size() > 1) return true;
  const auto dots = std::ranges::count(word, '.');
  if (dots == 3 && all_of("0123456789.:")) return true;
  if (std::ranges::count(word, ':') >= 2 && all_of("0123456789abcdefABCDEF:.%[]")) return true;
  const std::size_t dot = word.rfind('.');
  const std::string_view last = word.substr(std::min(dot, word.size() - 1) + 1);
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  return dots > 0 && dot > 0 && last.size() >= 2 && std::ranges::all_of(last, is_letter);
}

std::string without_places(std::string_view text) {
  constexpr std::string_view between = " \"'(),;";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(between, at), text.size());
    std::string_view word = text.substr(at, end - at);
    const std::size_t inner = word.find_last_not_of(":.") + 1;
    // "10.0.0.5:8899" with its port.
    const std::size_t port = word.substr(0, inner).rfind(':');
    const bool place =
        inner > 0 && (is_place(word.substr(0, inner)) ||
                      (port != word.npos && port > 0 && is_place(word.substr(0, port))));
    out += place ? "..." + std::string(word.substr(inner)) : std::string(word);
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

// Sentences say where something happened and quote what a meter said.
std::string clean_words(std::string text, const Names& names, const protocol::Disguise& disguise) {
  const std::size_t fault = text.find(": ");
  std::string head = text.substr(0, fault);
  text = fault == text.npos ? std::string() : text.substr(fault);
  if (!is_word(head)) text = std::exchange(head, std::string()) + text;
  for (const auto& [name, word] : names) {
    for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + word.size()))
      text.replace(at, name.size(), word);
  }
  text = without_places(disguise.text(text));
  // Long numbers that nobody named.
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    run = std::isdigit(static_cast<unsigned char>(text[i])) != 0 ? run + 1 : 0;
    constexpr std::size_t telling = 6;
    if (run == telling)
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(i + 1 - run), run, 'x');
    if (run > telling) text[i] = 'x';
  }
  return head + text;
}

// Levels of topics are names that people gave, but for what a program or a profile calls them.
class TopicNames {
 public:
  TopicNames(const meter::Meter& meter, const protocol::Disguise& disguise) : disguise_(disguise) {
    for (const char* word : {"SENSOR", "STATE", "RESULT", "sensor", "state", "raw", "agg", "tele",
                             "stat", "events", "devices", "meter", "telegram"})
      kept_.emplace(word);
    if (!meter::ProfileLibrary::ships(meter.profile().id)) return;
    const SettingValues usual = meter::default_values(meter.profile());
    for (const TableSpec& table : meter.profile().protocol->tables)
      for (const SettingValues& row : usual.rows(table.name))
        if (row.has("topic"))
          each_level(row.text("topic"), [&](auto level) { kept_.emplace(level); });
  }

  std::string of(std::string_view topic) {
    std::string out;
    each_level(topic, [&](std::string_view level) {
      out += (out.empty() ? "" : "/") + level_of(std::string(level));
    });
    return out;
  }

  // Of a message: what the filter names itself is one name.
  std::string message(const std::string& topic, const std::string& filter) {
    if (topic.empty()) return topic;
    const std::size_t wild = filter.find_first_of("+#");
    if (wild == std::string::npos || topic.size() <= wild) return "meter/telegram";
    return "meter/" + of(std::string_view(topic).substr(wild));
  }

 private:
  template <class Act>
  static void each_level(std::string_view topic, const Act& act) {
    for (;;) {
      const std::size_t end = topic.find('/');
      act(topic.substr(0, end));
      if (end == topic.npos) return;
      topic.remove_prefix(end + 1);
    }
  }

  std::string level_of(const std::string& level) {
    const bool channel = level.starts_with("chn") && level.size() < 8;
    if (level.empty() || channel || kept_.contains(level) || ReadingKey::parse(level)) return level;
    if (std::string made = disguise_.text(level); made != level) return made;
    const auto known = names_.find(level);
    if (known != names_.end()) return known->second;
    std::string made = "name" + std::to_string(names_.size() + 1);
    names_.emplace(level, made);
    return made;
  }

  const protocol::Disguise& disguise_;
  std::set<std::string, std::less<>> kept_;
  std::map<std::string, std::string> names_;
};

// Topics stand in the configuration, too.
void rename_topics(std::string& configuration, TopicNames& names) {
  constexpr std::string_view mark = "topic: \"";
  for (std::size_t at = 0; (at = configuration.find(mark, at)) != configuration.npos;) {
    at += mark.size();
    const std::size_t end = configuration.find('"', at);
    if (end == configuration.npos) return;
    const std::string made = names.of(std::string_view(configuration).substr(at, end - at));
    configuration.replace(at, end - at, made);
    at += made.size();
  }
}

bool is_known_fact(std::string_view name) {
  constexpr std::array<std::string_view, 5> known{"version", "protocol", "link", "line", "fault"};
  return std::ranges::find(known, name) != known.end();
}

std::vector<std::string> values_of(const std::vector<Decoded>& all) {
  std::vector<std::string> values;
  for (const Decoded& one : all) {
    for (const MeterReadings& meter : one.telegram.readings)
      for (const Reading& reading : meter.readings)
        if (const auto* const number = std::get_if<Decimal>(&reading.value))
          values.push_back(reading.key.text() + " " + number->str());
  }
  return values;
}

bool tells(const Decoded& one, const protocol::Disguise& disguise) {
  if (disguise.shows_in(to_bytes(one.telegram.meter.serial))) return true;
  return std::ranges::any_of(one.telegram.items, [&](const protocol::Item& item) {
    return item.text && disguise.shows_in(to_bytes(*item.text));
  });
}

// What is written must not be worth less than what was captured, and tell nothing.
Result<> proven(const protocol::Protocol& protocol, const protocol::Capture& before,
                const SettingValues& old_values, const Bundle& after,
                const SettingValues& new_values, const protocol::Disguise& disguise) {
  const auto old_decoded = decode_capture(protocol, before, old_values);
  const auto new_decoded = decode_capture(protocol, after.capture, new_values);
  if (values_of(old_decoded) != values_of(new_decoded))
    return Error(
        Errc::bug,
        "made anonymous, the capture gives other values; nothing is written. `capture` has "
        "the bytes as they are");
  const auto telling = [&](const CaptureEntry& entry) {
    return disguise.shows_in(entry.bytes) || disguise.shows_in(to_bytes(entry.text)) ||
           disguise.shows_in(to_bytes(entry.topic));
  };
  const bool shows =
      std::ranges::any_of(after.capture.entries, telling) ||
      disguise.shows_in(protocol::heard_bytes(transcript_of(after.capture))) ||
      disguise.shows_in(to_bytes(after.capture.configuration)) ||
      std::ranges::any_of(new_decoded, [&](const Decoded& one) { return tells(one, disguise); });
  if (shows)
    return Error(Errc::bug,
                 "a number that tells whose meter it is could not be taken out of the capture; "
                 "nothing is written");
  return {};
}

}  // namespace

Result<Bundle> bundle_of(const app::House& house, const meter::Meter& meter,
                         const protocol::Capture& capture) {
  const protocol::Protocol& protocol = *meter.profile().protocol;
  const config::LinkSettings* const link = app::find_link(house.settings, meter.settings().link);
  protocol::Disguise disguise;
  auto made =
      protocol::anonymise(protocol, transcript_of(capture), meter.settings().protocol, disguise);
  if (!made) return made.error();
  const Names names = names_of(house.settings, meter.settings(), link);
  Bundle bundle;
  bundle.remarks = std::move(made->remarks);
  bundle.capture.facts.emplace_back("bundle",
                                    "anonymous: serial numbers, keys and names are invented");
  for (const auto& [name, value] : capture.facts) {
    // People write their own into a file.
    if (!is_known_fact(name)) continue;
    bundle.capture.facts.emplace_back(
        name, name == "fault" ? clean_words(value, names, disguise) : sanitised(value, 60));
  }
  for (const std::string& remark : bundle.remarks)
    bundle.capture.facts.emplace_back("remark", remark);
  TopicNames topics(meter, disguise);
  bundle.capture.configuration = bundle_configuration(house, meter, made->settings);
  rename_topics(bundle.capture.configuration, topics);
  std::size_t next = 0;
  for (const CaptureEntry& old : capture.entries) {
    CaptureEntry entry = old;
    if (!entry.meter.empty()) entry.meter = meter_name;
    if (entry.kind == CaptureEntry::Kind::outcome) {
      entry.text = clean_words(entry.text, names, disguise);
    } else {
      entry.bytes = std::move(made->lines[next++].bytes);
      entry.topic = topics.message(entry.topic, link == nullptr ? "" : link->topic);
      if (entry.bytes.empty()) continue;
    }
    bundle.capture.entries.push_back(std::move(entry));
  }
  if (auto fine =
          proven(protocol, capture, meter.settings().protocol, bundle, made->settings, disguise);
      !fine)
    return fine.error();
  return bundle;
}

}  // namespace meterbridge::cli
