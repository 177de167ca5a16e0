// SPDX-License-Identifier: MIT
#include "protocol/mercury/answer.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::uint8_t phases_since_reset = 6;

void put(Telegram& telegram, Quantity quantity, Value value) {
  telegram.readings.front().readings.emplace_back(make_key(quantity), std::move(value));
}

void put_text(Telegram& telegram, std::string address, std::string text) {
  Item item(std::move(address));
  item.text = std::move(text);
  telegram.items.push_back(std::move(item));
}

void put_number(Telegram& telegram, std::string address, const Decimal& value, Unit unit) {
  Item item(std::move(address));
  item.value = value;
  item.unit = symbol(unit);
  telegram.items.push_back(std::move(item));
}

// At the terminals of the meter, or in front of its transformers. Nothing while those are not
// known.
Result<> put_measured(Telegram& telegram, const ReadingKey& key, const Decimal& value, Unit unit,
                      const Scale& scale) {
  Decimal scaled = value;
  if (scale.apply) {
    if (!scale.ratios) return {};
    const auto product = value.times(factor_of(key.quantity, *scale.ratios));
    if (!product) return product.error();
    scaled = *product;
  }
  auto reading = Reading::make(key, scaled, unit);
  if (!reading) return reading.error();
  telegram.readings.front().readings.push_back(std::move(*reading));
  return {};
}

// Of the tariff since reset; other arrays are periods and stay items.
Result<> read_energy(Telegram& telegram, ByteView body, ByteView data, const Scale& scale) {
  static constexpr std::array<std::string_view, 4> names{":A+", ":A-", ":R+", ":R-"};
  const unsigned array = u8(body[1]) >> 4U;
  const int tariff = u8(body[2]);
  for (std::size_t i = 0; i < data.size() / 4; ++i) {
    const auto count = parse_energy(data.subspan(4 * i, 4));
    if (!count) continue;
    const bool phases = array == phases_since_reset;
    const std::string which = phases ? ":L" + std::to_string(i + 1) : std::string(names[i]);
    const Unit unit = phases || i < 2 ? Unit::Wh : Unit::varh;
    put_number(telegram, name_of(body) + which, Decimal(*count), unit);
    ReadingKey key;
    if (phases) {
      if (tariff != 0 || static_cast<int>(i) >= scale.phases) continue;
      key = make_key(Quantity::energy, Direction::import,
                     static_cast<Phase>(static_cast<std::size_t>(Phase::l1) + i));
    } else {
      if (array != 0 || tariff > 4) continue;
      key = make_key(unit == Unit::Wh ? Quantity::energy : Quantity::reactive_energy,
                     i % 2 == 0 ? Direction::import : Direction::export_, Phase::none, tariff);
    }
    if (const auto read = put_measured(telegram, key, Decimal(*count), unit, scale); !read)
      return read.error();
  }
  return {};
}

Result<> read_value(Telegram& telegram, ByteView body, std::uint8_t bwri, ByteView data,
                    const Scale& scale) {
  const auto form = form_of(bwri);
  if (!form) return Error(Errc::unsupported, "a value " + name_of(body) + " is not known");
  const auto value = parse_value(*form, data);
  if (!value) return {};
  const std::byte which{bwri};
  put_number(telegram, name_of(body.first(2)) + ":" + to_hex_upper(ByteView(&which, 1)), *value,
             form->unit);
  const Phase phase = phase_of(bwri);
  if (scale.phases == 1 && phase != Phase::none && phase != Phase::l1) return {};
  return put_measured(telegram, make_key(form->quantity, Direction::none, phase), *value,
                      form->unit, scale);
}

Result<> read_group(Telegram& telegram, ByteView body, ByteView data, const Scale& scale) {
  const auto form = form_of(u8(body[2]));
  if (!form) return Error(Errc::unsupported, "a value " + name_of(body) + " is not known");
  const std::size_t width = data.size() == 16 ? 4 : 3;
  const std::size_t count = data.size() / width;
  const unsigned base = u8(body[2]) & 0xFCU;
  const unsigned first = count == 3 ? 1 : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bwri = static_cast<std::uint8_t>(base + first + i);
    const auto read = read_value(telegram, body, bwri, data.subspan(width * i, width), scale);
    if (!read) return read.error();
  }
  return {};
}

