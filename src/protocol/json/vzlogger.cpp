// SPDX-License-Identifier: MIT
#include "protocol/json/vzlogger.hpp"

#include "core/obis.hpp"
#include "core/text.hpp"
#include "protocol/json/heard.hpp"
#include "protocol/json/moment.hpp"
#include "protocol/obis_readings.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::size_t most_channels = 64;

struct Sent {
  std::optional<Decimal> value;
  std::optional<Seconds> time;
};

// vzlogger keeps doubles and prints all their digits (38118.691500000001) or six behind the point
// (1234.500000): the shortest number that is the same double is what the meter sent.
std::optional<Decimal> shortest(std::string_view text) {
  const auto exact = number_of(text);
  if (exact && exact->precision() == 0) return exact;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const auto shortened = Decimal::from_float64(value);
  return shortened ? std::optional<Decimal>(*shortened) : std::nullopt;
}

Result<Sent> sent_from(std::string_view text) {
  Sent sent;
  text = trimmed(text);
  if (!text.starts_with('{')) {
    sent.value = shortest(text);
  } else {
    const auto leaves = parse(text);
    if (!leaves) return leaves.error();
    if (const Leaf* value = leaf_at(*leaves, "/value"); value != nullptr)
      sent.value = shortest(trimmed(value->text));
    if (const Leaf* time = leaf_at(*leaves, "/timestamp"); time != nullptr)
      sent.time = parse_moment(Format::unix_ms, time->text);
  }
  if (!sent.value)
    return Error{Errc::malformed, "is \"" + sanitised(text, 40) + "\": no number, as values are"};
  return sent;
}

// What the meter counts in, where the register alone does not say it.
std::string_view unit_of(const ReadingKey& key, CountsIn counts_in) noexcept {
  const bool kilo = counts_in == CountsIn::kwh;
  switch (key.quantity) {
    case Quantity::energy:
      return kilo ? "kWh" : "Wh";
    case Quantity::reactive_energy:
      return kilo ? "kvarh" : "varh";
    case Quantity::apparent_energy:
      return kilo ? "kVAh" : "VAh";
    case Quantity::power:
      return kilo ? "kW" : "W";
    case Quantity::reactive_power:
      return kilo ? "kvar" : "var";
    case Quantity::apparent_power:
      return kilo ? "kVA" : "VA";
    default:
      return symbol(canonical_unit(key.quantity));
  }
}

bool is_ambiguous(const ReadingKey& key) noexcept {
  return unit_of(key, CountsIn::wh) != unit_of(key, CountsIn::kwh);
}

Result<> add_by_code(const Options& options, const std::string& code, const Item& item,
                     MeterReadings& into) {
  const auto obis = Obis::parse(code);
  const auto meaning = obis ? meaning_of(*obis) : std::nullopt;
  const bool number =
      meaning && (meaning->form == ObisForm::number || meaning->form == ObisForm::ratio);
  if (!number)
    return Error{Errc::unsupported, "is the register " + code +
                                        ", which is none of ours: name it "
                                        "under `fields`"};
  if (options.counts_in == CountsIn::unknown && is_ambiguous(meaning->key)) {
    return Error{Errc::unsupported, "is " + meaning->key.text() +
                                        ", and vzlogger publishes no units: set counts_in to Wh "
                                        "or kWh"};
  }
  Item with_unit = item;
  with_unit.unit = std::string(unit_of(meaning->key, options.counts_in));
  ObisReadings readings(into);
  readings.add_number(with_unit, *meaning);
  return {};
}

// The values of a field stand for channels: `chn0/raw`, or `chn0` for both kinds of values.
const Field* field_for(const Options& options, std::string_view topic) {
  const std::string_view channel = topic.substr(0, topic.rfind('/'));
  for (const Field& field : options.fields) {
    if (!field.topic.empty() && (belongs(field, topic) || belongs(field, channel))) return &field;
  }
  return nullptr;
}

}  // namespace

Channels::Channel* Channels::channel(std::string_view name) {
  const auto found = channels_.find(name);
  if (found != channels_.end()) return &found->second;
  if (channels_.size() >= most_channels) return nullptr;
  return &channels_[std::string(name)];
}

Result<std::optional<Understood>> Channels::take(const Options& options, std::string_view text,
                                                 std::string_view topic) {
  const auto levels = levels_of(topic);
  if (levels.size() < 2)
    return Error{Errc::unsupported, "is on no topic of a channel (.../chn0/raw)"};
  const std::string_view kind = levels.back();
  Channel* const at = channel(sanitised(levels[levels.size() - 2], 60));
  if (kind != "id" && kind != "raw" && kind != "agg") return std::optional<Understood>();
  if (at == nullptr) {
    return Error{Errc::unsupported, "is of one channel more than " + std::to_string(most_channels)};
  }
  if (kind == "id") {
    const auto code = Obis::parse(trimmed(text));
    if (code) at->code = code->text();
    return std::optional<Understood>();
  }
  if (kind == "agg" && at->raw) return std::optional<Understood>();
  at->raw = at->raw || kind == "raw";
  const auto sent = sent_from(text);
  if (!sent) return sent.error();
  const Field* const field = field_for(options, topic);
  Understood understood;
  Telegram& telegram = understood.telegram;
  telegram.protocol = "json";
  telegram.time = sent->time;
  Item& item = telegram.items.emplace_back(at->code.empty() ? std::string(topic) : at->code);
  item.value = sent->value;
  item.time = sent->time;
  MeterReadings& main = telegram.readings.emplace_back();
  if (field != nullptr) {
    Leaf leaf;
    leaf.kind = Kind::number;
    leaf.text = sent->value->str();
    FieldValue value = value_of(*field, std::span(&leaf, 1));
    if (value.reading) main.readings.push_back(*std::move(value.reading));
    understood.remark = std::move(value.fault);
  } else if (!at->code.empty()) {
    auto added = add_by_code(options, at->code, item, main);
    if (!added) return added.error();
  } else {
    return Error{Errc::unsupported,
                 "has not said which register it is (vzlogger publishes `id` when it starts, and "
                 "the broker keeps it with retain): name it under `fields`"};
  }
  return std::optional(std::move(understood));
}

std::string Channels::memory() const {
  std::string text;
  for (const auto& [name, channel] : channels_) {
    if (!channel.code.empty() && name.find_first_of(" =") == std::string::npos)
      text += (text.empty() ? "" : " ") + name + "=" + channel.code;
  }
  return text;
}

void Channels::remember(std::string_view memory) {
  for (std::string_view rest = trimmed(memory); !rest.empty(); rest = trimmed(rest)) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end);
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    const auto code = Obis::parse(pair.substr(equals + 1));
    Channel* const at = code ? channel(pair.substr(0, equals)) : nullptr;
    if (at != nullptr && at->code.empty()) at->code = code->text();
  }
}

}  // namespace meterbridge::protocol::json
