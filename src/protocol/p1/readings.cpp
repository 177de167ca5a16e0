// SPDX-License-Identifier: MIT
#include "protocol/p1/readings.hpp"

#include "core/text.hpp"
#include "protocol/obis_readings.hpp"
#include "protocol/p1/stamp.hpp"
#include "protocol/p1/submeters.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace meterbridge::protocol::p1 {
namespace {

std::string readable(std::string_view sent) {
  const auto decoded = hex_text(sent);
  return sanitised(decoded ? std::string_view(*decoded) : sent);
}

// ON / 1 / 0001 is closed; OFF / 0 / 2 ("ready for reconnection") is open.
std::optional<bool> breaker_from(const Item& item) {
  if (item.text && same_ignoring_case(*item.text, "on")) return true;
  if (item.text && same_ignoring_case(*item.text, "off")) return false;
  const auto number = tariff_from(item);
  if (!number) return std::nullopt;
  if (*number == Decimal(1)) return true;
  if (*number == Decimal(0) || *number == Decimal(2)) return false;
  return std::nullopt;
}

class Builder {
 public:
  Builder(Telegram& telegram, Codes codes, const ReadingOptions& options)
      : telegram_(telegram),
        codes_(codes),
        options_(options),
        readings_(telegram.readings.emplace_back()) {
    main().readings.reserve(codes.size() + 8);
  }

  void run();

 private:
  [[nodiscard]] MeterReadings& main() { return telegram_.readings.front(); }

  [[nodiscard]] const Item* find(const Obis& code) const noexcept;
  [[nodiscard]] std::string text_of(const Obis& code) const;
  void fill_identity();

  void add(Reading&& reading) { readings_.add(std::move(reading)); }

  void settle_average_current(const Obis& code, ObisMeaning& meaning) const;
  void add_item(const Item& item, const ObisMeaning& meaning);
  void add_message();
  void add_clock();

  Telegram& telegram_;
  Codes codes_;
  const ReadingOptions& options_;
  ObisReadings readings_;
};

// By code, not by address: a telegram has each code once.
const Item* Builder::find(const Obis& code) const noexcept {
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    if (codes_[i].obis == code) return &telegram_.items[i];
  }
  return nullptr;
}

std::string Builder::text_of(const Obis& code) const {
  const Item* item = find(code);
  return item != nullptr && item->text ? readable(*item->text) : std::string();
}

void Builder::fill_identity() {
  constexpr std::size_t flag_size = 3;
  constexpr std::size_t model_at = 4;  // behind the baud character
  MeterIdentity& meter = telegram_.meter;
  const std::string_view header = telegram_.identification;
  const std::string logical_name = text_of({0, 0, 42, 0, 0});
  for (const Obis& code : {Obis{0, 0, 96, 1, 1}, Obis{0, 0, 96, 1, 0}}) {
    if (meter.serial.empty()) meter.serial = text_of(code);
  }
  if (meter.serial.empty()) meter.serial = logical_name;
  meter.firmware = text_of({1, 0, 0, 2, 0});
  const std::string_view serial = meter.serial;
  // Belgian serial numbers are a digit, the maker's letters, and the number.
  for (const std::string_view flag :
       {std::string_view(logical_name).substr(0, flag_size), header.substr(0, flag_size),
        serial.size() > flag_size ? serial.substr(1, flag_size) : std::string_view()}) {
    if (meter.manufacturer.empty()) meter.manufacturer = maker_of(flag);
  }
  if (meter.manufacturer.empty()) meter.manufacturer = sanitised(header.substr(0, flag_size));
  std::string_view model = header.substr(std::min(model_at, header.size()));
  // "\2M550T-1012": the backslash and a digit announce the enhanced identification of IEC 62056-21.
  if (!model.empty() && model.front() == '\\') {
    model.remove_prefix(model.size() > 1 && model[1] >= '0' && model[1] <= '9' ? 2 : 1);
  }
  meter.model = sanitised(model);
}