Result<> read_clock(Telegram& telegram, ByteView body, ByteView data) {
  const auto clock = parse_clock(data);
  if (!clock) return clock.error();
  put_text(telegram, name_of(body), iso_local(clock->local));
  // The hour that the zone skips in spring exists on meters that know no summer time.
  if (const auto utc = to_utc(clock->local, clock->season)) {
    telegram.time = *utc;
    put(telegram, Quantity::clock, *utc);
  }
  return {};
}

Result<> read_serial(Telegram& telegram, ByteView body, ByteView data) {
  const auto serial = parse_serial(data);
  if (!serial) return serial.error();
  Item item(name_of(body));
  item.groups = {serial->number, serial->made};
  telegram.items.push_back(std::move(item));
  telegram.meter.serial = serial->number;
  put(telegram, Quantity::serial, serial->number);
  return {};
}

Result<> read_ratios(Telegram& telegram, ByteView body, ByteView data, const Scale& scale) {
  const auto ratios = parse_ratios(data);
  if (!ratios) return ratios.error();
  put_number(telegram, name_of(body) + ":Kn", Decimal(ratios->voltage), Unit::none);
  put_number(telegram, name_of(body) + ":Kt", Decimal(ratios->current), Unit::none);
  put(telegram, Quantity::message, ratio_words(*ratios, scale.apply));
  return {};
}

Result<> read_version(Telegram& telegram, ByteView body, ByteView data) {
  const auto version = parse_version(data);
  if (!version) return version.error();
  put_text(telegram, name_of(body), *version);
  telegram.meter.firmware = *version;
  put(telegram, Quantity::firmware, *version);
  return {};
}

// Which bit means which E-number differs from version to version: they are shown as they are.
void read_status(Telegram& telegram, ByteView body, ByteView data) {
  Item item(name_of(body));
  for (const std::byte b : data)
    item.groups.push_back(to_hex_upper(ByteView(&b, 1)));
  telegram.items.push_back(std::move(item));
  const bool good = std::ranges::all_of(data, [](std::byte b) { return b == std::byte{0}; });
  put(telegram, Quantity::status,
      good ? std::string("ok") : "self-test flags " + to_hex_upper(data));
}

}  // namespace

Telegram empty_telegram() {
  Telegram telegram;
  telegram.protocol = "mercury";
  telegram.readings.emplace_back();
  return telegram;
}

std::string ratio_words(const Ratios& ratios, bool applied) {
  return "transformers: voltage " + std::to_string(ratios.voltage) + ", current " +
         std::to_string(ratios.current) + (applied ? ", applied" : ", not applied");
}

Result<> read_answer(Telegram& telegram, ByteView body, ByteView data, const Scale& scale) {
  const auto kind = kind_of(body);
  if (!kind)
    return Error(Errc::unsupported, "the request " + name_of(body) + " is not one that is read");
  const std::string name = name_of(body);
  switch (*kind) {
    case Kind::link_test:
    case Kind::open:
    case Kind::close:
      put_number(telegram, name, Decimal(status_code(data.front())), Unit::none);
      return {};
    case Kind::clock:
      return read_clock(telegram, body, data);
    case Kind::energy:
      return read_energy(telegram, body, data, scale);
    case Kind::serial:
      return read_serial(telegram, body, data);
    case Kind::ratios:
      return read_ratios(telegram, body, data, scale);
    case Kind::version:
      return read_version(telegram, body, data);
    case Kind::status:
      read_status(telegram, body, data);
      return {};
    case Kind::address:
    case Kind::tariff_mode:
    case Kind::timeout_factor:
      put_number(telegram, name, Decimal(u8(data.back())), Unit::none);
      return {};
    case Kind::serial_extended:
    case Kind::variant:
      put_text(telegram, name, to_hex_upper(data));
      return {};
    case Kind::value:
      return read_value(telegram, body, u8(body[2]), data, scale);
    case Kind::group:
    case Kind::snapshot:
      return read_group(telegram, body, data, scale);
  }
  return Error(Errc::bug, "a kind of request without a reader");
}

}  // namespace meterbridge::protocol::mercury
