// SPDX-License-Identifier: MIT
#include "protocol/sml/decode.hpp"

#include "core/text.hpp"
#include "protocol/cosem.hpp"
#include "protocol/obis_readings.hpp"

#include <algorithm>
#include <string>

namespace meterbridge::protocol::sml {
namespace {

constexpr std::size_t flag_size = 3;
constexpr std::size_t new_id_size = 10;
constexpr std::uint8_t watt = 27;
constexpr std::uint8_t live = 255;
constexpr Obis net_power{1, 0, 16, 7, 0};
constexpr Obis absolute_power{1, 0, 15, 7, 0};

bool are_letters(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte b) { return u8(b) >= 'A' && u8(b) <= 'Z'; });
}

// 0A 01 <letters> or 09 01 <letters>, then a block number and the serial number; before, 06
// <letters>.
bool is_new_id(ByteView id) noexcept {
  return id.size() == new_id_size && (u8(id[0]) == 0x0A || u8(id[0]) == 0x09) && u8(id[1]) == 1 &&
         are_letters(id.subspan(2, flag_size));
}

bool is_old_id(ByteView id) noexcept {
  return id.size() == new_id_size && u8(id[0]) == 0x06 && are_letters(id.subspan(1, flag_size));
}

bool is_maker(const Obis& code) noexcept {
  return code == Obis{129, 129, 199, 130, 3} || code == Obis{1, 0, 96, 50, 1, 1};
}

Item item_of(const Entry& entry) {
  Item item(entry.code.text());
  const Element& value = entry.value;
  if (value.is_integer()) {
    const auto raw = value.signed_value();
    if (raw && entry.scaler) {
      if (const auto number = Decimal(*raw).shifted(*entry.scaler)) {
        item.value = *number;
        item.unit = cosem_unit(entry.unit);
        return item;
      }
    }
    item.text = "0x" + to_hex_upper(value.bytes);
  } else if (value.type == TlvType::boolean) {
    item.text = !value.bytes.empty() && u8(value.bytes.front()) != 0 ? "true" : "false";
  } else if (value.type == TlvType::octets) {
    item.text = readable_octets(value.bytes);
  } else {
    item.text = "a list of " + std::to_string(value.count) + " elements";
  }
  return item;
}

class Builder {
 public:
  Builder(Telegram& telegram, const List& list, const DecodeOptions& options)
      : telegram_(telegram),
        list_(list),
        options_(options),
        letters_(maker_letters(list)),
        readings_(telegram.readings.emplace_back()) {
    telegram.items.reserve(list.entries.size());
    telegram.readings.front().readings.reserve(list.entries.size() + 2);
  }

  void run();

 private:
  [[nodiscard]] bool sends(std::uint8_t c) const noexcept;
  [[nodiscard]] std::optional<bool> direction() const noexcept;
  [[nodiscard]] std::optional<Decimal> meant(const Entry& entry, const Decimal& sent) const;
  [[nodiscard]] std::optional<Decimal> meant_by_dzg(const Entry& entry, const Decimal& sent) const;
  void fill_identity();
  void add_entry(const Entry& entry, const Item& item);
  void add_absolute(const Decimal& watts);

  void add_power(const Decimal& watts) {
    readings_.add(Reading(make_key(Quantity::power), watts, Unit::W));
  }

  Telegram& telegram_;
  const List& list_;
  const DecodeOptions& options_;
  std::string letters_;
  ObisReadings readings_;
};

// An energy register of this direction, of whatever tariff.
bool Builder::sends(std::uint8_t c) const noexcept {
  return std::any_of(list_.entries.begin(), list_.entries.end(), [c](const Entry& entry) {
    return entry.code.a() == 1 && entry.code.c() == c && entry.code.d() == 8 &&
           entry.code.f() == live;
  });
}

// By the status of the total import register, or of the first that has one.
std::optional<bool> Builder::direction() const noexcept {
  const Entry* found = nullptr;
  for (const Entry& entry : list_.entries) {
    if (!entry.status) continue;
    if (found == nullptr || entry.code == Obis{1, 0, 1, 8, 0}) found = &entry;
  }
  return found == nullptr ? std::nullopt : exporting(*found->status);
}

// 356.24 W come as int16 8B28. A negative number is true when the status says that energy leaves,
// and a number of that kind when it says that it does not. Of a phase only the sum of all is known
// to have this direction, unless the meter counts nothing that leaves.
std::optional<Decimal> Builder::meant_by_dzg(const Entry& entry, const Decimal& sent) const {
  if (!sent.is_negative() || options_.dzg == DzgFix::off) return sent;
  const auto unsigned_number = [&]() -> std::optional<Decimal> {
    const std::uint64_t bits = entry.value.unsigned_value().value_or(UINT64_MAX);
    if (bits > static_cast<std::uint64_t>(INT64_MAX) || !entry.scaler) return std::nullopt;
    const auto number = Decimal(static_cast<std::int64_t>(bits)).shifted(*entry.scaler);
    return number ? std::optional(*number) : std::nullopt;
  };
  if (options_.dzg == DzgFix::on) return unsigned_number();
  const auto leaves = direction();
  if (!leaves) return std::nullopt;
  if (*leaves) return sent;
  return entry.code == net_power || !sends(2) ? unsigned_number() : std::nullopt;
}

// What a power is that the meter sent like this; nothing where nobody can say.
std::optional<Decimal> Builder::meant(const Entry& entry, const Decimal& sent) const {
  if (entry.unit != watt || entry.code.d() != 7) return sent;
  if (letters_ == "DZG") return meant_by_dzg(entry, sent);
  // Some firmware of the DTZ541 sends a magnitude, other a sign: both are right with bit 11.
  if (letters_ == "HLY" && entry.code == net_power) {
    const auto leaves = direction();
    if (!leaves || *leaves == sent.is_negative()) return sent;
    const auto turned = Decimal().minus(sent);
    return turned ? std::optional(*turned) : std::nullopt;
  }
  return sent;
}

