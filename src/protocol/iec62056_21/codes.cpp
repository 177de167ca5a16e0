// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/codes.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// A row of the built-in lists.
struct Known {
  std::string_view code;
  int part;
  int of;
  ReadingKey key;
  Unit unit;
  Form form = Form::number;
  bool once = false;
  std::string_view instead_of = {};
};

// EMDzz: the register of a day; its first group is date and total, the tariffs follow. These
// arguments mean now.
constexpr std::string_view now_arguments = "0.0,1";

constexpr ReadingKey counter(Quantity quantity, Direction direction, int tariff = 0) {
  return make_key(quantity, direction, Phase::none, tariff);
}

constexpr Known archive(std::string_view code, int part, ReadingKey key, Unit unit) {
  return {code, part, 0, key, unit, part == 1 ? Form::dated : Form::number, false, "ET0PE"};
}

constexpr ReadingKey energy(int tariff = 0) {
  return make_key(Quantity::energy, Direction::import, Phase::none, tariff);
}

constexpr ReadingKey both(int tariff = 0) {
  return make_key(Quantity::energy, Direction::total, Phase::none, tariff);
}

constexpr ReadingKey of(Quantity quantity, Phase phase = Phase::none) {
  return make_key(quantity, Direction::none, phase);
}

// CE102M, CE301, CE303, CE207, CE208, CE307 R34, CE308. How many values come tells the model.
constexpr std::array energomera_codes{
    Known{"ET0PE", 1, 0, energy(), Unit::kWh},
    Known{"ET0PE", 2, 0, energy(1), Unit::kWh},
    Known{"ET0PE", 3, 0, energy(2), Unit::kWh},
    Known{"ET0PE", 4, 0, energy(3), Unit::kWh},
    Known{"ET0PE", 5, 0, energy(4), Unit::kWh},
    Known{"ET0PE", 6, 0, energy(5), Unit::kWh},
    Known{"VOLTA", 1, 0, of(Quantity::voltage, Phase::l1), Unit::V},
    Known{"VOLTA", 2, 3, of(Quantity::voltage, Phase::l2), Unit::V},
    Known{"VOLTA", 3, 3, of(Quantity::voltage, Phase::l3), Unit::V},
    Known{"CURRE", 1, 0, of(Quantity::current, Phase::l1), Unit::A},
    Known{"CURRE", 2, 2, of(Quantity::current, Phase::n), Unit::A},
    Known{"CURRE", 2, 3, of(Quantity::current, Phase::l2), Unit::A},
    Known{"CURRE", 3, 3, of(Quantity::current, Phase::l3), Unit::A},
    Known{"POWEP", 1, 1, of(Quantity::power), Unit::kW},
    Known{"POWEP", 1, 2, of(Quantity::power), Unit::kW},  // CE208: phase and neutral
    Known{"POWEP", 1, 4, of(Quantity::power, Phase::l1), Unit::kW},
    Known{"POWEP", 2, 4, of(Quantity::power, Phase::l2), Unit::kW},
    Known{"POWEP", 3, 4, of(Quantity::power, Phase::l3), Unit::kW},
    Known{"POWEP", 4, 4, of(Quantity::power), Unit::kW},
    Known{"POWPP", 1, 3, of(Quantity::power, Phase::l1), Unit::kW},
    Known{"POWPP", 2, 3, of(Quantity::power, Phase::l2), Unit::kW},
    Known{"POWPP", 3, 3, of(Quantity::power, Phase::l3), Unit::kW},
    Known{"POWEQ", 1, 1, of(Quantity::reactive_power), Unit::kvar},
    Known{"POWEQ", 1, 2, of(Quantity::reactive_power), Unit::kvar},
    Known{"POWEQ", 1, 4, of(Quantity::reactive_power, Phase::l1), Unit::kvar},
    Known{"POWEQ", 2, 4, of(Quantity::reactive_power, Phase::l2), Unit::kvar},
    Known{"POWEQ", 3, 4, of(Quantity::reactive_power, Phase::l3), Unit::kvar},
    Known{"POWEQ", 4, 4, of(Quantity::reactive_power), Unit::kvar},
    Known{"POWES", 1, 1, of(Quantity::apparent_power), Unit::kVA},
    Known{"POWES", 1, 2, of(Quantity::apparent_power), Unit::kVA},
    Known{"POWES", 1, 4, of(Quantity::apparent_power, Phase::l1), Unit::kVA},
    Known{"POWES", 2, 4, of(Quantity::apparent_power, Phase::l2), Unit::kVA},
    Known{"POWES", 3, 4, of(Quantity::apparent_power, Phase::l3), Unit::kVA},
    Known{"POWES", 4, 4, of(Quantity::apparent_power), Unit::kVA},
    Known{"COS_f", 1, 1, of(Quantity::power_factor), Unit::none},
    Known{"COS_f", 1, 4, of(Quantity::power_factor, Phase::l1), Unit::none},
    Known{"COS_f", 2, 4, of(Quantity::power_factor, Phase::l2), Unit::none},
    Known{"COS_f", 3, 4, of(Quantity::power_factor, Phase::l3), Unit::none},
    Known{"COS_f", 4, 4, of(Quantity::power_factor), Unit::none},
    Known{"FREQU", 1, 0, of(Quantity::frequency), Unit::Hz},
    Known{"VNULL", 1, 0, of(Quantity::voltage, Phase::n), Unit::V},
    Known{"DATE_", 1, 0, of(Quantity::clock), Unit::none, Form::date},
    Known{"TIME_", 1, 0, of(Quantity::clock), Unit::none, Form::time},
    Known{"SNUMB", 1, 0, of(Quantity::serial), Unit::none, Form::text, true},
    archive("EMD01", 1, energy(), Unit::kWh),
    archive("EMD01", 2, energy(1), Unit::kWh),
    archive("EMD01", 3, energy(2), Unit::kWh),
    archive("EMD01", 4, energy(3), Unit::kWh),
    archive("EMD01", 5, energy(4), Unit::kWh),
    archive("EMD01", 6, energy(5), Unit::kWh),
    archive("EMD02", 1, counter(Quantity::energy, Direction::export_), Unit::kWh),
    archive("EMD02", 2, counter(Quantity::energy, Direction::export_, 1), Unit::kWh),
    archive("EMD02", 3, counter(Quantity::energy, Direction::export_, 2), Unit::kWh),
    archive("EMD02", 4, counter(Quantity::energy, Direction::export_, 3), Unit::kWh),
    archive("EMD02", 5, counter(Quantity::energy, Direction::export_, 4), Unit::kWh),
    archive("EMD03", 1, counter(Quantity::reactive_energy, Direction::import), Unit::kvarh),
    archive("EMD04", 1, counter(Quantity::reactive_energy, Direction::export_), Unit::kvarh),
};

