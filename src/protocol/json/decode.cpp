// SPDX-License-Identifier: MIT
#include "protocol/json/decode.hpp"

#include "core/text.hpp"
#include "protocol/json/gather.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::array<std::string_view, 2> payloads = {"json", "plain"};
constexpr std::array<std::string_view, 2> tolerances = {"none", "okosmero"};
constexpr std::array<std::string_view, 5> senders = {"fields", "wmbusmeters", "rtl_433", "vzlogger",
                                                     "meterbridge"};
constexpr std::array<std::string_view, 3> counts = {"unknown", "Wh", "kWh"};
constexpr std::size_t pointers_told = 8;

const std::vector<SettingSpec>& all_specs() {
  static const std::vector<SettingSpec> specs = [] {
    std::vector<SettingSpec> made = {
        SettingSpec{"payload", SettingType::choice,
                    "json, or plain: each message is one number or text", "json", payloads},
        SettingSpec{"tolerate", SettingType::choice,
                    "a known malformation: okosmero leaves out the comma before Message", "none",
                    tolerances},
        SettingSpec{"topic", SettingType::text,
                    "topic of payloads that come without one (a captured file, a TCP stream)"},
        SettingSpec{"root", SettingType::text,
                    "JSON pointer of the object in which the pointers of the fields begin, for "
                    "example /SML"},
        SettingSpec{"sender", SettingType::choice,
                    "fields, or a program whose documents are known and tell of several meters: "
                    "each becomes a device of its own (vzlogger: each channel a value)",
                    "fields", senders},
        SettingSpec{
            "ids", SettingType::text,
            "which meters of wmbusmeters and rtl_433 are taken: their numbers, separated by "
            "commas, or all"},
        SettingSpec{"most_meters",
                    SettingType::integer,
                    "with ids: all, so many meters at most, the first that are heard",
                    "40",
                    {},
                    1,
                    500},
        SettingSpec{"counts_in", SettingType::choice,
                    "vzlogger publishes no units: Wh (and W: meters read by SML) or kWh (and kW: "
                    "meters that print kWh)",
                    "unknown", counts},
    };
    const auto carried = carried_specs();
    made.insert(made.end(), carried.begin(), carried.end());
    return made;
  }();
  return specs;
}

bool is_energy(const ReadingKey& key) noexcept {
  return key.aspect == Aspect::none && key.direction != Direction::net &&
         (key.quantity == Quantity::energy || key.quantity == Quantity::reactive_energy ||
          key.quantity == Quantity::apparent_energy);
}

// Where the fields name tariffs and no total, the total is their sum; not when one is missing.
void add_sums(const Options& options, std::vector<Reading>& readings) {
  struct Sum {
    bool whole = true;
    Decimal value;
  };

  std::map<ReadingKey, Sum> sums;
  std::vector<ReadingKey> counted;
  for (const Field& field : options.fields) {
    if (!is_energy(field.key) || field.key.tariff == 0) continue;
    if (std::ranges::count(counted, field.key) != 0) continue;
    counted.push_back(field.key);
    ReadingKey total = field.key;
    total.tariff = 0;
    Sum& sum = sums[total];
    const auto found = std::ranges::find(readings, field.key, &Reading::key);
    const auto* value = found == readings.end() ? nullptr : std::get_if<Decimal>(&found->value);
    const auto together = value == nullptr ? Result<Decimal>(Error()) : sum.value.plus(*value);
    sum.whole = sum.whole && together;
    if (together) sum.value = *together;
  }
  for (const auto& [total, sum] : sums) {
    if (!sum.whole || std::ranges::count(options.fields, total, &Field::key) != 0) continue;
    readings.emplace_back(total, sum.value, canonical_unit(total.quantity));
  }
}

template <class Choice, std::size_t Count>
Choice chosen(const std::array<std::string_view, Count>& names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  return at == names.end() ? Choice{} : static_cast<Choice>(at - names.begin());
}

