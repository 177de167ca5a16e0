// SPDX-License-Identifier: MIT
// From a capture to one that tells nothing of whose it is, and the look whether it does not.
#include "cli/bundle.hpp"
#include "core/fault.hpp"
#include "core/text.hpp"
#include "protocol/anatomy.hpp"

#include <algorithm>
#include <cctype>
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

// Sentences say where something happened and quote what a meter said.
std::string clean_words(std::string text, const Names& names, const protocol::Disguise& disguise) {
  const std::size_t fault = text.find(": ");
  const std::string head = text.substr(0, fault);
  text = fault == text.npos ? std::string() : text.substr(fault);
  for (const auto& [name, word] : names) {
    for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + word.size()))
      text.replace(at, name.size(), word);
  }
  text = disguise.text(text);
  // Paths, addresses and long numbers that nobody named.
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

std::string clean_topic(const std::string& topic, const std::string& filter,
                        const protocol::Disguise& disguise) {
  if (topic.empty()) return topic;
  const std::size_t wild = filter.find_first_of("+#");
  if (wild == std::string::npos || topic.size() <= wild) return "meter/telegram";
  return "meter/" + disguise.text(std::string_view(topic).substr(wild));
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
  const auto telling = [&](const CaptureEntry& entry) { return disguise.shows_in(entry.bytes); };
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
    if (name == "meter" || name == "profile") continue;
    bundle.capture.facts.emplace_back(
        name, name == "fault" ? clean_words(value, names, disguise) : value);
  }
  for (const std::string& remark : bundle.remarks)
    bundle.capture.facts.emplace_back("remark", remark);
  bundle.capture.configuration = bundle_configuration(house, meter, made->settings);
  std::size_t next = 0;
  for (const CaptureEntry& old : capture.entries) {
    CaptureEntry entry = old;
    if (!entry.meter.empty()) entry.meter = meter_name;
    if (entry.kind == CaptureEntry::Kind::outcome) {
      entry.text = clean_words(entry.text, names, disguise);
    } else {
      entry.bytes = std::move(made->lines[next++].bytes);
      entry.topic = clean_topic(entry.topic, link == nullptr ? "" : link->topic, disguise);
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
