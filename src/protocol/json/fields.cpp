// SPDX-License-Identifier: MIT
#include "protocol/json/fields.hpp"

#include "core/text.hpp"
#include "protocol/json/moment.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::array<std::string_view, 6> formats = {"plain", "dsmr",    "iso",
                                                     "unix",  "unix_ms", "hex"};
static_assert(formats.size() == static_cast<std::size_t>(Format::hex) + 1);

constexpr std::array columns = {
    SettingSpec{"pointer", SettingType::text,
                "JSON pointer of the value, for example /ENERGY/Power or /Voltage/0; without it "
                "the whole payload is the value"},
    SettingSpec{"topic", SettingType::text,
                "last levels of the topic that the value comes on, for links with wildcards; "
                "without it any topic"},
    SettingSpec{"id", SettingType::text,
                "number of the meter that the field is for, where several come over one link "
                "(wmbusmeters, rtl_433); without it any"},
    SettingSpec{"key", SettingType::text, "reading key, for example energy_import"},
    SettingSpec{"unit", SettingType::text, "unit of the value as sent, for example Wh"},
    SettingSpec{"scale", SettingType::decimal, "the value is multiplied by it, exactly", "1"},
    SettingSpec{"minus", SettingType::text,
                "JSON pointer of a number in the same document that is subtracted first"},
    SettingSpec{"sum", SettingType::boolean,
                "where there is a list at the pointer, the exact sum of its numbers", "false"},
    SettingSpec{"format", SettingType::choice,
                "how texts and times are written: dsmr (230724150730S), iso, unix (seconds), "
                "unix_ms, hex (pairs of hex digits)",
                "plain", formats},
    SettingSpec{
        "invalid", SettingType::text,
        "values that mean that there is none, separated by commas, for example \"-1, nan\""},
};
constexpr std::array<std::string_view, 1> required = {"key"};
constexpr std::array<std::string_view, 4> identity = {"key", "pointer", "topic", "id"};

enum class Form : std::uint8_t { number, tariff, flag, state, text, time };

Form form_of(Quantity quantity) noexcept {
  switch (quantity) {
    case Quantity::tariff:
      return Form::tariff;
    case Quantity::input:
      return Form::flag;
    case Quantity::status:
      return Form::state;
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::message:
      return Form::text;
    case Quantity::clock:
      return Form::time;
    default:
      return Form::number;
  }
}

bool is_time(Format format) noexcept {
  return format != Format::plain && format != Format::hex;
}

Format format_of(const SettingValues& row) {
  const auto at = std::find(formats.begin(), formats.end(), row.text("format"));
  return at == formats.end() ? Format::plain : static_cast<Format>(at - formats.begin());
}

class Checker {
 public:
  std::vector<RowFault> run(const SettingValues& settings) {
    const auto rows = settings.rows(field_table().name);
    const std::string sender = settings.text("sender");
    many_ = sender == "wmbusmeters" || sender == "rtl_433";
    for (row_ = 0; row_ < rows.size(); ++row_)
      check(rows[row_]);
    return std::move(faults_);
  }

 private:
  void fault(std::string_view column, std::string text) {
    RowFault& added = faults_.emplace_back();
    added.row = row_;
    added.column = column;
    added.text = std::move(text);
  }

  void check(const SettingValues& row) {
    for (const std::string_view column : {"pointer", "minus"}) {
      if (const auto why = pointer_fault(row.text(column)); !why.empty())
        fault(column, std::string(why));
    }
    if (row.text("topic").find_first_of("+#") != std::string::npos)
      fault("topic", "has a wildcard: those belong to the link");
    if (!many_ && row.has("id")) fault("id", "belongs to sender: wmbusmeters and sender: rtl_433");
    const auto key = ReadingKey::parse(row.text("key"));
    if (!key) {
      fault("key", key.error().detail());
      return;
    }
    const Form form = form_of(key->quantity);
    const Format format = format_of(row);
    if (form == Form::time && !is_time(format))
      fault("format", "a clock needs one of dsmr, iso, unix and unix_ms");
    if (form != Form::time && is_time(format))
      fault("format", key->text() + " is no time: only clock is");
    if (format == Format::hex && form != Form::text && form != Form::state)
      fault("format", key->text() + " is no text");
    if (form == Form::number) {
      check_number(row, *key);
    } else {
      if (row.boolean("sum")) fault("sum", key->text() + " is no number");
      for (const std::string_view column : {"unit", "minus"}) {
        if (!row.text(column).empty()) fault(column, key->text() + " is no number with a unit");
      }
    }
  }