std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (const auto part = trimmed(rest.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return parts;
}

// What belongs to one sender only is refused elsewhere: it would do nothing.
Result<> read_sender(const SettingValues& settings, Options& options) {
  options.sender = chosen<Sender>(senders, settings.text("sender"));
  options.counts_in = chosen<CountsIn>(counts, settings.text("counts_in"));
  options.ids.listed = listed(settings.text("ids"));
  options.ids.most =
      static_cast<std::size_t>(std::max<std::int64_t>(settings.integer("most_meters"), 1));
  options.ids.all = options.ids.listed.size() == 1 && options.ids.listed.front() == "all";
  if (options.ids.all) options.ids.listed.clear();
  const bool many = options.sender == Sender::wmbusmeters || options.sender == Sender::rtl_433;
  if (!many && settings.has("ids"))
    return Error{Errc::invalid, "ids belongs to sender: wmbusmeters and sender: rtl_433"};
  const auto wrong = std::ranges::find_if_not(options.ids.listed, is_identity);
  if (wrong != options.ids.listed.end())
    return Error{Errc::invalid, "ids: \"" + sanitised(*wrong, 40) +
                                    "\" is no number of a meter (letters and digits); several "
                                    "are separated by commas"};
  if (options.sender != Sender::vzlogger && options.counts_in != CountsIn::unknown)
    return Error{Errc::invalid, "counts_in belongs to sender: vzlogger"};
  if (options.sender == Sender::fields) return {};
  if (options.plain || options.carried || !options.root.empty())
    return Error{Errc::invalid,
                 "sender knows its documents: payload, carries and root have no "
                 "meaning beside it"};
  return {};
}

// The values below the root, with their pointers from there.
std::vector<Leaf> below(const std::string& root, std::span<const Leaf> leaves) {
  std::vector<Leaf> found;
  for (const Leaf& leaf : leaves) {
    if (!leaf.pointer.starts_with(root + "/")) continue;
    found.push_back(leaf);
    found.back().pointer.erase(0, root.size());
  }
  return found;
}

// Below which other root the fields would find their values: the word of a Tasmota script, or
// the answer to a request. Empty: below none.
std::string root_that_fits(const Options& options, std::span<const Leaf> leaves) {
  for (const Leaf& leaf : leaves) {
    for (const Field& field : options.fields) {
      const std::string_view pointer = leaf.pointer;
      if (!field.pointer.empty() && pointer.ends_with(field.pointer) && pointer != field.pointer)
        return std::string(pointer.substr(0, pointer.size() - field.pointer.size()));
    }
  }
  return {};
}

Error none_of_ours(const Options& options, std::span<const Leaf> leaves) {
  std::string there;
  for (std::size_t i = 0; i < std::min(leaves.size(), pointers_told); ++i) {
    const std::string_view place = leaves[i].pointer.empty() ? whole_payload : leaves[i].pointer;
    there += (there.empty() ? "" : ", ") + sanitised(place, 40);
  }
  if (leaves.size() > pointers_told) there += ", ...";
  if (const std::string root = root_that_fits(options, leaves); !root.empty())
    there += "; they are known with root: " + sanitised(root, 40);
  return {Errc::unsupported, "none of the " + std::to_string(options.fields.size()) +
                                 " values of the profile is in it; there " +
                                 (there.empty() ? "is nothing" : "are " + there)};
}

}  // namespace

Item item_of(const Leaf& leaf) {
  Item item(leaf.pointer.empty() ? std::string(whole_payload) : leaf.pointer);
  if (leaf.kind == Kind::number) item.value = number_of(leaf.text);
  if (!item.value) item.text = leaf.text;
  return item;
}

std::span<const SettingSpec> setting_specs() noexcept {
  return all_specs();
}

Result<Options> read_options(const SettingValues& settings) {
  Options options;
  options.plain = settings.text("payload") == "plain";
  options.topic = settings.text("topic");
  if (settings.text("tolerate") == "okosmero") options.tolerance = Tolerance::okosmero;
  options.fields = read_fields(settings);
  options.root = settings.text("root");
  if (const auto why = pointer_fault(options.root); !why.empty())
    return Error{Errc::invalid, "root " + std::string(why)};
  auto carried = read_carried(settings);
  if (!carried) return carried.error();
  options.carried = *std::move(carried);
  for (const Field& field : options.fields) {
    if (options.plain && !field.pointer.empty())
      return Error{Errc::invalid, "payload: plain has no place for the pointer " + field.pointer};
  }
  if (auto read = read_sender(settings, options); !read) return read.error();
  return options;
}

bool concerns(const Options& options, std::string_view topic) noexcept {
  if (options.carried || options.fields.empty() || options.sender != Sender::fields) return true;
  return std::ranges::any_of(options.fields,
                             [topic](const Field& field) { return belongs(field, topic); });
}

Result<std::vector<Leaf>> leaves_of(const Options& options, std::string_view text) {
  if (!options.plain) return parse(text, options.tolerance);
  if (text.size() > max_document)
    return Error{Errc::malformed, "is longer than " + std::to_string(max_document) + " bytes"};
  std::vector<Leaf> leaves(1);
  leaves.front().text = std::string(trimmed(text));
  leaves.front().kind = number_of(leaves.front().text) ? Kind::number : Kind::text;
  return leaves;
}

Result<Understood> understand(const Options& options, std::span<const Leaf> leaves,
                              std::string_view topic) {
  Understood understood;
  Telegram& telegram = understood.telegram;
  telegram.protocol = "json";
  for (const Leaf& leaf : leaves) {
    if (leaf.kind != Kind::null) telegram.items.push_back(item_of(leaf));
  }
  MeterReadings& main = telegram.readings.emplace_back();
  const std::vector<Leaf> inner =
      options.root.empty() ? std::vector<Leaf>() : below(options.root, leaves);
  const std::span<const Leaf> ours = options.root.empty() ? leaves : std::span<const Leaf>(inner);
  bool any = false;
  for (const Field& field : options.fields) {
    if (!belongs(field, topic) || main.find(field.key) != nullptr) continue;
    any = any || is_there(field, ours);
    FieldValue value = value_of(field, ours);
    if (value.reading) main.readings.push_back(*std::move(value.reading));
    if (!value.fault.empty() && understood.remark.empty())
      understood.remark = std::move(value.fault);
  }
  if (!any && !options.fields.empty()) return none_of_ours(options, leaves);
  add_sums(options, main.readings);
  for (const Reading& reading : main.readings) {
    if (reading.key == make_key(Quantity::clock)) telegram.time = std::get<Seconds>(reading.value);
    if (reading.key == make_key(Quantity::serial))
      telegram.meter.serial = std::get<std::string>(reading.value);
    if (reading.key == make_key(Quantity::firmware))
      telegram.meter.firmware = std::get<std::string>(reading.value);
  }
  main.identity = telegram.meter;
  return understood;
}

}  // namespace meterbridge::protocol::json
