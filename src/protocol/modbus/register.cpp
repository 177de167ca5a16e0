// SPDX-License-Identifier: MIT
#include "protocol/modbus/register.hpp"

#include "core/text.hpp"
#include "protocol/modbus/columns.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

using std::string_view_literals::operator""sv;

// Words between blanks and commas.
// By value: the text may be gone before the loop over its words is over.
std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" ,\t");
    if (begin == std::string_view::npos) return found;
    text.remove_prefix(begin);
    const std::size_t length = std::min(text.find_first_of(" ,\t"), text.size());
    found.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

// Decimal or 0x...; a negative number stands for its bits.
std::optional<std::uint64_t> raw_number(std::string_view word, int width) {
  const bool hex = word.starts_with("0x") || word.starts_with("0X");
  const bool negative = word.starts_with('-');
  const std::string_view digits = word.substr(hex ? 2 : (negative ? 1 : 0));
  std::uint64_t number = 0;
  const auto [end, fault] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  if (fault != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const std::uint64_t highest = width == 64 ? UINT64_MAX : (std::uint64_t{1} << width) - 1;
  if (number > highest) return std::nullopt;
  return negative ? (~number + 1) & highest : number;
}

Order order_from(std::string_view text) {
  Order order;
  order.low_word_first = text == "CDAB" || text == "DCBA";
  order.swapped_bytes = text == "BADC" || text == "DCBA";
  return order;
}

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

// What holds for rows that do not say it.
struct Defaults {
  Defaults() = default;
  int function = 3;
  std::int64_t counted_from = 0;
  Order order;
  std::array<std::vector<std::uint64_t>, type_names.size()> invalid;
  int max_registers = 60;
};

std::size_t index_of(Type type) {
  return static_cast<std::size_t>(type);
}

// "u16 0xFFFF, s16 0x8000"
Result<> read_invalid(std::string_view text, Defaults& defaults) {
  std::optional<Type> type;
  for (const std::string_view word : words(text)) {
    if (const auto at = std::ranges::find(type_names, word); at != type_names.end()) {
      type = static_cast<Type>(at - type_names.begin());
      continue;
    }
    const auto number = type ? raw_number(word, bits(*type)) : std::nullopt;
    if (!number || is_text(*type) || is_float(*type))
      return Error{Errc::invalid,
                   "write types and raw numbers, for example u16 0xFFFF, "
                   "s16 0x8000; not \"" +
                       sanitised(text, 60) + "\""};
    defaults.invalid[index_of(*type)].push_back(*number);
  }
  return {};
}

Result<Defaults> defaults_of(const SettingValues& settings) {
  Defaults defaults;
  if (settings.has("function")) defaults.function = static_cast<int>(settings.integer("function"));
  if (settings.has("counted_from")) defaults.counted_from = settings.integer("counted_from");
  defaults.order = order_from(settings.text("order"));
  if (settings.has("max_registers"))
    defaults.max_registers = static_cast<int>(settings.integer("max_registers"));
  const auto read = read_invalid(settings.text("invalid"), defaults);
  if (!read) return read.error();
  return defaults;
}

// One row; what is wrong with it is collected, by column.
class RowReader {
 public:
  RowReader(const SettingValues& row, std::size_t number, const Defaults& defaults,
            std::vector<RowFault>& faults)
      : row_(row), number_(number), defaults_(defaults), faults_(faults) {}

  Register read() {
    read_place();
    read_key();
    read_bits();
    read_numbers();
    check_reach();
    return std::move(result_);
  }

 private:
  void fault(std::string_view column, std::string text) {
    faults_.push_back({number_, std::string(column), std::move(text)});
  }

  [[nodiscard]] bool wants_registers() const { return result_.function >= 3; }

  std::uint16_t place(std::string_view column);
  void read_place();
  void read_key();
  void read_bits();
  void read_numbers();
  void read_unit();
  void read_wraps();
  void read_row_invalid();
  void check_reach();

  const SettingValues& row_;
  std::size_t number_;
  const Defaults& defaults_;
  std::vector<RowFault>& faults_;
  Register result_;
};

// As on the wire.
std::uint16_t RowReader::place(std::string_view column) {
  const std::int64_t from =
      row_.has("counted_from") ? row_.integer("counted_from") : defaults_.counted_from;
  const std::int64_t at = row_.integer(column) - from;
  if (at >= 0 && at <= UINT16_MAX) return static_cast<std::uint16_t>(at);
  fault(column, "is not one of " + std::to_string(from) + " to " +
                    std::to_string(from + UINT16_MAX) +
                    "; counted_from: 40001 is for numbers as manuals print them");
  return 0;
}

void RowReader::read_place() {
  result_.function = static_cast<int>(row_.has("function") ? row_.integer("function")
                                                           : std::int64_t{defaults_.function});
  result_.address = place("address");
  if (row_.has("model")) {
    result_.model = static_cast<std::uint16_t>(row_.integer("model"));
    if (!wants_registers()) fault("model", "SunSpec models lie in registers, functions 3 and 4");
  }
  const auto named = std::ranges::find(type_names, row_.text("type"));
  result_.type = wants_registers() ? Type::u16 : Type::boolean;
  if (named != type_names.end()) {
    const auto type = static_cast<Type>(named - type_names.begin());
    if (!wants_registers() && type != Type::boolean)
      fault("type", "functions 1 and 2 read single bits: the type is bool");
    // A bit of a register is a bit of a number.
    if (wants_registers()) result_.type = type == Type::boolean ? Type::u16 : type;
    if (wants_registers() && type == Type::boolean && !row_.has("bit"))
      fault("type", "bool in a register needs the bit: 0 for the lowest, 15 for the highest");
  }
  result_.order = row_.has("order") ? order_from(row_.text("order")) : defaults_.order;
  if (is_text(result_.type)) {
    result_.length = static_cast<int>(row_.integer("length"));
    if (!row_.has("length")) fault("type", "a text needs its length in registers");
  } else {
    result_.length = std::max(bits(result_.type) / 16, 1);
    if (row_.has("length")) fault("length", "only a text has a length; a number has its type");
  }
  result_.alone = row_.boolean("alone");
}

void RowReader::read_key() {
  const auto key = ReadingKey::parse(row_.text("key"));
  if (!key) {
    fault("key", key.error().detail());
    return;
  }
  result_.key = *key;
  const bool constant = key->quantity == Quantity::serial || key->quantity == Quantity::firmware;
  result_.once = row_.has("once") ? row_.boolean("once") : constant;
  if (is_text(result_.type) && !is_text_key(*key))
    fault("type", "a text can be serial, firmware, status or message, not " + key->text());
  if (key->quantity == Quantity::clock)
    fault("key", "a clock cannot be read from registers by this version");
}

void RowReader::read_bits() {
  const int width = bits(result_.type);
  const bool whole = !is_text(result_.type) && !is_float(result_.type);
  const bool on_or_off = result_.key.quantity == Quantity::input;
  for (const std::string_view column : {"bit"sv, "mask"sv}) {
    if (!row_.has(column)) continue;
    if (!wants_registers() || !whole) fault(column, "only whole numbers in registers have bits");
  }
  if (row_.has("bit")) {
    result_.bit = static_cast<int>(row_.integer("bit"));
    if (whole && *result_.bit >= width)
      fault("bit", "the type has the bits 0 to " + std::to_string(width - 1));
    if (row_.has("mask")) fault("mask", "bit or mask, not both");
  }
  if (row_.has("mask")) {
    result_.mask = static_cast<std::uint64_t>(row_.integer("mask"));
    if (whole && width < 64 && result_.mask >> static_cast<unsigned>(width) != 0)
      fault("mask", "the type has " + std::to_string(width) + " bits only");
  }
  const bool yields_bit = result_.bit || result_.type == Type::boolean;
  if (yields_bit && !on_or_off)
    fault("key",
          "one bit is on or off, which only input_0 to input_255 can be; for a number "
          "write mask");
  if (on_or_off && !whole) fault("type", "an input is a bit or a whole number, 0 is off");
  result_.invert = row_.boolean("invert");
  if (result_.invert && !on_or_off) fault("invert", "only an input can be inverted");
}

void RowReader::read_numbers() {
  const bool number = !is_text(result_.type) && result_.key.quantity != Quantity::input;
  for (const std::string_view column : {"scale"sv, "offset"sv, "unit"sv, "scale_register"sv}) {
    if (row_.has(column) && !number) fault(column, "only numbers have one");
  }
  if (const auto scale = row_.decimal("scale")) {
    result_.scale = *scale;
    if (scale->is_zero()) fault("scale", "a scale of zero would lose the value");
  }
  if (const auto offset = row_.decimal("offset")) result_.offset = *offset;
  if (row_.has("scale_register")) result_.scale_register = place("scale_register");
  read_unit();
  read_wraps();
  read_row_invalid();
}

void RowReader::read_wraps() {
  if (!row_.has("wraps")) return;
  result_.wraps = row_.integer("wraps");
  const int width = bits(result_.type);
  if (!is_cumulative(result_.key)) {
    fault("wraps", result_.key.text() + " is no counter");
  } else if (width < 16 || is_float(result_.type) || result_.bit) {
    fault("wraps", "only whole numbers begin again");
  } else if (width < 63 && result_.wraps > std::int64_t{1} << width) {
    fault("wraps", "a number of " + std::to_string(width) + " bits begins again at " +
                       std::to_string(std::int64_t{1} << width) + " at the latest");
  } else if (result_.scale.is_negative()) {
    fault("wraps", "a negative scale makes it count down");
  }
}

void RowReader::read_unit() {
  const Unit usual = canonical_unit(result_.key.quantity);
  const bool heat = result_.key.quantity == Quantity::heat;
  result_.unit = usual;
  const std::string text = row_.text("unit");
  if (text.empty()) {
    if (heat) fault("key", "heat needs its unit: GJ, MJ or kWh");
    return;
  }
  const auto unit = unit_for(result_.key, text);
  if (!unit) {
    fault("unit", unit.error().detail());
    return;
  }
  result_.unit = *unit;
  if (result_.key.quantity == Quantity::value) return;
  const bool fits = heat ? dimension(*unit) == Dimension::heat || *unit == Unit::kWh
                         : dimension(*unit) == dimension(usual);
  if (!fits)
    fault("unit", std::string(symbol(*unit)) + " is no unit of " + result_.key.text() +
                      (usual == Unit::none ? "" : " (" + std::string(symbol(usual)) + ")"));
}

void RowReader::read_row_invalid() {
  result_.invalid = defaults_.invalid[index_of(result_.type)];
  if (!row_.has("invalid")) return;
  result_.invalid.clear();
  if (is_text(result_.type) || result_.type == Type::boolean) {
    fault("invalid", "only numbers have one");
    return;
  }
  for (const std::string_view word : words(row_.text("invalid"))) {
    const auto number = raw_number(word, bits(result_.type));
    if (number) {
      result_.invalid.push_back(*number);
    } else {
      fault("invalid", "\"" + sanitised(word, 20) + "\" is no raw number of " +
                           std::to_string(bits(result_.type)) + " bits, such as 0x8000");
      return;
    }
  }
}

void RowReader::check_reach() {
  if (result_.end() > 0x10000) fault("address", "the value ends behind the last register, 65535");
  if (!wants_registers()) return;
  if (result_.length > defaults_.max_registers)
    fault(is_text(result_.type) ? "length" : "type",
          "is longer than max_registers, " + std::to_string(defaults_.max_registers));
  if (!result_.scale_register) return;
  const std::uint32_t scale = *result_.scale_register;
  const std::uint32_t from = std::min<std::uint32_t>(scale, result_.address);
  const std::uint32_t to = std::max(scale + 1, result_.end());
  if (to - from > static_cast<std::uint32_t>(defaults_.max_registers))
    fault("scale_register", "is further away from the value than one answer reaches");
  if (scale >= result_.address && scale < result_.end())
    fault("scale_register", "lies inside the value itself");
}

Result<std::vector<std::uint16_t>> bases_of(const SettingValues& settings) {
  std::vector<std::uint16_t> bases;
  const std::string text = settings.text("sunspec_bases");  // the words are views of it
  for (const std::string_view word : words(text)) {
    const auto base = raw_number(word, 16);
    if (!base)
      return Error{Errc::invalid, "\"" + sanitised(word, 20) +
                                      "\" is no register; write for example 40000 50000 0"};
    bases.push_back(static_cast<std::uint16_t>(*base));
  }
  return bases;
}

std::vector<RowFault> check(const SettingValues& settings) {
  std::vector<RowFault> faults;
  // No row: a setting by which the rows are read.
  const auto fault = [&faults](std::string_view setting, const Error& error) {
    faults.push_back({SIZE_MAX, std::string(setting), error.detail()});
  };
  if (const auto bases = bases_of(settings); !bases) fault("sunspec_bases", bases.error());
  const auto defaults = defaults_of(settings);
  if (!defaults) {
    fault("invalid", defaults.error());
    return faults;
  }
  const auto rows = settings.rows("registers");
  for (std::size_t i = 0; i < rows.size(); ++i)
    RowReader(rows[i], i, *defaults, faults).read();
  return faults;
}

}  // namespace

