// SPDX-License-Identifier: MIT
#include "protocol/p1/okosmero.hpp"

#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace meterbridge::protocol::p1 {
namespace {

using Numbers = std::vector<Decimal>;

const Item* find(const Telegram& telegram, std::string_view code) {
  return telegram.find(std::string(code) + "*255");
}

std::string text_of(const Telegram& telegram, std::string_view code) {
  const Item* item = find(telegram, code);
  return item != nullptr && item->text ? *item->text : std::string();
}

void write_text(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

std::optional<Decimal> in_unit(const Decimal& value, std::string_view unit, Unit wanted) {
  if (unit.empty() || wanted == Unit::none) return value;
  const auto from = unit_from(unit);
  if (!from) return std::nullopt;
  const auto converted = convert(value, *from, wanted);
  if (!converted) return std::nullopt;
  return *converted;
}

std::optional<Decimal> number_of(const Telegram& telegram, std::string_view code, Unit wanted) {
  const Item* item = find(telegram, code);
  if (item == nullptr || !item->value) return std::nullopt;
  return in_unit(*item->value, item->unit, wanted);
}

void write_number(JsonWriter& json, std::string_view name, const std::optional<Decimal>& number) {
  if (number) json.member(name, *number);
}

void write_array(JsonWriter& json, std::string_view name, const Numbers& numbers) {
  json.key(name).array();
  for (const Decimal& number : numbers) {
    json.value(number);
  }
  json.end();
}

// One number stands bare, as the firmware prints it; several are an array.
void write_numbers(JsonWriter& json, std::string_view name, const Numbers& numbers) {
  if (numbers.empty()) return;
  if (numbers.size() == 1) {
    json.member(name, numbers.front());
  } else {
    write_array(json, name, numbers);
  }
}

Numbers numbers_of(const Telegram& telegram, std::initializer_list<std::string_view> codes,
                   Unit wanted) {
  Numbers numbers;
  for (const std::string_view code : codes) {
    if (const auto number = number_of(telegram, code, wanted)) numbers.push_back(*number);
  }
  return numbers;
}

// The total, then the tariffs up to the first that is zero.
Numbers by_tariff(const Telegram& telegram, std::string_view register_code) {
  constexpr int tariffs = 4;
  Numbers numbers;
  for (int tariff = 0; tariff <= tariffs; ++tariff) {
    const auto number =
        number_of(telegram, std::string(register_code) + std::to_string(tariff), Unit::kWh);
    if (!number || (tariff > 0 && number->is_zero())) break;
    numbers.push_back(*number);
  }
  return numbers;
}

Decimal whole(const Decimal& number) {
  std::int64_t digits = number.digits();
  for (int i = number.exponent(); i < 0; ++i) {
    digits /= 10;
  }
  return Decimal(digits, std::max(number.exponent(), 0));
}

void write_tariff(JsonWriter& json, const Telegram& telegram) {
  const std::string text = text_of(telegram, "0-0:96.14.0");
  const std::size_t before = text.find_last_not_of("0123456789");
  const auto number = Decimal::parse(before == std::string::npos ? text : text.substr(before + 1));
  if (number) json.member("Tariff", *number);
}

// 98.1.0 of Hungary: twenty groups, the second in kWh. Belgium's list of peaks has the same code.
void write_last_month(JsonWriter& json, const Telegram& telegram) {
  constexpr std::size_t group_count = 20;
  const Item* item = find(telegram, "0-0:98.1.0");
  if (item == nullptr || item->groups.size() != group_count) return;
  Numbers numbers;
  for (std::size_t i = 1; i < group_count; ++i) {
    const std::string_view group = item->groups[i];
    const std::size_t star = std::min(group.find('*'), group.size());
    const auto number = Decimal::parse(group.substr(0, star));
    if (!number) return;
    numbers.push_back(*number);
  }
  if (!same_ignoring_case(std::string_view(item->groups[1]).substr(item->groups[1].find('*') + 1),
                          "kWh"))
    return;
  const auto part = [&numbers](std::size_t from, std::size_t count) {
    const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(from);
    return Numbers(first, first + static_cast<std::ptrdiff_t>(count));
  };
  json.key("LastMonth").object().member("Time", std::string_view(item->groups[0]));
  write_array(json, "ImportPower", part(0, 3));
  write_array(json, "ExportPower", part(3, 3));
  json.member("ImportReactivePower", numbers[6]).member("ExportReactivePower", numbers[7]);
  write_array(json, "ReactivePower", part(8, 4));
  json.member("EffectivePower", numbers[12]);
  write_array(json, "MaxImport", part(13, 3));
  write_array(json, "MaxExport", part(16, 3));
  json.end();
}

void write_message(JsonWriter& json, const Telegram& telegram) {
  std::string text = text_of(telegram, "0-0:96.13.0");
  std::replace(text.begin(), text.end(), '\xFF', ' ');
  write_text(json, "Message", trimmed(text));
}

void write_energies(JsonWriter& json, const Telegram& telegram) {
  write_numbers(json, "ImportPower", by_tariff(telegram, "1-0:1.8."));
  write_numbers(json, "ExportPower", by_tariff(telegram, "1-0:2.8."));
  write_number(json, "ImportReactivePower", number_of(telegram, "1-0:3.8.0", Unit::kvarh));
  write_number(json, "ExportReactivePower", number_of(telegram, "1-0:4.8.0", Unit::kvarh));
  write_numbers(
      json, "ReactivePower",
      numbers_of(telegram, {"1-0:5.8.0", "1-0:6.8.0", "1-0:7.8.0", "1-0:8.8.0"}, Unit::kvarh));
  write_number(json, "EffectivePower", number_of(telegram, "1-0:15.8.0", Unit::kWh));
}

void write_moment(JsonWriter& json, const Telegram& telegram) {
  write_numbers(json, "Voltage",
                numbers_of(telegram, {"1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0"}, Unit::V));
  Numbers currents = numbers_of(telegram, {"1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0"}, Unit::A);
  std::transform(currents.begin(), currents.end(), currents.begin(), whole);
  write_numbers(json, "Current", currents);
  write_number(json, "PowerFactor", number_of(telegram, "1-0:13.7.0", Unit::none));
  write_numbers(json, "PowerFactorsByPhase",
                numbers_of(telegram, {"1-0:33.7.0", "1-0:53.7.0", "1-0:73.7.0"}, Unit::none));
  write_number(json, "Frequency", number_of(telegram, "1-0:14.7.0", Unit::Hz));
  write_number(json, "CurrentImport", number_of(telegram, "1-0:1.7.0", Unit::kW));
  write_number(json, "CurrentExport", number_of(telegram, "1-0:2.7.0", Unit::kW));
  write_numbers(
      json, "CurrentReactivePower",
      numbers_of(telegram, {"1-0:5.7.0", "1-0:6.7.0", "1-0:7.7.0", "1-0:8.7.0"}, Unit::kvar));
}

}  // namespace

Result<std::string> okosmero_json(const Telegram& telegram) {
  if (telegram.protocol != "p1") {
    return Error{Errc::unsupported, "the okosmero layout exists for P1 telegrams only"};
  }
  JsonWriter json;
  json.object();
  write_text(json, "MeterName", telegram.identification);
  write_text(json, "CosemName", text_of(telegram, "0-0:42.0.0"));
  write_text(json, "MeterID", text_of(telegram, "0-0:96.1.0"));
  write_text(json, "Time", text_of(telegram, "0-0:1.0.0"));
  write_tariff(json, telegram);
  write_text(json, "State", text_of(telegram, "0-0:96.50.68"));
  write_number(json, "MaxPower", number_of(telegram, "0-0:17.0.0", Unit::kW));
  write_energies(json, telegram);
  write_moment(json, telegram);
  write_last_month(json, telegram);
  write_message(json, telegram);
  json.end();
  return json.text();
}

}  // namespace meterbridge::protocol::p1
