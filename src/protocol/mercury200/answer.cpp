// SPDX-License-Identifier: MIT
#include "protocol/mercury200/answer.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::mercury200 {
namespace {

constexpr std::size_t energy_width = 4;
constexpr std::uint8_t current_month = 0x0F;  // of command 32: the registers of now

void put(Telegram& telegram, const ReadingKey& key, Value value) {
  telegram.readings.front().readings.emplace_back(key, std::move(value),
                                                  canonical_unit(key.quantity));
}

void put_text(Telegram& telegram, std::string address, std::string text) {
  Item item(std::move(address));
  item.text = std::move(text);
  telegram.items.push_back(std::move(item));
}

void put_number(Telegram& telegram, std::string address, const Decimal& value,
                Unit unit = Unit::none) {
  Item item(std::move(address));
  item.value = value;
  item.unit = symbol(unit);
  telegram.items.push_back(std::move(item));
}

std::string two_digits(int value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

Error no_bcd(ByteView data) {
  return {Errc::malformed, "digits above 9: " + to_hex_upper(data)};
}

// 7 bytes: weekday, h, min, s, day, month, year.
Result<LocalTime> parse_time(ByteView data) {
  std::array<int, 7> part{};
  ByteReader reader(data);
  for (int& p : part) {
    const auto digits = reader.bcd();
    if (!digits) return no_bcd(data);
    p = *digits;
  }
  return LocalTime::make(2000 + part[6], part[5], part[4], part[1], part[2], part[3]);
}

// 3 bytes: day, month, year.
std::optional<std::string> parse_date(ByteView data) {
  const auto day = parse_bcd(data.first(1));
  const auto month = parse_bcd(data.subspan(1, 1));
  const auto year = parse_bcd(data.subspan(2, 1));
  if (!day || !month || !year) return std::nullopt;
  const auto date = LocalTime::make(2000 + static_cast<int>(*year), static_cast<int>(*month),
                                    static_cast<int>(*day), 0, 0, 0);
  return date ? std::optional(iso_local(*date).substr(0, 10)) : std::nullopt;
}

Result<> read_time(Telegram& telegram, Command command, ByteView data, const std::string& name) {
  // What never happened has no time: a cover that was never opened.
  const bool never = std::ranges::all_of(data, [&](std::byte b) { return b == data.front(); }) &&
                     (data.front() == std::byte{0} || data.front() == std::byte{0xFF});
  if (never && command != Command::clock) return {};
  const auto local = parse_time(data);
  if (!local) return local.error();
  put_text(telegram, name, iso_local(*local));
  if (command != Command::clock) return {};
  // The hour that the zone skips in spring exists on meters that know no summer time.
  if (const auto utc = to_utc(*local)) {
    telegram.time = *utc;
    put(telegram, make_key(Quantity::clock), *utc);
  }
  return {};
}

// The total is not sent: the exact sum of the tariffs that the meter has.
Result<> read_energy(Telegram& telegram, ByteView data, const std::string& name, bool now,
                     Quantity quantity, const Options& options) {
  const bool active = quantity == Quantity::energy;
  std::vector<std::pair<int, Decimal>> tariffs;
  Decimal total;
  for (int tariff = 1; tariff <= 4; ++tariff) {
    const auto bytes =
        data.subspan(energy_width * static_cast<std::size_t>(tariff - 1), energy_width);
    const auto count = parse_bcd(bytes);
    if (!count) continue;
    const Decimal value(*count, -2);
    put_number(telegram, name + ":" + two_digits(tariff), value, active ? Unit::kWh : Unit::kvarh);
    tariffs.emplace_back(tariff, value);
    const auto sum = total.plus(value);
    if (!sum) return sum.error();
    total = *sum;
  }
  if (!now || tariffs.empty()) return {};
  put(telegram, make_key(quantity, Direction::import), total);
  for (const auto& [tariff, value] : tariffs) {
    if (tariff <= options.tariffs)
      put(telegram, make_key(quantity, Direction::import, Phase::none, tariff), value);
  }
  return {};
}

void read_instant(Telegram& telegram, ByteView data, const std::string& name,
                  const Options& options) {
  const auto volts = parse_bcd(data.first(2));
  const auto amperes = parse_bcd(data.subspan(2, 2));
  const auto watts = parse_bcd(data.subspan(4, 3));
  if (volts) {
    put_number(telegram, name + ":U", Decimal(*volts, options.voltage_scale.exponent()), Unit::V);
    if (const auto voltage = believable_voltage(data.first(2), options.voltage_scale))
      put(telegram, make_key(Quantity::voltage), *voltage);
  }
  if (amperes) {
    put_number(telegram, name + ":I", Decimal(*amperes, -2), Unit::A);
    put(telegram, make_key(Quantity::current), Decimal(*amperes, -2));
  }
  if (watts) {
    put_number(telegram, name + ":P", Decimal(*watts), Unit::W);
    put(telegram, make_key(Quantity::power), Decimal(*watts));
  }
}

void read_frequency(Telegram& telegram, ByteView data, const std::string& name) {
  constexpr std::uint8_t most_tariffs = 4;
  if (const auto hertz = parse_bcd(data.first(2))) {
    put_number(telegram, name + ":f", Decimal(*hertz, -2), Unit::Hz);
    put(telegram, make_key(Quantity::frequency), Decimal(*hertz, -2));
  }
  const std::uint8_t tariff = u8(data[2]);
  const std::uint8_t flags = u8(data[3]);
  put_number(telegram, name + ":tariff", Decimal(tariff));
  put_number(telegram, name + ":flags", Decimal(flags));
  if (tariff < most_tariffs) put(telegram, make_key(Quantity::tariff), Decimal(tariff + 1));
  std::string status;
  if ((flags & 1U) != 0) status = "unequal currents";
  if ((flags & 2U) != 0) status += std::string(status.empty() ? "" : ", ") + "reverse energy";
  put(telegram, make_key(Quantity::status), status.empty() ? std::string("ok") : status);
}

Result<> read_version(Telegram& telegram, ByteView data, const std::string& name) {
  const std::string number = std::to_string(u8(data[0])) + "." + std::to_string(u8(data[1]));
  const auto date = parse_date(data.last(3));
  Item item(name);
  item.groups = {number, date ? *date : to_hex_upper(data.subspan(2))};
  telegram.items.push_back(std::move(item));
  telegram.meter.firmware = number;
  put(telegram, make_key(Quantity::firmware), number);
  return {};
}

Result<> read_hours(Telegram& telegram, ByteView data, const std::string& name) {
  const auto with = parse_bcd(data.first(3));
  const auto without = parse_bcd(data.last(3));
  if (!with || !without) return no_bcd(data);
  put_number(telegram, name + ":on", Decimal(*with), Unit::hour);
  put_number(telegram, name + ":off", Decimal(*without), Unit::hour);
  return {};
}

Result<> read_scaled(Telegram& telegram, Command command, ByteView data, const std::string& name) {
  const auto count = parse_bcd(data);
  if (!count) return {};
  const Decimal value(*count, -2);
  put_number(telegram, name, value, command == Command::power ? Unit::kW : Unit::V);
  if (command != Command::power) return {};
  auto reading = Reading::make(make_key(Quantity::power), value, Unit::kW);
  if (!reading) return reading.error();
  telegram.readings.front().readings.push_back(std::move(*reading));
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_bcd(ByteView bytes) noexcept {
  std::int64_t number = 0;
  ByteReader reader(bytes);
  while (reader.left() != 0) {
    const auto digits = reader.bcd();
    if (!digits) return std::nullopt;
    number = number * 100 + *digits;
  }
  return number;
}

std::optional<Decimal> believable_voltage(ByteView bytes, const Decimal& scale) {
  const auto count = parse_bcd(bytes);
  if (!count) return std::nullopt;
  const Decimal voltage(*count, scale.exponent());
  if (voltage < Decimal(150) || voltage > Decimal(300)) return std::nullopt;
  return voltage;
}

Telegram empty_telegram() {
  Telegram telegram;
  telegram.protocol = "mercury200";
  telegram.readings.emplace_back();
  return telegram;
}

Result<> read_answer(Telegram& telegram, std::uint8_t code, std::optional<std::uint8_t> parameter,
                     ByteView data, const Options& options) {
  const Rule* rule = find_rule(code, parameter.value_or(0));
  if (rule == nullptr)
    return Error(Errc::unsupported, "the command " + name_of(code) + " is not one that is read");
  const bool either =
      rule->command == Command::more && !parameter && fits(more_rules[1], data.size());
  if (!fits(*rule, data.size()) && !either)
    return Error(Errc::malformed, "an answer to the command " + name_of(code) + " with " +
                                      std::to_string(data.size()) + " bytes of data");
  std::string name = name_of(code);
  if (parameter) name += ":" + name_of(*parameter);
  const Command command = rule->command;
  switch (command) {
    case Command::clock:
    case Command::last_off:
    case Command::last_on:
    case Command::cover_open:
    case Command::cover_close:
      return read_time(telegram, command, data, name);
    case Command::power:
    case Command::battery:
      return read_scaled(telegram, command, data, name);
    case Command::energy:
      return read_energy(telegram, data, name, true, Quantity::energy, options);
    case Command::month_energy:
      return read_energy(telegram, data, name, parameter == current_month, Quantity::energy,
                         options);
    case Command::reactive_energy:
      return read_energy(telegram, data, name, true, Quantity::reactive_energy, options);
    case Command::version:
      return read_version(telegram, data, name);
    case Command::serial: {
      const auto number = std::to_string(*ByteReader(data).big(4));
      put_number(telegram, name, Decimal(static_cast<std::int64_t>(*ByteReader(data).big(4))));
      telegram.meter.serial = number;
      put(telegram, make_key(Quantity::serial), number);
      return {};
    }
    case Command::group_address:
    case Command::tariffs:
      put_number(telegram, name,
                 Decimal(static_cast<std::int64_t>(*ByteReader(data).big(data.size()))));
      return {};
    case Command::instant:
      read_instant(telegram, data, name, options);
      return {};
    case Command::made: {
      const auto date = parse_date(data);
      if (!date) return no_bcd(data);
      put_text(telegram, name, *date);
      return {};
    }
    case Command::hours:
      return read_hours(telegram, data, name);
    case Command::frequency:
      read_frequency(telegram, data, name);
      return {};
    case Command::build:
    case Command::more:
      put_text(telegram, name, to_hex_upper(data));
      return {};
  }
  return Error(Errc::bug, "a command without a reader");
}

}  // namespace meterbridge::protocol::mercury200