// Names are the groups C D E F in hex.
constexpr std::array neva_codes{
    Known{"0F0880FF", 1, 0, both(), Unit::kWh},
    Known{"0F0880FF", 2, 0, both(1), Unit::kWh},
    Known{"0F0880FF", 3, 0, both(2), Unit::kWh},
    Known{"0F0880FF", 4, 0, both(3), Unit::kWh},
    Known{"0F0880FF", 5, 0, both(4), Unit::kWh},
    Known{"200700FF", 1, 0, of(Quantity::voltage, Phase::l1), Unit::V},
    Known{"340700FF", 1, 0, of(Quantity::voltage, Phase::l2), Unit::V},
    Known{"480700FF", 1, 0, of(Quantity::voltage, Phase::l3), Unit::V},
    Known{"1F0700FF", 1, 0, of(Quantity::current, Phase::l1), Unit::A},
    Known{"330700FF", 1, 0, of(Quantity::current, Phase::l2), Unit::A},
    Known{"470700FF", 1, 0, of(Quantity::current, Phase::l3), Unit::A},
    Known{"100700FF", 1, 0, of(Quantity::power), Unit::W},
    Known{"240700FF", 1, 0, of(Quantity::power, Phase::l1), Unit::W},
    Known{"380700FF", 1, 0, of(Quantity::power, Phase::l2), Unit::W},
    Known{"4C0700FF", 1, 0, of(Quantity::power, Phase::l3), Unit::W},
    Known{"600100FF", 1, 0, of(Quantity::serial), Unit::none, Form::text, true},
};

