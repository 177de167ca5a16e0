// SPDX-License-Identifier: MIT
#include "protocol/json/gather.hpp"

#include "core/text.hpp"
#include "protocol/json/leaf.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::size_t longest_identity = 32;
constexpr std::size_t most_told = 8;  // of the meters that were heard and not taken

// Programs write the same number with and without its leading zeros.
std::string comparable(std::string_view id) {
  while (id.size() > 1 && id.front() == '0')
    id.remove_prefix(1);
  return lower(id);
}

// What a field of the user says of it counts more than the table.
void take_fields(const Options& options, std::span<const Leaf> leaves, std::string_view topic,
                 Heard& heard) {
  for (const Field& field : options.fields) {
    const bool another = !field.id.empty() && comparable(field.id) != comparable(heard.id);
    if (another || !belongs(field, topic)) continue;
    FieldValue value = value_of(field, leaves);
    if (!value.fault.empty()) heard.remark = heard.id + ": " + value.fault;
    if (!value.reading) continue;
    std::erase_if(heard.readings,
                  [&value](const Reading& other) { return other.key == value.reading->key; });
    heard.readings.insert(heard.readings.begin(), *std::move(value.reading));
  }
}

}  // namespace

void Heard::add(Result<Reading> reading) {
  if (reading && std::ranges::find(readings, reading->key, &Reading::key) == readings.end())
    readings.push_back(*std::move(reading));
}

std::string_view medium_of_type(unsigned type) noexcept {
  switch (type) {
    case 0x02:
      return "electricity";
    case 0x03:
      return "gas";
    case 0x06:
    case 0x07:
    case 0x15:
    case 0x16:
    case 0x17:
      return "water";
    case 0x04:
    case 0x0A:
    case 0x0B:
    case 0x0C:
    case 0x0D:
      return "heat";
    case 0x08:
      return "allocator";
    case 0x1B:
      return "sensor";
    default:
      return "other";
  }
}

