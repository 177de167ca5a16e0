// SPDX-License-Identifier: MIT
#include "protocol/dlms/decode.hpp"

#include "core/text.hpp"
#include "protocol/cosem.hpp"
#include "protocol/derived.hpp"
#include "protocol/gcm.hpp"
#include "protocol/obis_readings.hpp"

#include <algorithm>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::size_t stamp_size = 12;
constexpr std::uint8_t summer_bit = 0x80;

bool is_clock(const Entry& entry) noexcept {
  const Obis& code = entry.code;
  return code.a() == 0 && code.c() == 1 && code.d() == 0 && code.e() == 0;
}

std::optional<DateTime> clock_in(const Entry& entry) {
  const Node& node = *entry.value;
  if (node.bytes.size() != stamp_size) return std::nullopt;
  if (node.tag != Tag::date_time && !(node.tag == Tag::octets && is_clock(entry)))
    return std::nullopt;
  return date_time_of(node.bytes);
}

// hh:mm:ss of four bytes, yyyy-mm-dd of five.
std::string time_or_date(ByteView bytes) {
  constexpr std::size_t time_size = 4;
  const auto number = [bytes](std::size_t i) { return static_cast<unsigned>(u8(bytes[i])); };
  if (bytes.size() == time_size)
    return padded(number(0), 2) + ":" + padded(number(1), 2) + ":" + padded(number(2), 2);
  return padded(number(0) << 8U | number(1), 4) + "-" + padded(number(2), 2) + "-" +
         padded(number(3), 2);
}

bool is_time_or_date(const Entry& entry) noexcept {
  const Node& node = *entry.value;
  if (node.tag == Tag::time || node.tag == Tag::date) return true;
  const bool coded = entry.code.c() == 0 && entry.code.d() == 9;
  return coded && node.tag == Tag::octets && (node.bytes.size() == 4 || node.bytes.size() == 5);
}

// What the telegram says, scaler applied. False when that number cannot be kept exactly.
Item item_of(const Entry& entry) {
  Item item(entry.code.text());
  const Node& node = *entry.value;
  if (const auto raw = number_of(node)) {
    if (const auto value = raw->shifted(entry.scaler)) {
      item.value = *value;
      item.unit = entry.unit;
      return item;
    }
  }
  if (const auto clock = clock_in(entry)) {
    item.text = text_of(*clock);
  } else if (is_time_or_date(entry)) {
    item.text = time_or_date(node.bytes);
  } else if (is_text(node)) {
    item.text = readable_octets(node.bytes);
  } else {
    item.text = "0x" + to_hex_upper(node.bytes);
  }
  return item;
}

class Builder {
 public:
  Builder(Telegram& telegram, const List& list, const DecodeOptions& options)
      : telegram_(telegram), list_(list), options_(options) {
    telegram.readings.emplace_back();
    main().readings.reserve(list.entries.size() + 4);
  }

  void run(const Head& head);

 private:
  [[nodiscard]] MeterReadings& main() { return telegram_.readings.front(); }

  [[nodiscard]] std::string text_at(const Obis& code) const;
  void fill_identity();
  void add(Reading reading);
  void add_number(const Item& item, const ObisMeaning& meaning);
  void add_entry(const Entry& entry, const Item& item);
  void drop_missing_phase();
  void add_clock(const Head& head);
  [[nodiscard]] std::optional<Seconds> instant_of(const DateTime& time) const;

  Telegram& telegram_;
  const List& list_;
  const DecodeOptions& options_;
};

std::string Builder::text_at(const Obis& code) const {
  for (std::size_t i = 0; i < list_.entries.size(); ++i) {
    if (list_.entries[i].code != code) continue;
    const Item& item = telegram_.items[i];
    if (item.text) return *item.text;
    if (item.value) return item.value->str();
  }
  return {};
}

void Builder::fill_identity() {
  MeterIdentity& meter = telegram_.meter;
  constexpr Obis device_name{0, 0, 42, 0, 0};
  constexpr std::size_t flag = 3;
  meter.manufacturer = name(list_.make);
  // The logical device name begins with the maker's letters.
  if (meter.manufacturer.empty())
    meter.manufacturer = maker_of(text_at(device_name).substr(0, flag));
  // Kamstrup: the number of the meter is in 0.0.5 (with its check digits) or 0.0.1, its type in
  // 96.1.1.
  const bool kamstrup = list_.make == Make::kamstrup;
  for (const Obis& code : {Obis{0, 0, 96, 1, 0}, Obis{0, 0, 96, 1, 1}, Obis{1, 1, 0, 0, 5},
                           Obis{1, 1, 0, 0, 1}, Obis{0, 0, 42, 0, 0}}) {
    if (meter.serial.empty()) meter.serial = text_at(code);
  }
  meter.model = text_at(kamstrup ? Obis{1, 1, 96, 1, 1} : Obis{0, 0, 96, 1, 7});
}

void Builder::add(Reading reading) {
  if (main().find(reading.key) == nullptr) main().readings.push_back(std::move(reading));
}

void Builder::add_number(const Item& item, const ObisMeaning& meaning) {
  if (!item.value) return;
  const Decimal& value = *item.value;
  const Unit unit = unit_from(item.unit).value_or(Unit::none);
  // 400 degrees: no current flows, and there is no angle.
  if (meaning.key.quantity == Quantity::phase_angle &&
      (value > Decimal(360) || value.is_negative()))
    return;
  if (meaning.form == ObisForm::ratio && (value > Decimal(1) || value < Decimal(-1))) return;
  const auto key = meaning.form == ObisForm::limit ? limit_key(unit) : std::optional(meaning.key);
  if (!key) return;
  auto reading = Reading::make(*key, value, unit);
  if (reading) add(*std::move(reading));
}