CodeTable table_from(std::span<const Known> known) {
  CodeTable table;
  for (const Known& one : known) {
    CodeRow row;
    row.code = one.code;
    row.part = one.part;
    row.of = one.of;
    row.key = one.key;
    row.unit = one.unit;
    row.form = one.form;
    row.once = one.once;
    row.instead_of = one.instead_of;
    if (!row.instead_of.empty()) row.arguments = now_arguments;
    table.push_back(std::move(row));
  }
  return table;
}

// The same without the registers that these meters refuse.
CodeTable dlms_table() {
  CodeTable table = table_from(energomera_codes);
  std::erase_if(table, [](const CodeRow& row) { return row.code == "ET0PE"; });
  for (CodeRow& row : table)
    row.instead_of.clear();
  return table;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int parts(const Entry& entry) {
  return static_cast<int>(entry.values.size());
}

// "12 34.56" is 123456 counts; letters between the digits are no number (Saiman's answer to a code
// that it does not know).
Result<Decimal> counts_from(const CodeRow& row, std::string_view sent) {
  std::string digits;
  for (const char c : sent) {
    if (is_letter(c)) return Error(Errc::malformed, row.code + " is not a number");
    if (is_digit(c)) digits += c;
  }
  const auto wanted = static_cast<std::size_t>(row.digits);
  if (digits.empty() || digits.size() < wanted)
    return Error(Errc::malformed, row.code + " has too few digits");
  if (wanted > 0) digits.resize(wanted);
  if (sent.starts_with('-')) digits.insert(0, "-");
  return Decimal::parse(digits);
}

// A power factor may have a letter in front that tells lagging from leading.
Result<Decimal> plain_number(const CodeRow& row, std::string_view sent) {
  sent = trimmed(sent);
  const bool letter = row.key.quantity == Quantity::power_factor && sent.size() > 1 &&
                      (sent.front() == 'L' || sent.front() == 'C');
  return Decimal::parse(letter ? sent.substr(1) : sent);
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (parts.size() < 256) {
    const std::size_t comma = std::min(list.find(','), list.size());
    parts.emplace_back(trimmed(list.substr(0, comma)));
    if (comma == list.size()) break;
    list.remove_prefix(comma + 1);
  }
  return parts;
}

// "20.08.24,0.45991": what stands behind the date. Error: malformed.
Result<std::string_view> behind_date(const CodeRow& row, std::string_view sent) {
  const std::size_t comma = sent.find(',');
  const std::string_view date = sent.substr(0, comma);
  if (comma == std::string_view::npos || std::ranges::count(date, '.') != 2 ||
      date.find_first_not_of("0123456789.") != std::string_view::npos)
    return Error(Errc::malformed, row.code + " is not a date and a number: " + sanitised(sent, 40));
  return sent.substr(comma + 1);
}

bool is_clock(const CodeRow& row) {
  return row.form == Form::date || row.form == Form::time;
}

}  // namespace

const CodeTable& table_of(Family family) {
  static const CodeTable energomera = table_from(energomera_codes);
  static const CodeTable dlms = dlms_table();
  static const CodeTable neva = table_from(neva_codes);
  static const CodeTable none;
  switch (family) {
    case Family::energomera:
      return energomera;
    case Family::energomera_dlms:
      return dlms;
    case Family::neva:
      return neva;
    case Family::none:
      break;
  }
  return none;
}

Family family_of(std::string_view maker) noexcept {
  if (same_ignoring_case(maker, "EKT") || same_ignoring_case(maker, "EMR"))
    return Family::energomera;
  if (same_ignoring_case(maker, "TPC") || same_ignoring_case(maker, "CPZ")) return Family::neva;
  return Family::none;
}

