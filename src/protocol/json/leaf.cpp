// SPDX-License-Identifier: MIT
#include "protocol/json/leaf.hpp"

#include "core/text.hpp"
#include "protocol/json/heard.hpp"
#include "protocol/json/moment.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::size_t longest_name = 64;
constexpr std::string_view own_level = "/sample";

using Members = std::map<std::string_view, const Leaf*>;

std::string_view text_of(const Members& values, std::string_view pointer) {
  const auto found = values.find(pointer);
  return found == values.end() ? std::string_view() : found->second->text;
}

// An identity at the leaf becomes a part of one here.
bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  });
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// 2026-11-20T18:30:00.123Z
std::optional<Instant> instant_of(std::string_view text) {
  constexpr std::size_t seconds = 19;
  if (text.size() != seconds + 5 || text[seconds] != '.' || text.back() != 'Z') return std::nullopt;
  const auto whole = parse_moment(Format::iso, std::string(text.substr(0, seconds)) + "Z");
  const auto part = whole_number(text.substr(seconds + 1, 3));
  if (!whole || !part) return std::nullopt;
  return Instant(*whole) + Milliseconds(*part);
}

Result<Value> content_of(const Members& values, const std::string& place) {
  if (const auto number = values.find(place + "value"); number != values.end()) {
    if (const auto value = number_of(number->second->text);
        value && number->second->kind == Kind::number)
      return Value(*value);
    return Error{Errc::malformed, place + "value is no number that is exact here"};
  }
  const auto found = values.find(place + "text");
  if (found == values.end()) return Error{Errc::malformed, place + "value is missing"};
  const std::string& text = found->second->text;
  const std::string_view type = text_of(values, place + "type");
  if (type == "flag" && (text == "on" || text == "off")) return Value(text == "on");
  if (type == "time") {
    if (const auto time = parse_moment(Format::iso, text)) return Value(*time);
  }
  if (!type.empty()) return Error{Errc::malformed, place + "text is no " + sanitised(type, 20)};
  return Value(sanitised(text));
}

Result<Reading> reading_of(const Members& values, const std::string& place) {
  const auto key = ReadingKey::parse(text_of(values, place + "key"));
  if (!key) return Error{Errc::malformed, place + "key: " + key.error().detail()};
  auto value = content_of(values, place);
  if (!value) return value.error();
  const std::string_view symbol = text_of(values, place + "unit");
  const auto unit = symbol.empty() ? Result<Unit>(Unit::none) : unit_for(*key, symbol);
  if (!unit) return Error{Errc::malformed, place + "unit: " + unit.error().detail()};
  Reading reading(*key, *std::move(value), *unit);
  const std::string_view time = text_of(values, place + "time");
  if (time.empty()) return reading;
  reading.time = parse_moment(Format::iso, time);
  if (!reading.time) return Error{Errc::malformed, place + "time is none"};
  return reading;
}

Result<std::vector<Reading>> readings_of(const Members& values) {
  std::vector<Reading> readings;
  for (std::size_t i = 0;; ++i) {
    const std::string place = "/readings/" + std::to_string(i) + "/";
    const auto first = values.lower_bound(place);
    if (first == values.end() || !first->first.starts_with(place)) return readings;
    auto reading = reading_of(values, place);
    if (!reading) return reading.error();
    readings.push_back(*std::move(reading));
  }
}

struct Numbers {
  std::uint64_t number = 0;
  std::uint64_t previous = 0;
};

Result<Numbers> numbers_of(const Members& values) {
  const auto number = whole_number(text_of(values, "/sequence"));
  const auto previous = whole_number(text_of(values, "/previous"));
  if (!number || !previous || !is_name(text_of(values, "/journal")))
    return Error{Errc::unsupported,
                 "is no sample of a meterbridge: sequence, previous and journal are missing"};
  if (*previous > *number) return Error{Errc::malformed, "previous is above sequence"};
  return Numbers{*number, *previous};
}

}  // namespace

Result<Understood> understand_leaf(std::span<const Leaf> leaves, std::string_view topic) {
  Members values;
  for (const Leaf& leaf : leaves) {
    if (leaf.kind != Kind::null) values.emplace(leaf.pointer, &leaf);
  }
  const auto numbers = numbers_of(values);
  if (!numbers) return numbers.error();
  const std::string_view instance = text_of(values, "/instance");
  const std::string_view meter = text_of(values, "/meter");
  if (!is_name(instance) || !is_name(meter))
    return Error{Errc::malformed, "instance or meter is missing, or no name"};
  auto readings = readings_of(values);
  if (!readings) return readings.error();
  std::optional<Seconds> time;
  if (!readings->empty()) {
    const auto at = instant_of(text_of(values, "/time"));
    if (!at) return Error{Errc::malformed, "time is missing, or none"};
    if (numbers->previous == numbers->number)
      return Error{Errc::malformed, "previous is not below sequence"};
    time = std::chrono::floor<std::chrono::seconds>(*at);
  }
  Understood understood;
  understood.telegram.protocol = "json";
  for (const auto& [pointer, leaf] : values)
    understood.telegram.items.push_back(item_of(*leaf));
  if (topic.ends_with(own_level)) {
    Item& place = understood.telegram.items.emplace_back("topic");
    place.text = sanitised(topic.substr(0, topic.size() - own_level.size()));
  }
  understood.telegram.readings.resize(2);
  MeterReadings& part = understood.telegram.readings.back();
  part.submeter = std::string(instance) + "_" + std::string(meter);
  part.identity.manufacturer = sanitised(text_of(values, "/device/manufacturer"));
  part.identity.model = sanitised(text_of(values, "/device/model"));
  part.identity.serial = sanitised(text_of(values, "/device/serial"));
  part.identity.firmware = sanitised(text_of(values, "/device/firmware"));
  part.time = time;
  part.readings = *std::move(readings);
  return understood;
}

}  // namespace meterbridge::protocol::json