  void check_number(const SettingValues& row, const ReadingKey& key) {
    const auto scale = row.decimal("scale");
    if (scale && scale->is_zero()) fault("scale", "must not be zero");
    const std::string text = row.text("unit");
    const auto unit = text.empty() ? Result<Unit>(Unit::none) : unit_for(key, text);
    if (!unit) {
      fault("unit", unit.error().detail());
      return;
    }
    const auto reading = Reading::make(key, Decimal(1), *unit);
    if (reading) return;
    const std::string_view usual = symbol(canonical_unit(key.quantity));
    fault("unit",
          reading.error().detail() + (usual.empty() ? "" : " (usual: " + std::string(usual) + ")"));
  }

  std::size_t row_ = 0;
  bool many_ = false;  // meters come over the link
  std::vector<RowFault> faults_;
};

std::vector<RowFault> check_fields(const SettingValues& settings) {
  return Checker().run(settings);
}

const Leaf* find(std::span<const Leaf> leaves, std::string_view pointer) noexcept {
  const auto at = std::find_if(leaves.begin(), leaves.end(),
                               [pointer](const Leaf& leaf) { return leaf.pointer == pointer; });
  return at == leaves.end() ? nullptr : &*at;
}

bool is_invalid(const Field& field, const Leaf& leaf) {
  if (leaf.kind == Kind::null || (leaf.kind == Kind::text && trimmed(leaf.text).empty()))
    return true;
  const auto number = number_of(trimmed(leaf.text));
  return std::any_of(field.invalid.begin(), field.invalid.end(), [&](const std::string& none) {
    const auto other = number_of(none);
    return number && other ? *number == *other : same_ignoring_case(trimmed(leaf.text), none);
  });
}

std::string shown(const Leaf& leaf) {
  const std::string place = leaf.pointer.empty() ? "the payload" : leaf.pointer;
  return place + " is \"" + sanitised(leaf.text, 40) + "\"";
}

FieldValue nothing(std::string fault = {}) {
  FieldValue value;
  value.fault = std::move(fault);
  return value;
}

FieldValue just(Reading reading) {
  FieldValue value;
  value.reading = std::move(reading);
  return value;
}

// Sketches print numbers as texts, too; what is more than a number is not guessed at.
FieldValue number_field(const Field& field, const Leaf& leaf, std::span<const Leaf> leaves) {
  auto number = leaf.kind == Kind::boolean ? std::nullopt : number_of(trimmed(leaf.text));
  if (!number) return nothing(shown(leaf) + ", no number that can be kept exactly");
  if (!field.minus.empty()) {
    const Leaf* other = find(leaves, field.minus);
    const auto subtracted = other == nullptr ? std::nullopt : number_of(trimmed(other->text));
    if (!subtracted) return nothing();
    const auto difference = number->minus(*subtracted);
    if (!difference) return nothing(shown(leaf) + ": " + difference.error().detail());
    number = *difference;
  }
  const auto scaled = number->times(field.scale);
  if (!scaled) return nothing(shown(leaf) + ": " + scaled.error().detail());
  // A meter that says 4.556 here means something else, and nobody can say what.
  if (field.key.quantity == Quantity::power_factor &&
      (*scaled > Decimal(1) || *scaled < Decimal(-1)))
    return nothing();
  auto reading = Reading::make(field.key, *scaled, field.unit);
  if (!reading) return nothing(shown(leaf) + ": " + reading.error().detail());
  return just(*std::move(reading));
}

// The elements of the list at the field's pointer.
bool is_element(const Field& field, const Leaf& leaf) noexcept {
  const std::string_view pointer = leaf.pointer;
  return pointer.size() > field.pointer.size() + 1 && pointer.starts_with(field.pointer) &&
         pointer[field.pointer.size()] == '/' &&
         pointer.find('/', field.pointer.size() + 1) == std::string_view::npos;
}