std::vector<Entry> joined(std::vector<Entry> entries, const CodeTable& table) {
  std::vector<Entry> all;
  for (Entry& entry : entries) {
    const auto same = std::ranges::find(all, entry.code, &Entry::code);
    if (same == all.end()) {
      all.push_back(std::move(entry));
    } else {
      same->values.insert(same->values.end(), entry.values.begin(), entry.values.end());
    }
  }
  for (Entry& entry : all) {
    const auto first = std::ranges::find(table, entry.code, &CodeRow::code);
    if (first != table.end() && first->form == Form::dated) continue;
    const bool several = std::ranges::any_of(
        table, [&](const CodeRow& row) { return row.code == entry.code && row.part > 1; });
    if (several && entry.values.size() == 1 && entry.values[0].find(',') != std::string::npos)
      entry.values = split(entry.values[0]);
  }
  return all;
}

bool asks_for_now(const CodeTable& table, std::string_view code, std::string_view arguments) {
  const auto row = std::ranges::find(table, code, &CodeRow::code);
  if (row == table.end() || row->form != Form::dated) return true;
  return arguments == row->arguments || arguments.starts_with("0.0,");
}

bool knows(const CodeTable& table, std::string_view code) {
  return std::ranges::find(table, code, &CodeRow::code) != table.end();
}

const CodeRow* row_of(const CodeTable& table, const Entry& entry, int part) {
  for (const CodeRow& row : table) {
    if (row.code == entry.code && row.part == part && (row.of == 0 || row.of == parts(entry)))
      return &row;
  }
  return nullptr;
}

Result<Decimal> number_of(const CodeRow& row, std::string_view sent) {
  if (!row.absent.empty() && sent == row.absent)
    return Error(Errc::not_found, "the meter does not know " + row.code);
  if (row.form == Form::dated) {
    const auto rest = behind_date(row, sent);
    if (!rest) return rest.error();
    sent = *rest;
  }
  // A unit behind the number would be another one than the table says, or the same again.
  const std::string_view bare = sent.substr(0, sent.find('*'));
  auto number = row.form == Form::counts ? counts_from(row, bare) : plain_number(row, bare);
  if (!number) return Error(Errc::malformed, row.code + " is not a number: " + sanitised(sent, 40));
  return number->times(row.scale);
}

Item coded_item(const CodeTable& table, const Entry& entry) {
  Item item(entry.code);
  if (entry.values.size() != 1) {
    item.groups = entry.values;
    return item;
  }
  const CodeRow* row = row_of(table, entry, 1);
  if (row != nullptr && (row->form == Form::number || row->form == Form::counts)) {
    if (const auto number = number_of(*row, entry.values[0])) {
      item.value = *number;
      item.unit = symbol(row->unit);
      return item;
    }
  }
  if (row == nullptr) return item_from(entry, code_from(entry.code), false);
  item.text = entry.values[0];
  return item;
}

void add_coded(const CodeTable& table, const Entry& entry, MeterReadings& meter) {
  for (int part = 1; part <= parts(entry); ++part) {
    const CodeRow* row = row_of(table, entry, part);
    if (row == nullptr || is_clock(*row) || meter.find(row->key) != nullptr) continue;
    const std::string& sent = entry.values[static_cast<std::size_t>(part - 1)];
    if (row->form == Form::text) {
      const std::string text = sanitised(sent);
      if (!text.empty() && sent != row->absent) meter.readings.emplace_back(row->key, text);
      continue;
    }
    const auto number = number_of(*row, sent);
    if (!number) continue;
    const bool ratio = row->key.quantity == Quantity::power_factor;
    if (ratio && (*number > Decimal(1) || *number < Decimal(-1))) continue;
    if (auto reading = Reading::make(row->key, *number, row->unit))
      meter.readings.push_back(*std::move(reading));
  }
}

bool is_absent(const CodeTable& table, const Entry& entry) {
  bool any = false;
  for (int part = 1; part <= parts(entry); ++part) {
    const CodeRow* row = row_of(table, entry, part);
    if (row == nullptr) continue;
    any = true;
    const std::string& sent = entry.values[static_cast<std::size_t>(part - 1)];
    if (row->form == Form::number || row->form == Form::counts || row->form == Form::dated) {
      if (number_of(*row, sent)) return false;
    } else if (!sent.empty() && sent != row->absent) {
      return false;
    }
  }
  return any;
}

}  // namespace meterbridge::protocol::iec62056_21