void Builder::add_item(const Item& item, const ObisMeaning& meaning) {
  switch (meaning.form) {
    case ObisForm::number:
    case ObisForm::limit:
    case ObisForm::ratio:
      readings_.add_number(item, meaning);
      return;
    case ObisForm::tariff:
      if (const auto tariff = tariff_from(item)) add(Reading(meaning.key, *tariff));
      return;
    case ObisForm::breaker:
      if (const auto closed = breaker_from(item)) add(Reading(meaning.key, *closed));
      return;
    case ObisForm::text: {
      if (meaning.key.quantity == Quantity::message) {
        add_message();
        return;
      }
      if (meaning.key.quantity == Quantity::serial || !item.text)
        return;  // the serial has its own order
      std::string text = readable(*item.text);
      if (!text.empty()) add(Reading(meaning.key, std::move(text)));
      return;
    }
    case ObisForm::clock:
      return;
  }
}

// AM550 in Slovenia: date and time are two objects, with or without group A and B in front.
std::optional<Seconds> clock_in_parts(const Telegram& telegram, std::chrono::minutes offset) {
  const auto part = [&telegram](std::string_view reduced) -> std::string_view {
    for (const Item& item : telegram.items) {
      std::string_view address = item.address;
      if (const std::size_t colon = address.find(':'); colon != std::string_view::npos) {
        address.remove_prefix(colon + 1);
      }
      if (address.substr(0, address.find('*')) == reduced && item.text) return *item.text;
    }
    return {};
  };
  const std::string_view date = part("0.9.2");
  const std::string_view time = part("0.9.1");
  if (date.empty() || time.empty()) return std::nullopt;
  return parse_stamp_without_season(std::string(date) + std::string(time), offset);
}

// Luxembourg has five places for messages; the first that is not empty is told.
void Builder::add_message() {
  for (const std::uint8_t place : std::array<std::uint8_t, 5>{0, 2, 3, 4, 5}) {
    std::string text = text_of({0, 0, 96, 13, place});
    if (text.empty()) continue;
    add(Reading(make_key(Quantity::message), std::move(text)));
    return;
  }
}

void Builder::add_clock() {
  const Item* clock = find({0, 0, 1, 0, 0});
  telegram_.time = clock != nullptr && clock->text
                       ? parse_stamp(*clock->text, options_.normal_offset)
                       : clock_in_parts(telegram_, options_.normal_offset);
  if (telegram_.time) add(Reading(make_key(Quantity::clock), *telegram_.time));
}

// Lithuania sends the averages of voltage (32.24.0) and current (31.4.0) together; elsewhere 31.4.0
// is the limit of the fuse.
void Builder::settle_average_current(const Obis& code, ObisMeaning& meaning) const {
  constexpr std::uint8_t average = 4;
  if (code.d() != average || meaning.key.quantity != Quantity::current) return;
  if (find({1, 0, 32, 24, 0}) != nullptr) meaning.key.aspect = Aspect::demand;
}

void Builder::run() {
  fill_identity();
  const bool holley =
      same_ignoring_case(std::string_view(telegram_.identification).substr(0, 3), "HLY");
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    auto meaning = codes_[i].meaning;
    // Holley in Hungary writes 4.8.1 where 4.8.0 is meant.
    if (holley && codes_[i].obis == Obis{1, 0, 4, 8, 1}) meaning = meaning_of(Obis{1, 0, 4, 8, 0});
    if (!meaning) continue;
    if (codes_[i].obis) settle_average_current(*codes_[i].obis, *meaning);
    add_item(telegram_.items[i], *meaning);
  }
  if (!options_.sums_doubtful) readings_.add_sums();
  readings_.add_net_power();
  if (!telegram_.meter.serial.empty())
    add(Reading(make_key(Quantity::serial), telegram_.meter.serial));
  add_clock();
  main().identity = telegram_.meter;
}

}  // namespace

void build_readings(Telegram& telegram, Codes codes, const ReadingOptions& options) {
  Builder(telegram, codes, options).run();
  add_submeters(telegram, codes, options.normal_offset);
}

}  // namespace meterbridge::protocol::p1