void Builder::add_entry(const Entry& entry, const Item& item) {
  const ObisMeaning& meaning = *entry.meaning;
  switch (meaning.form) {
    case ObisForm::number:
    case ObisForm::ratio:
    case ObisForm::limit:
      // A number whose scale nobody told us is shown, and not believed.
      if (entry.scaled) add_number(item, meaning);
      return;
    case ObisForm::tariff:
      if (const auto tariff = tariff_from(item)) add(Reading(meaning.key, *tariff));
      return;
    case ObisForm::breaker:
      // 0 open, 1 closed, 2 ready to be closed.
      if (item.value && *item.value <= Decimal(2) && !item.value->is_negative())
        add(Reading(meaning.key, *item.value == Decimal(1)));
      return;
    case ObisForm::text:
      if (meaning.key.quantity != Quantity::serial && item.text && !item.text->empty())
        add(Reading(meaning.key, *item.text));
      return;
    case ObisForm::clock:
      return;
  }
}

// Meters for three phases on an IT network have no second voltage and send 0: MA304H3E, and the
// E350 of Norway, whose second current is 0 then, too.
void Builder::drop_missing_phase() {
  const auto value = [this](Quantity quantity, Phase phase) -> const Decimal* {
    const Reading* reading = main().find(make_key(quantity, Direction::none, phase));
    return reading == nullptr ? nullptr : std::get_if<Decimal>(&reading->value);
  };
  const auto drop = [this](Quantity quantity) {
    std::erase_if(main().readings, [quantity](const Reading& reading) {
      return reading.key == make_key(quantity, Direction::none, Phase::l2);
    });
  };
  const bool kaifa =
      list_.make == Make::kaifa && telegram_.meter.model.find("H3E") != std::string::npos;
  const bool e350 = list_.version.substr(0, 6) == "EMBRIQ";
  if (!kaifa && !e350) return;
  const Decimal* first = value(Quantity::voltage, Phase::l1);
  const Decimal* second = value(Quantity::voltage, Phase::l2);
  if (first == nullptr || second == nullptr || first->is_zero() || !second->is_zero()) return;
  drop(Quantity::voltage);
  const Decimal* current = value(Quantity::current, Phase::l2);
  if (e350 && current != nullptr && current->is_zero()) drop(Quantity::current);
}

std::optional<Seconds> Builder::instant_of(const DateTime& time) const {
  constexpr std::chrono::minutes normal_time(60);
  if (options_.clock == ClockRule::off || time.invalid()) return std::nullopt;
  const auto standard = [&] { return to_utc(time.local, normal_time, Season::winter); };
  if (options_.clock == ClockRule::standard) return standard();
  if (options_.clock == ClockRule::automatic && time.deviation) {
    // Aidon in Norway says 0 and means UTC+1, all year.
    if (list_.make == Make::aidon && time.deviation->count() == 0) return standard();
    return Seconds(time.local.at.time_since_epoch() + *time.deviation);
  }
  // Aidon in Sweden and Kamstrup may mean either; Kaifa and Landis+Gyr follow the house.
  const bool follows = list_.make == Make::kaifa || list_.make == Make::landis_gyr;
  if (options_.clock == ClockRule::automatic && !follows) return std::nullopt;
  std::optional<Season> season;
  if (time.status != 0xFF && (time.status & summer_bit) != 0) season = Season::summer;
  const auto instant = to_utc(time.local, season);
  if (!instant) return std::nullopt;
  return *instant;
}

// The head, else the clock of the list.
void Builder::add_clock(const Head& head) {
  std::optional<DateTime> time;
  if (!head.date_time.empty()) time = date_time_of(head.date_time);
  if (!time) time = list_.clock;
  for (const Entry& entry : list_.entries) {
    if (!time && is_clock(entry)) time = clock_in(entry);
  }
  if (time) telegram_.time = instant_of(*time);
  if (telegram_.time) add(Reading(make_key(Quantity::clock), *telegram_.time));
}

void Builder::run(const Head& head) {
  telegram_.items.reserve(list_.entries.size());
  for (const Entry& entry : list_.entries)
    telegram_.items.push_back(item_of(entry));
  fill_identity();
  for (std::size_t i = 0; i < list_.entries.size(); ++i) {
    if (list_.entries[i].meaning) add_entry(list_.entries[i], telegram_.items[i]);
  }
  drop_missing_phase();
  add_tariff_sums(main());
  add_net_power(main());
  if (!telegram_.meter.serial.empty())
    add(Reading(make_key(Quantity::serial), telegram_.meter.serial));
  add_clock(head);
  main().identity = telegram_.meter;
}

}  // namespace

std::string title_text(std::string_view title) {
  constexpr std::size_t letters = 3;
  if (title.size() != system_title_size) return {};
  return sanitised(title.substr(0, letters)) +
         to_hex_upper(std::as_bytes(std::span(title.substr(letters))));
}

Telegram telegram_of(const List& list, const Head& head, std::string_view system_title,
                     const DecodeOptions& options) {
  Telegram telegram;
  telegram.protocol = "dlms";
  telegram.identification =
      list.version.empty() ? title_text(system_title) : sanitised(list.version);
  Builder(telegram, list, options).run(head);
  return telegram;
}

}  // namespace meterbridge::protocol::dlms
