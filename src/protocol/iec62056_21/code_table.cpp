// SPDX-License-Identifier: MIT
// The table of codes in profiles and configurations: its columns, and what they owe each other.
#include "protocol/iec62056_21/code_table.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::array<std::string_view, 6> forms{"number", "counts", "text",
                                                "date",   "time",   "dated"};
constexpr std::size_t max_code = 32;

constexpr std::array columns{
    SettingSpec{.name = "code", .help = "as the meter calls the value: C900, 1.8.0, ET0PE"},
    SettingSpec{.name = "key", .help = "the reading: energy_import, power_l1, serial, ..."},
    SettingSpec{.name = "part",
                .type = SettingType::integer,
                .help = "which of several values of the answer, from 1; without it the first",
                .minimum = 1,
                .maximum = 256},
    SettingSpec{.name = "of",
                .type = SettingType::integer,
                .help = "the row counts only for answers of so many values",
                .minimum = 1,
                .maximum = 256},
    SettingSpec{.name = "form",
                .type = SettingType::choice,
                .help =
                    "number: with its decimal point; counts: a whole number of `scale` each, "
                    "whose separators are ignored; text; date and time: the meter's clock; dated: "
                    "a number behind a date and a comma",
                .choices = forms},
    SettingSpec{.name = "scale",
                .type = SettingType::decimal,
                .help = "the number is multiplied by it, exactly"},
    SettingSpec{.name = "digits",
                .type = SettingType::integer,
                .help = "of counts: only the first so many digits",
                .minimum = 1,
                .maximum = 18},
    SettingSpec{.name = "unit", .help = "of the scaled value; without it the usual one of the key"},
    SettingSpec{.name = "arguments", .help = "what is sent between the brackets of the request"},
    SettingSpec{.name = "absent", .help = "an answer that means: there is no such code"},
    SettingSpec{
        .name = "once",
        .type = SettingType::boolean,
        .help = "does not change: asked until it is known; the default of serial, firmware"},
    SettingSpec{.name = "doubt_zero",
                .type = SettingType::boolean,
                .help = "a zero is asked for a second time before it is believed"},
};

constexpr std::array<std::string_view, 2> required{"code", "key"};
constexpr std::array<std::string_view, 3> identity{"code", "part", "of"};

bool is_text_key(const ReadingKey& key) {
  switch (key.quantity) {
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::status:
    case Quantity::message:
      return true;
    default:
      return false;
  }
}

bool is_constant(const ReadingKey& key) {
  return key.quantity == Quantity::serial || key.quantity == Quantity::firmware;
}

class RowReader {
 public:
  RowReader(const SettingValues& row, std::size_t number, std::vector<RowFault>& faults)
      : row_(row), number_(number), faults_(faults) {}

  CodeRow read() {
    read_request();
    read_key();
    read_number();
    return std::move(result_);
  }

 private:
  void fault(std::string_view column, std::string text) {
    faults_.push_back({number_, std::string(column), std::move(text)});
  }

  void read_request();
  void read_key();
  void read_number();
  void read_unit();

  const SettingValues& row_;
  std::size_t number_;
  std::vector<RowFault>& faults_;
  CodeRow result_;
};

void RowReader::read_request() {
  const auto plain = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; }) &&
           text.find_first_of("()!/") == std::string_view::npos;
  };
  result_.code = row_.text("code");
  result_.arguments = row_.text("arguments");
  if (result_.code.empty() || result_.code.size() > max_code || !plain(result_.code))
    fault("code", "must be 1 to 32 printable characters without brackets");
  if (result_.arguments.size() > max_code || !plain(result_.arguments))
    fault("arguments", "must be up to 32 printable characters without brackets");
  if (row_.has("part")) result_.part = static_cast<int>(row_.integer("part"));
  if (row_.has("of")) result_.of = static_cast<int>(row_.integer("of"));
  if (result_.of != 0 && result_.part > result_.of)
    fault("part", "is behind the last of " + std::to_string(result_.of) + " values");
  result_.absent = row_.text("absent");
}

void RowReader::read_key() {
  const auto key = ReadingKey::parse(row_.text("key"));
  if (!key) {
    fault("key", key.error().detail());
    return;
  }
  result_.key = *key;
  if (is_text_key(*key)) result_.form = Form::text;
  if (row_.has("form")) {
    const auto at = std::ranges::find(forms, row_.text("form"));
    result_.form = static_cast<Form>(at - forms.begin());
  }
  const bool clock = key->quantity == Quantity::clock;
  if (clock != (result_.form == Form::date || result_.form == Form::time))
    fault("form", "date and time belong to the key clock, and the other way round");
  if (result_.form == Form::text && !is_text_key(*key))
    fault("form", "text belongs to serial, firmware, status and message");
  if (is_text_key(*key) && result_.form != Form::text)
    fault("form", row_.text("key") + " is a text");
  result_.once = row_.has("once") ? row_.boolean("once") : is_constant(*key);
}

void RowReader::read_number() {
  if (const auto scale = row_.decimal("scale")) {
    result_.scale = *scale;
    if (scale->is_zero()) fault("scale", "must not be 0");
  }
  if (row_.has("digits")) result_.digits = static_cast<int>(row_.integer("digits"));
  if (result_.digits != 0 && result_.form != Form::counts) fault("digits", "needs the form counts");
  result_.doubt_zero = row_.boolean("doubt_zero");
  read_unit();
}

void RowReader::read_unit() {
  result_.unit = canonical_unit(result_.key.quantity);
  if (result_.key.quantity == Quantity::heat) result_.unit = Unit::kWh;
  const std::string text = row_.text("unit");
  if (text.empty()) return;
  const auto unit = unit_for(result_.key, text);
  if (!unit) {
    fault("unit", unit.error().detail());
  } else if (!Reading::make(result_.key, Decimal(1), *unit)) {
    fault("unit", "'" + sanitised(text, 20) + "' does not belong to " + row_.text("key"));
  } else {
    result_.unit = *unit;
  }
}

std::vector<RowFault> check(const SettingValues& settings) {
  std::vector<RowFault> faults;
  const auto rows = settings.rows("codes");
  for (std::size_t i = 0; i < rows.size(); ++i)
    RowReader(rows[i], i, faults).read();
  return faults;
}

constexpr std::array tables{TableSpec{
    .name = "codes",
    .help = "values that are read one by one in programming mode",
    .columns = columns,
    .required = required,
    .identity = identity,
    .check = check,
}};

}  // namespace

std::span<const TableSpec> code_tables() noexcept {
  return tables;
}

Result<CodeTable> code_table_from(const SettingValues& settings) {
  CodeTable table;
  std::vector<RowFault> faults;
  const auto rows = settings.rows("codes");
  table.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    table.push_back(RowReader(rows[i], i, faults).read());
  if (faults.empty()) return table;
  const RowFault& first = faults.front();
  return Error(Errc::invalid,
               "codes[" + std::to_string(first.row) + "]." + first.column + ": " + first.text);
}

}  // namespace meterbridge::protocol::iec62056_21