const TableSpec& register_table_spec() noexcept {
  static constexpr std::array required{"key"sv, "address"sv};
  static constexpr std::array identity{"key"sv, "model"sv};
  static constexpr TableSpec spec{
      .name = "registers",
      .help = "what the meter's registers mean; added to those of the profile",
      .columns = columns,
      .required = required,
      .identity = identity,
      .example = "key: energy_import, address: 0x0048, type: f32",
      .check = check,
  };
  return spec;
}

std::span<const SettingSpec> table_setting_specs() noexcept {
  return table_settings;
}

Result<RegisterTable> register_table(const SettingValues& settings) {
  const auto defaults = defaults_of(settings);
  if (!defaults) return defaults.error();
  RegisterTable table;
  table.max_registers = defaults->max_registers;
  if (settings.has("max_gap")) table.max_gap = static_cast<int>(settings.integer("max_gap"));
  auto bases = bases_of(settings);
  if (!bases) return bases.error().within("sunspec_bases");
  table.sunspec_bases = *std::move(bases);
  std::vector<RowFault> faults;
  for (const SettingValues& row : settings.rows("registers")) {
    table.registers.push_back(RowReader(row, table.registers.size(), *defaults, faults).read());
    if (!faults.empty())
      return Error{Errc::invalid, "registers: " + sanitised(row.text("key"), 60) + ": " +
                                      faults.front().column + ": " + faults.front().text};
  }
  return table;
}

}  // namespace meterbridge::protocol::modbus