bool is_identity(std::string_view id) noexcept {
  return !id.empty() && id.size() <= longest_identity && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

const Leaf* leaf_at(std::span<const Leaf> leaves, std::string_view pointer) noexcept {
  const auto at = std::ranges::find(leaves, pointer, &Leaf::pointer);
  return at == leaves.end() || at->kind == Kind::null ? nullptr : &*at;
}

std::vector<std::string_view> levels_of(std::string_view topic) {
  std::vector<std::string_view> levels;
  for (;;) {
    const std::size_t slash = topic.find('/');
    levels.push_back(topic.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    topic.remove_prefix(slash + 1);
  }
}

Roster::Roster(const Options& options, bool capture)
    : all_(options.ids.all || (capture && options.ids.listed.empty())), most_(options.ids.most) {
  for (const std::string& id : options.ids.listed)
    listed_.push_back(comparable(id));
}

bool Roster::is_listed(std::string_view id) const {
  return std::ranges::find(listed_, comparable(id)) != listed_.end();
}

// The meters that are heard and not taken, for a message.
std::string Roster::note(const Heard& heard) {
  const std::string shown = heard.medium + " " + heard.id;
  if (std::ranges::find(told_, shown) == told_.end() && told_.size() < most_told)
    told_.push_back(shown);
  std::string list;
  for (const std::string& each : told_)
    list += (list.empty() ? "" : ", ") + each;
  return list + (told_.size() == most_told ? ", ..." : "");
}

std::optional<std::string> Roster::refusal(const Heard& heard) {
  const std::string name = heard.medium + "_" + heard.id;
  if (std::ranges::find(taken_, name) != taken_.end()) return std::nullopt;
  if (!all_ && !is_listed(heard.id)) {
    return listed_.empty()
               ? "is of a meter that nobody asked for: name yours under `ids`; heard: " +
                     note(heard)
               : "is of a meter that is not among `ids`; heard: " + note(heard);
  }
  if (all_ && taken_.size() >= most_) {
    return "is of one meter more than most_meters (" + std::to_string(most_) +
           "): name yours under `ids`; not taken: " + note(heard);
  }
  taken_.push_back(name);
  return std::nullopt;
}

// Where all are taken up to a number, the same ones must be taken after a restart.
std::string Roster::memory() const {
  std::string text;
  for (const std::string& name : taken_)
    text += (text.empty() ? "" : " ") + name;
  return all_ ? text : std::string();
}

void Roster::remember(std::string_view memory) {
  if (!all_) return;
  for (std::string_view rest = trimmed(memory); !rest.empty(); rest = trimmed(rest)) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string name(rest.substr(0, end));
    rest.remove_prefix(end);
    const std::size_t line = name.find('_');
    const bool good = line != std::string::npos && is_identity(name.substr(0, line)) &&
                      is_identity(name.substr(line + 1));
    if (good && taken_.size() < most_ && std::ranges::find(taken_, name) == taken_.end())
      taken_.push_back(name);
  }
}

Result<std::optional<Understood>> Gathering::take(std::string_view text, std::string_view topic) {
  auto taken = options_.sender == Sender::vzlogger      ? take_channel(text, topic)
               : options_.sender == Sender::meterbridge ? take_leaf(text, topic)
                                                        : take_meter(text, topic);
  if (!taken) {
    // Broken messages are always told.
    if (taken.error().code() != Errc::unsupported) return taken.error();
    return unless_quiet(taken.error());
  }
  if (*taken) {
    fruitful_ = true;
    if ((*taken)->remark.empty()) (*taken)->remark = kept_quiet_;
  }
  return taken;
}

// Who hears the meters that he wants does not want to hear of the others with each message.
Result<std::optional<Understood>> Gathering::unless_quiet(Error error) {
  if (!fruitful_ || capture_) return error;
  return std::optional<Understood>();
}

Result<std::optional<Understood>> Gathering::take_channel(std::string_view text,
                                                          std::string_view topic) {
  if (text.size() > max_document)
    return Error{Errc::malformed, "is longer than " + std::to_string(max_document) + " bytes"};
  return channels_.take(options_, text, topic);
}

Result<std::optional<Understood>> Gathering::take_meter(std::string_view text,
                                                        std::string_view topic) {
  const bool plain = options_.sender == Sender::rtl_433 && !trimmed(text).starts_with('{');
  const auto tolerance = options_.sender == Sender::rtl_433 ? Tolerance::repeated : Tolerance::none;
  auto leaves = plain ? Result<std::vector<Leaf>>(std::vector<Leaf>()) : parse(text, tolerance);
  if (plain) {
    auto single = text.size() <= max_document ? rtl_433_leaves(topic, text) : std::nullopt;
    if (!single) return Error{Errc::unsupported, "is neither a document nor a value of a device"};
    leaves = *std::move(single);
  }
  if (!leaves) return leaves.error();
  auto heard = options_.sender == Sender::rtl_433 ? heard_by_rtl_433(*leaves)
                                                  : heard_by_wmbusmeters(*leaves);
  if (!heard) return heard.error();
  if (auto refused = roster_.refusal(*heard)) {
    if (options_.ids.all) kept_quiet_ = "a message " + *refused;
    return Error{Errc::unsupported, *std::move(refused)};
  }
  take_fields(options_, *leaves, topic, *heard);
  if (plain && heard->readings.empty()) return std::optional<Understood>();
  Understood understood;
  understood.telegram.protocol = "json";
  understood.telegram.time = heard->time;
  for (const Leaf& leaf : *leaves) {
    if (leaf.kind != Kind::null) understood.telegram.items.push_back(item_of(leaf));
  }
  understood.telegram.readings.resize(2);
  MeterReadings& meter = understood.telegram.readings.back();
  meter.submeter = heard->medium + "_" + heard->id;
  meter.identity = std::move(heard->identity);
  meter.time = heard->time;
  meter.readings = std::move(heard->readings);
  understood.remark = std::move(heard->remark);
  if (meter.readings.empty() && understood.remark.empty())
    understood.remark = heard->id + ": nothing in its document can be taken";
  return std::optional(std::move(understood));
}

Result<std::optional<Understood>> Gathering::take_leaf(std::string_view text,
                                                       std::string_view topic) {
  const auto leaves = parse(text);
  if (!leaves) return leaves.error();
  auto understood = understand_leaf(*leaves, topic);
  if (!understood) return understood.error();
  return std::optional(*std::move(understood));
}

std::string Gathering::memory() const {
  return options_.sender == Sender::vzlogger ? channels_.memory() : roster_.memory();
}

void Gathering::remember(std::string_view memory) {
  if (options_.sender == Sender::vzlogger) {
    channels_.remember(memory);
  } else {
    roster_.remember(memory);
  }
}

}  // namespace meterbridge::protocol::json