// One element without a value leaves no sum: it would look like a meter that went backwards.
FieldValue sum_field(const Field& field, std::span<const Leaf> leaves) {
  Decimal sum;
  Unit unit = Unit::none;
  bool any = false;
  Field alone = field;
  alone.minus.clear();
  for (const Leaf& leaf : leaves) {
    if (!is_element(field, leaf)) continue;
    if (is_invalid(field, leaf)) return {};
    const FieldValue part = number_field(alone, leaf, leaves);
    const auto* number = part.reading ? std::get_if<Decimal>(&part.reading->value) : nullptr;
    if (number == nullptr) return nothing(part.fault);
    const auto together = sum.plus(*number);
    if (!together) return nothing(shown(leaf) + ": " + together.error().detail());
    sum = *together;
    unit = part.reading->unit;
    any = true;
  }
  if (!any) return {};
  return just(Reading(field.key, sum, unit));
}

std::optional<bool> flag_from(const Leaf& leaf) {
  const std::string word = lower(trimmed(leaf.text));
  if (word == "true" || word == "on" || word == "1") return true;
  if (word == "false" || word == "off" || word == "0") return false;
  return std::nullopt;
}

std::string text_from(const Field& field, const Leaf& leaf) {
  const auto decoded = field.format == Format::hex ? hex_text(leaf.text) : std::nullopt;
  return sanitised(decoded ? *decoded : leaf.text);
}

FieldValue other_field(const Field& field, const Leaf& leaf) {
  const Form form = form_of(field.key.quantity);
  if (form == Form::tariff) {
    const auto number = number_of(trimmed(leaf.text));
    if (number) return just(Reading(field.key, *number));
  }
  if (form == Form::flag || form == Form::state) {
    if (const auto flag = flag_from(leaf)) return just(Reading(field.key, *flag));
    if (form == Form::flag) return nothing(shown(leaf) + ", neither on nor off");
  }
  if (form == Form::time) {
    const auto moment = parse_moment(field.format, trimmed(leaf.text));
    if (!moment) return nothing(shown(leaf) + ", no time that can be");
    return just(Reading(field.key, *moment));
  }
  std::string text = text_from(field, leaf);
  if (text.empty()) return nothing();
  return just(Reading(field.key, std::move(text)));
}

}  // namespace

const TableSpec& field_table() noexcept {
  static const TableSpec table{
      .name = "fields",
      .help = "which value of the JSON document is which reading",
      .columns = columns,
      .required = required,
      .identity = identity,
      .check = &check_fields,
  };
  return table;
}

std::vector<Field> read_fields(const SettingValues& settings) {
  std::vector<Field> fields;
  for (const SettingValues& row : settings.rows(field_table().name)) {
    const auto key = ReadingKey::parse(row.text("key"));
    if (!key) continue;
    Field& field = fields.emplace_back();
    field.pointer = row.text("pointer");
    field.id = row.text("id");
    field.topic = row.text("topic");
    field.key = *key;
    const auto unit = unit_for(*key, row.text("unit"));
    field.unit = unit ? *unit : Unit::none;
    field.scale = row.decimal("scale").value_or(Decimal(1));
    field.minus = row.text("minus");
    field.sum = row.boolean("sum");
    field.format = format_of(row);
    const std::string all = row.text("invalid");
    for (std::string_view rest = trimmed(all); !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      field.invalid.emplace_back(trimmed(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return fields;
}

bool belongs(const Field& field, std::string_view topic) noexcept {
  if (field.topic.empty() || topic == field.topic) return true;
  return topic.size() > field.topic.size() && topic.ends_with(field.topic) &&
         topic[topic.size() - field.topic.size() - 1] == '/';
}

bool is_there(const Field& field, std::span<const Leaf> leaves) noexcept {
  return std::ranges::any_of(leaves, [&field](const Leaf& leaf) {
    return leaf.pointer == field.pointer || (field.sum && is_element(field, leaf));
  });
}

FieldValue value_of(const Field& field, std::span<const Leaf> leaves) {
  const Leaf* leaf = find(leaves, field.pointer);
  if (leaf == nullptr && field.sum) return sum_field(field, leaves);
  if (leaf == nullptr || is_invalid(field, *leaf)) return {};
  if (form_of(field.key.quantity) == Form::number) return number_field(field, *leaf, leaves);
  return other_field(field, *leaf);
}

}  // namespace meterbridge::protocol::json
