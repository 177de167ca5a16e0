// SPDX-License-Identifier: MIT
#include "protocol/dlt645/codes.hpp"

#include "core/text.hpp"
#include "protocol/dlt645/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::array<std::string_view, 3> forms{"number", "clock", "digits"};
constexpr int clock_bytes = 7;

constexpr std::array columns{
    SettingSpec{.name = "code",
                .help = "the value's code (DI) as the standard writes it: B630, or with the "
                        "version 2007 02030000"},
    SettingSpec{.name = "key", .help = "the reading: energy_import, power_l1, serial, ..."},
    SettingSpec{.name = "bytes",
                .type = SettingType::integer,
                .help = "of one value on the wire; an answer of another length is refused",
                .minimum = 1,
                .maximum = 8},
    SettingSpec{.name = "part",
                .type = SettingType::integer,
                .help = "the answer is a block of such values, and this is the first, second, ... "
                        "of them; without it the answer is one value",
                .minimum = 1,
                .maximum = 100},
    SettingSpec{.name = "scale",
                .type = SettingType::decimal,
                .help = "the number is multiplied by it, exactly"},
    SettingSpec{.name = "unit", .help = "of the scaled value; without it the usual one of the key"},
    SettingSpec{.name = "signed",
                .type = SettingType::boolean,
                .help = "the highest bit is the sign: power, current and power factor of 2007"},
    SettingSpec{.name = "form",
                .type = SettingType::choice,
                .help = "number; clock: second, minute, hour, day of the week, day, month, year; "
                        "digits: a text, the default of serial",
                .choices = forms},
    SettingSpec{.name = "once",
                .type = SettingType::boolean,
                .help = "does not change: asked until it is known; the default of serial"},
};

constexpr std::array<std::string_view, 3> required{"code", "key", "bytes"};
constexpr std::array<std::string_view, 2> identity{"code", "part"};

bool is_text_key(const ReadingKey& key) {
  return key.quantity == Quantity::serial || key.quantity == Quantity::firmware ||
         key.quantity == Quantity::status || key.quantity == Quantity::message;
}

class RowReader {
 public:
  RowReader(const SettingValues& row, std::size_t number, std::vector<RowFault>& faults)
      : row_(row), number_(number), faults_(faults) {}

  CodeRow read(Version version) {
    read_code(version);
    result_.bytes = static_cast<int>(row_.integer("bytes"));
    result_.block = row_.has("part");
    if (result_.block) result_.part = static_cast<int>(row_.integer("part"));
    read_key();
    read_number();
    return result_;
  }

 private:
  void fault(std::string_view column, std::string text) {
    faults_.push_back({number_, std::string(column), std::move(text)});
  }

  void read_code(Version version);
  void read_key();
  void read_number();

  const SettingValues& row_;
  std::size_t number_;
  std::vector<RowFault>& faults_;
  CodeRow result_;
};

void RowReader::read_code(Version version) {
  const std::string text = row_.text("code");
  const std::size_t digits = 2 * code_length(version);
  const auto* const end = text.data() + text.size();
  const auto [last, wrong] = std::from_chars(text.data(), end, result_.code, 16);
  if (text.size() != digits || wrong != std::errc{} || last != end)
    fault("code", "must be " + std::to_string(digits) + " hex digits, as " +
                      name_of(version, version == Version::v1997 ? 0xB630 : 0x02030000) +
                      " (version " + (version == Version::v1997 ? "1997" : "2007") + ")");
}

void RowReader::read_key() {
  const auto key = ReadingKey::parse(row_.text("key"));
  if (!key) {
    fault("key", key.error().detail());
    return;
  }
  result_.key = *key;
  if (is_text_key(*key)) result_.form = Form::digits;
  if (key->quantity == Quantity::clock) result_.form = Form::clock;
  if (row_.has("form")) {
    const auto at = std::ranges::find(forms, row_.text("form"));
    result_.form = static_cast<Form>(at - forms.begin());
  }
  const bool clock = key->quantity == Quantity::clock;
  if (clock != (result_.form == Form::clock))
    fault("form", "clock belongs to the key clock, and the other way round");
  if (clock && result_.bytes != clock_bytes) fault("bytes", "a clock has 7");
  if (is_text_key(*key) != (result_.form == Form::digits))
    fault("form", "digits are a text, and belong to serial, firmware, status and message");
  result_.once = row_.has("once") ? row_.boolean("once") : key->quantity == Quantity::serial;
}

void RowReader::read_number() {
  if (const auto scale = row_.decimal("scale")) {
    result_.scale = *scale;
    if (scale->is_zero()) fault("scale", "must not be 0");
  }
  result_.with_sign = row_.boolean("signed");
  result_.unit = canonical_unit(result_.key.quantity);
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

CodeTable read_all(const SettingValues& settings, Version version, std::vector<RowFault>& faults) {
  CodeTable table;
  const auto rows = settings.rows("codes");
  table.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const CodeRow row = RowReader(rows[i], i, faults).read(version);
    const auto first = std::ranges::find(table, row.code, &CodeRow::code);
    if (first != table.end() && (first->bytes != row.bytes || !first->block || !row.block))
      faults.push_back({i, "part",
                        "rows of one code are parts of one block: each has its part, and all have "
                        "the same bytes"});
    table.push_back(row);
  }
  return table;
}

std::vector<RowFault> check(const SettingValues& settings) {
  std::vector<RowFault> faults;
  read_all(settings, version_of(settings), faults);
  return faults;
}

constexpr std::array tables{TableSpec{
    .name = "codes",
    .help = "values that are read, one request for each code",
    .columns = columns,
    .required = required,
    .identity = identity,
    .example = "{code: B611, key: voltage_l1, bytes: 2}",
    .check = check,
}};

}  // namespace

std::span<const TableSpec> code_tables() noexcept {
  return tables;
}

Result<CodeTable> code_table_from(const SettingValues& settings, Version version) {
  std::vector<RowFault> faults;
  CodeTable table = read_all(settings, version, faults);
  if (faults.empty()) return table;
  const RowFault& first = faults.front();
  return Error(Errc::invalid,
               "codes[" + std::to_string(first.row) + "]." + first.column + ": " + first.text);
}

}  // namespace meterbridge::protocol::dlt645