void Builder::add_entry(const Entry& entry, const Item& item) {
  if (entry.code.c() == 0 && entry.code.d() == 2 && entry.code.e() == 0 && item.text) {
    if (telegram_.meter.firmware.empty()) telegram_.meter.firmware = *item.text;
    return;
  }
  auto meaning = meaning_of(entry.code);
  // Hager's eHZ361 has its net power in tariff 1.
  if (letters_ == "HAG" && entry.code == Obis{1, 0, 1, 7, 1}) meaning = meaning_of(net_power);
  if (!meaning || meaning->form != ObisForm::number) return;
  if (!item.value || item.unit.empty()) {
    readings_.missing(meaning->key);
    return;
  }
  const bool angle = meaning->key.quantity == Quantity::phase_angle;
  if (angle && (item.value->is_negative() || *item.value > Decimal(360))) return;
  const auto value = meant(entry, *item.value);
  if (!value) return;
  if (*value == *item.value) {
    readings_.add_number(item, *meaning);
  } else if (auto reading = Reading::make(meaning->key, *value, Unit::W)) {
    readings_.add(*std::move(reading));
  }
}

// EMH tells the direction; a meter that counts only what leaves sends nothing else.
void Builder::add_absolute(const Decimal& watts) {
  std::optional<bool> leaves;
  if (options_.absolute == AbsolutePower::comes) leaves = false;
  if (options_.absolute == AbsolutePower::leaves) leaves = true;
  if (options_.absolute == AbsolutePower::automatic) {
    if (letters_ == "EMH") leaves = direction();
    if (!leaves && sends(2) && !sends(1)) leaves = true;
  }
  if (!leaves) return;
  if (!*leaves) {
    add_power(watts);
  } else if (const auto negative = Decimal().minus(watts)) {
    add_power(*negative);
  }
}

void Builder::fill_identity() {
  MeterIdentity& meter = telegram_.meter;
  meter.manufacturer = maker_of(letters_);
  for (std::size_t i = 0; i < list_.entries.size(); ++i) {
    const Item& item = telegram_.items[i];
    if (meter.manufacturer.empty() && is_maker(list_.entries[i].code) && item.text)
      meter.manufacturer = sanitised(*item.text);
  }
  if (meter.manufacturer.empty()) meter.manufacturer = letters_;
  meter.serial = serial_of(list_.server_id);
}

void Builder::run() {
  for (const Entry& entry : list_.entries)
    telegram_.items.push_back(item_of(entry));
  fill_identity();
  const Decimal* absolute = nullptr;
  for (std::size_t i = 0; i < list_.entries.size(); ++i) {
    const Item& item = telegram_.items[i];
    add_entry(list_.entries[i], item);
    if (list_.entries[i].code == absolute_power && item.value && list_.entries[i].unit == watt)
      absolute = &*item.value;
  }
  if (absolute != nullptr) add_absolute(*absolute);
  readings_.add_sums();
  readings_.add_net_power();
  if (letters_ == "ESY") readings_.take_signed_import();
  const MeterIdentity& meter = telegram_.meter;
  if (!meter.serial.empty()) readings_.add(Reading(make_key(Quantity::serial), meter.serial));
  if (!meter.firmware.empty()) readings_.add(Reading(make_key(Quantity::firmware), meter.firmware));
  telegram_.readings.front().identity = meter;
}

}  // namespace

std::string maker_letters(const List& list) {
  const ByteView id = list.server_id;
  if (is_new_id(id)) return to_text(id.subspan(2, flag_size));
  if (is_old_id(id)) return to_text(id.subspan(1, flag_size));
  for (const Entry& entry : list.entries) {
    const ByteView text = entry.value.bytes;
    if (is_maker(entry.code) && entry.value.type == TlvType::octets && text.size() >= flag_size &&
        are_letters(text.first(flag_size)))
      return to_text(text.first(flag_size));
  }
  return {};
}

std::string serial_of(ByteView id) {
  constexpr std::size_t block_at = 5;
  constexpr std::size_t number_size = 4;
  constexpr std::uint64_t largest = 99'999'999;
  if (is_new_id(id)) {
    const std::uint64_t number = *ByteReader(id.last(number_size)).big(number_size);
    if (number <= largest) {
      const std::string digits = std::to_string(number);
      return "1" + to_text(id.subspan(2, flag_size)) + to_hex_upper(id.subspan(block_at, 1)) +
             std::string(8 - digits.size(), '0') + digits;
    }
  }
  const bool plain = !id.empty() && std::all_of(id.begin(), id.end(), [](std::byte b) {
    return u8(b) > ' ' && u8(b) < 0x7F;
  });
  return plain ? to_text(id) : to_hex_upper(id);
}

std::optional<bool> exporting(std::uint64_t status) noexcept {
  constexpr std::uint64_t low = 0xFF;
  constexpr std::uint64_t fnn = 0x04;  // words of three and four bytes of newer meters
  constexpr std::uint64_t fnn_bit = 0x800;
  constexpr std::uint64_t edl = 0x80;  // 8x, Ax, Bx
  constexpr std::uint64_t edl_bit = 0x20;
  if ((status & low) == fnn) return (status & fnn_bit) != 0;
  if ((status & edl) != 0) return (status & edl_bit) != 0;
  return std::nullopt;
}

Telegram telegram_of(const List& list, const DecodeOptions& options) {
  Telegram telegram;
  telegram.protocol = "sml";
  Builder(telegram, list, options).run();
  return telegram;
}

}  // namespace meterbridge::protocol::sml
