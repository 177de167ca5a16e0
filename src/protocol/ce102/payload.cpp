// SPDX-License-Identifier: MIT
#include "protocol/ce102/payload.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

constexpr std::string_view family_names[] = {"auto", "classic", "r51", "ce307"};
constexpr std::size_t version_length = 6;
constexpr std::size_t status_length = 10;

struct Model {
  int core;
  int type;
  std::string_view name;
};

constexpr std::array models{
    Model{1, 1, "CE102 S6/R5"}, Model{1, 2, "CE102 S6/R5"}, Model{2, 1, "CE102 S7"},
    Model{2, 2, "CE102 R8"},    Model{2, 4, "CE102 R8Q"},   Model{3, 1, "CE301M R33"},
    Model{3, 2, "CE102 S7J"},   Model{3, 3, "CE301M S31"},  Model{10, 1, "CE102 R5.1"},
};

Error wrong_length(std::string_view what, ByteView data) {
  return {Errc::malformed,
          std::string(what) + " with " + std::to_string(data.size()) + " data bytes"};
}

std::string two_digits(int value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

void add_bits(std::string& text, std::uint8_t bits, std::string_view word, int battery_bit) {
  for (int bit = 0; bit < 8; ++bit) {
    if (((bits >> bit) & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    text += bit == battery_bit ? std::string("battery")
                               : std::string(word) + " fault, bit " + std::to_string(bit);
  }
}

struct PhaseForm {
  Query query;
  std::size_t width;  // bytes of one value
  Quantity quantity;
  Unit unit;
};

constexpr std::array phase_forms{
    PhaseForm{Query::phase_voltage, 2, Quantity::voltage, Unit::V},
    PhaseForm{Query::phase_current, 2, Quantity::current, Unit::A},
    PhaseForm{Query::phase_power, 4, Quantity::power, Unit::W},
    PhaseForm{Query::power, 3, Quantity::power, Unit::W},
};

const PhaseForm* find_form(Query query) {
  const auto at = std::ranges::find(phase_forms, query, &PhaseForm::query);
  return at == phase_forms.end() ? nullptr : &*at;
}

void put(Telegram& telegram, Quantity quantity, Value value) {
  telegram.readings.front().readings.emplace_back(make_key(quantity), std::move(value));
}

Decimal scale_of(Query query, const Instant& instant) {
  if (query == Query::phase_voltage) return Decimal(1, -2);
  if (query == Query::phase_current) return instant.current_scale;
  return instant.power_scale ? *instant.power_scale : Decimal(1, -3);
}

}  // namespace

std::string_view name(Family family) noexcept {
  return family_names[static_cast<std::size_t>(family)];
}

Family Version::family() const noexcept {
  if (core >= 1 && core <= 3) return Family::classic;
  if (core != 10) return Family::automatic;
  return type == 1 ? Family::r51 : Family::ce307;
}

std::string_view Version::model() const noexcept {
  for (const Model& known : models) {
    if (known.core == core && known.type == type) return known.name;
  }
  return {};
}

std::string Version::text() const {
  std::string text =
      std::to_string(core) + "." + std::to_string(type) + "." + std::to_string(version);
  if (!date.empty()) text += " (" + date + ")";
  return text;
}

Result<Version> parse_version(ByteView data) {
  if (data.size() != version_length) return wrong_length("a version", data);
  ByteReader reader(data);
  Version version;
  version.core = *reader.u8();
  version.type = *reader.u8();
  version.version = *reader.u8();
  const auto day = reader.bcd();
  const auto month = day ? reader.bcd() : std::nullopt;
  const auto year = month ? reader.bcd() : std::nullopt;
  if (year && LocalTime::make(2000 + *year, *month, *day, 0, 0, 0)) {
    version.date = "20" + two_digits(*year) + "-" + two_digits(*month) + "-" + two_digits(*day);
  }
  return version;
}

Result<int> parse_decimals(ByteView data) {
  if (data.size() != 5 && data.size() != 6) return wrong_length("a configuration", data);
  return u8(data[1]) & 3;
}

Result<StatusReply> parse_status(ByteView data) {
  if (data.size() != status_length) return wrong_length("a status", data);
  StatusReply status;
  status.tariff = u8(data[6]);
  add_bits(status.text, u8(data[0]), "memory", -1);
  add_bits(status.text, u8(data[1]), "hardware", 5);
  if (status.text.empty()) status.text = "ok";
  return status;
}

Result<LocalTime> parse_date_time(ByteView data) {
  if (data.size() != date_time_length) return wrong_length("a date and time", data);
  std::array<int, date_time_length> part{};  // s, min, h, weekday, day, month, year
  ByteReader reader(data);
  for (int& p : part) {
    const auto digits = reader.bcd();
    if (!digits) return Error(Errc::malformed, "a date that is no BCD: " + to_hex_upper(data));
    p = *digits;
  }
  return LocalTime::make(2000 + part[6], part[5], part[4], part[2], part[1], part[0]);
}

Result<Decimal> parse_energy(ByteView data, Family family, int decimals) {
  const bool dated = data.size() == energy_length_dated;
  if (!dated && data.size() != energy_length_classic) return wrong_length("an energy", data);
  if (family != Family::automatic && dated != (family != Family::classic)) {
    return Error(Errc::mismatch, "the answer has the form of the family " +
                                     std::string(dated ? "r51 or ce307" : "classic") + ", but " +
                                     std::string(name(family)) + " is set");
  }
  // The date in front has day 00 for "now": it is no calendar date and not looked at.
  ByteReader reader(dated ? data.subspan(3) : data);
  return Decimal(static_cast<std::int64_t>(*reader.little(4)), dated ? -2 : -decimals);
}

std::string join_serial(ByteView part0, ByteView part1) {
  std::string text = to_text(part0) + to_text(part1);
  text.resize(std::min(text.size(), text.find('\0')));
  std::ranges::reverse(text);
  return sanitised(text);
}

Result<std::vector<Decimal>> parse_phases(Query query, ByteView data, const Instant& instant) {
  const PhaseForm* form = find_form(query);
  std::size_t width = form != nullptr ? form->width : 0;
  if (query == Query::phase_current && data.size() == 4) width = 4;  // single phase, the wide form
  if (width == 0 || (data.size() != width && (data.size() != 3 * width || query == Query::power))) {
    return wrong_length("an instantaneous value", data);
  }
  const bool low_first = query == Query::power || !instant.high_byte_first;
  std::vector<Decimal> values;
  ByteReader reader(data);
  while (reader.left() != 0) {
    const auto count = low_first ? reader.little(width) : reader.big(width);
    auto value = Decimal(static_cast<std::int64_t>(*count)).times(scale_of(query, instant));
    if (!value) return value.error();
    if (query == Query::phase_voltage && (*value < Decimal(100) || *value > Decimal(300))) {
      return Error(Errc::refused,
                   "a voltage of " + value->str() + " V: byte order or meter do not fit");
    }
    values.push_back(*value);
  }
  return values;
}

Telegram empty_telegram() {
  Telegram telegram;
  telegram.protocol = "ce102";
  telegram.readings.emplace_back();
  return telegram;
}

void put_energy(Telegram& telegram, std::string address, int tariff, const Decimal& kwh) {
  Item item(std::move(address));
  item.value = kwh;
  item.unit = "kWh";
  telegram.items.push_back(std::move(item));
  const auto key = make_key(Quantity::energy, Direction::import, Phase::none, tariff);
  telegram.readings.front().readings.emplace_back(key, kwh, Unit::kWh);
}

void put_clock(Telegram& telegram, const LocalTime& local) {
  Item item(address_of(static_cast<std::uint16_t>(Query::date_time)));
  item.text = iso_local(local);
  telegram.items.push_back(std::move(item));
  // The hour that the zone skips in spring exists on meters that know no summer time.
  if (const auto utc = to_utc(local)) put(telegram, Quantity::clock, *utc);
}

void put_status(Telegram& telegram, ByteView data, const StatusReply& status) {
  Item item(address_of(static_cast<std::uint16_t>(Query::status)));
  for (const std::byte b : data)
    item.groups.push_back(to_hex_upper(ByteView(&b, 1)));
  telegram.items.push_back(std::move(item));
  put(telegram, Quantity::status, status.text);
  if (status.tariff >= 1 && status.tariff <= 5)
    put(telegram, Quantity::tariff, Decimal(status.tariff));
}

void put_version(Telegram& telegram, ByteView data, const Version& version) {
  Item item(address_of(static_cast<std::uint16_t>(Query::version)));
  for (const std::byte b : data.first(3))
    item.groups.push_back(std::to_string(u8(b)));
  item.groups.push_back(version.date.empty() ? to_hex_upper(data.subspan(3)) : version.date);
  telegram.items.push_back(std::move(item));
  telegram.meter.model = version.model();
  telegram.meter.firmware = version.text();
  put(telegram, Quantity::firmware, version.text());
}

void put_serial(Telegram& telegram, const std::string& serial) {
  Item item(address_of(static_cast<std::uint16_t>(Query::serial)));
  item.text = serial;
  telegram.items.push_back(std::move(item));
  telegram.meter.serial = serial;
  put(telegram, Quantity::serial, serial);
}

void put_phases(Telegram& telegram, Query query, const std::vector<Decimal>& values) {
  const PhaseForm* form = find_form(query);
  if (form == nullptr) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Phase phase = Phase::none;
    std::string address = address_of(static_cast<std::uint16_t>(query));
    if (values.size() == 3) {
      phase = static_cast<Phase>(static_cast<std::size_t>(Phase::l1) + i);
      address += ":l" + std::to_string(i + 1);
    }
    Item item(std::move(address));
    item.value = values[i];
    item.unit = symbol(form->unit);
    telegram.items.push_back(std::move(item));
    telegram.readings.front().readings.emplace_back(
        make_key(form->quantity, Direction::none, phase), values[i], form->unit);
  }
}

std::string address_of(std::uint16_t command) {
  const std::array bytes{static_cast<std::byte>(command >> 8U),
                         static_cast<std::byte>(command & 0xFFU)};
  return to_hex_upper(bytes);
}

std::string address_of(std::uint16_t command, int tariff, int depth) {
  const std::byte past{static_cast<std::uint8_t>(depth)};
  std::string text = address_of(command) + ":" + two_digits(tariff);
  if (depth != 0) text += ":" + to_hex_upper(ByteView(&past, 1));
  return text;
}

}  // namespace meterbridge::protocol::ce102
