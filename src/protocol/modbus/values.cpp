// SPDX-License-Identifier: MIT
#include "protocol/modbus/values.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::uint16_t no_scale = 0x8000;
constexpr int largest_scale = 10;  // SunSpec: -10..10

std::uint16_t swapped(std::uint16_t word) noexcept {
  return static_cast<std::uint16_t>((word >> 8U) | (word << 8U));
}

std::uint64_t mask_of(int width) noexcept {
  return width >= 64 ? UINT64_MAX : (std::uint64_t{1} << static_cast<unsigned>(width)) - 1;
}

bool is_signed(Type type) noexcept {
  return type == Type::s16 || type == Type::s32 || type == Type::s64;
}

Result<Decimal> whole_number(std::uint64_t raw, const Register& value) {
  const int width = bits(value.type);
  if (value.mask != 0) {
    raw = (raw & value.mask) >> static_cast<unsigned>(std::countr_zero(value.mask));
  } else if (is_signed(value.type)) {
    const auto shift = static_cast<unsigned>(64 - width);
    return Decimal(static_cast<std::int64_t>(raw << shift) >> shift);
  }
  if (raw > static_cast<std::uint64_t>(INT64_MAX))
    return Error(Errc::malformed, "a number above 9223372036854775807");
  return Decimal(static_cast<std::int64_t>(raw));
}

// Nothing: NaN, or infinity.
std::optional<Result<Decimal>> float_number(std::uint64_t raw, Type type) {
  if (type == Type::f32) {
    const auto number = std::bit_cast<float>(static_cast<std::uint32_t>(raw));
    if (!std::isfinite(number)) return std::nullopt;
    return Decimal::from_float32(number);
  }
  const auto number = std::bit_cast<double>(raw);
  if (!std::isfinite(number)) return std::nullopt;
  return Decimal::from_float64(number);
}

Result<Decimal> scaled(Decimal number, const Register& value, int power) {
  auto result = Result<Decimal>(number);
  if (power != 0) result = number.shifted(power);
  if (result && value.scale != Decimal(1)) result = result->times(value.scale);
  if (result && !value.offset.is_zero()) result = result->plus(value.offset);
  return result;
}

// Nothing: the device does not have the value.
std::optional<int> power_of(const Register& value, const Image::Answer& answer) {
  if (!value.scale_register) return 0;
  const auto words = answer.words_at(*value.scale_register, 1);
  if (words.empty() || words.front() == no_scale) return std::nullopt;
  const auto power = static_cast<std::int16_t>(words.front());
  if (power < -largest_scale || power > largest_scale) return std::nullopt;
  return power;
}

std::string text_of(std::span<const std::uint16_t> words, const Register& value) {
  std::string text;
  for (std::uint16_t word : words) {
    if (value.order.swapped_bytes) word = swapped(word);
    if (value.type == Type::string) text += static_cast<char>(word >> 8U);
    text += static_cast<char>(word & 0xFFU);
  }
  text.resize(std::min(text.find('\0'), text.size()));
  return sanitised(text);
}

bool is_text_quantity(Quantity quantity) noexcept {
  return quantity == Quantity::serial || quantity == Quantity::firmware ||
         quantity == Quantity::status || quantity == Quantity::message;
}

Result<std::optional<Understood>> on_or_off(bool on, const Register& value, Understood found) {
  found.item.value = Decimal(on ? 1 : 0);
  found.reading = Reading(value.key, on != value.invert);
  return std::optional(std::move(found));
}

// What a counter has counted from 0 until it begins again, in the reading's unit.
std::optional<Decimal> span_of(const Register& value, int power) {
  auto span = Decimal(value.wraps).times(value.scale);
  if (span) span = span->shifted(power);
  if (!span) return std::nullopt;
  const auto reading = Reading::make(value.key, *span, value.unit);
  const auto* number = reading ? std::get_if<Decimal>(&reading->value) : nullptr;
  return number == nullptr ? std::nullopt : std::optional(*number);
}

Result<std::optional<Understood>> numeric(const Decimal& number, int power, const Register& value,
                                          Understood found) {
  found.item.value = number;
  found.item.unit = symbol(value.unit);
  if (is_text_quantity(value.key.quantity)) {
    found.reading = Reading(value.key, number.str());
    return std::optional(std::move(found));
  }
  auto reading = Reading::make(value.key, number, value.unit);
  if (!reading) return reading.error();
  found.reading = std::move(*reading);
  if (value.wraps != 0) found.reading->wraps = span_of(value, power);
  return std::optional(std::move(found));
}

Result<std::optional<Understood>> from_words(const Register& value, const Image::Answer& answer) {
  Understood found;
  found.item = Item(address_text(value.function, value.address));
  const auto words = answer.words_at(value.address, static_cast<std::uint32_t>(value.length));
  if (is_text(value.type)) {
    std::string text = text_of(words, value);
    if (text.empty()) return std::optional<Understood>();
    found.item.text = text;
    found.reading = Reading(value.key, std::move(text));
    return std::optional(std::move(found));
  }
  if (value.type == Type::boolean) return on_or_off(words.front() != 0, value, std::move(found));
  const std::uint64_t raw = raw_number(words, value.order);
  const std::uint64_t width = mask_of(bits(value.type));
  const bool absent = std::ranges::any_of(
      value.invalid, [&](std::uint64_t pattern) { return (pattern & width) == raw; });
  if (absent) return std::optional<Understood>();
  if (value.bit) {
    found.item.address += "." + std::to_string(*value.bit);
    return on_or_off(((raw >> static_cast<unsigned>(*value.bit)) & 1U) != 0, value,
                     std::move(found));
  }
  const auto power = power_of(value, answer);
  if (!power) return std::optional<Understood>();
  Result<Decimal> number(Decimal{});
  if (is_float(value.type)) {
    auto real = float_number(raw, value.type);
    if (!real) return std::optional<Understood>();
    number = std::move(*real);
  } else {
    number = whole_number(raw, value);
  }
  if (number && value.key.quantity == Quantity::input)
    return on_or_off(!number->is_zero(), value, std::move(found));
  if (number) number = scaled(*number, value, *power);
  if (!number) return number.error();
  return numeric(*number, *power, value, std::move(found));
}

}  // namespace

void Image::add(const ReadRequest& request, std::vector<std::uint16_t> words) {
  Answer& answer = answers_.emplace_back();
  answer.request = request;
  answer.words = std::move(words);
}

std::span<const std::uint16_t> Image::Answer::words_at(std::uint32_t address,
                                                       std::uint32_t count) const noexcept {
  if (address < request.address || address + count > request.address + words.size()) return {};
  return std::span(words).subspan(address - request.address, count);
}

const Image::Answer* Image::find(const Register& value) const noexcept {
  const auto has = [&](const Answer& answer) {
    return static_cast<int>(answer.request.function) == value.function &&
           !answer.words_at(value.address, static_cast<std::uint32_t>(value.length)).empty() &&
           (!value.scale_register || !answer.words_at(*value.scale_register, 1).empty());
  };
  const auto found = std::ranges::find_if(answers_, has);
  return found == answers_.end() ? nullptr : &*found;
}

Result<std::optional<Understood>> understand(const Register& value, const Image& image) {
  const Image::Answer* answer = image.find(value);
  if (answer == nullptr) return std::optional<Understood>();
  auto found = from_words(value, *answer);
  if (found) return found;
  return found.error().within(value.key.text() + " (" +
                              address_text(value.function, value.address) + ")");
}

void put(Telegram& telegram, Understood found) {
  telegram.items.push_back(std::move(found.item));
  MeterReadings& own = telegram.readings.front();
  if (!found.reading || own.find(found.reading->key) != nullptr) return;
  const Reading& reading = own.readings.emplace_back(std::move(*found.reading));
  const auto* text = std::get_if<std::string>(&reading.value);
  if (text == nullptr) return;
  if (reading.key.quantity == Quantity::serial) telegram.meter.serial = *text;
  if (reading.key.quantity == Quantity::firmware) telegram.meter.firmware = *text;
}

void put_totals(Telegram& telegram, std::span<const Register> registers) {
  MeterReadings& own = telegram.readings.front();
  std::map<ReadingKey, std::optional<Decimal>> sums;  // nothing: a tariff is missing
  for (const Register& one : registers) {
    if (one.key.tariff == 0 || !is_cumulative(one.key)) continue;
    const Reading* reading = own.find(one.key);
    const auto* number = reading == nullptr ? nullptr : std::get_if<Decimal>(&reading->value);
    ReadingKey total = one.key;
    total.tariff = 0;
    std::optional<Decimal>& sum = sums.try_emplace(total, Decimal(0)).first->second;
    const auto more = sum && number != nullptr ? sum->plus(*number) : Result<Decimal>(Error());
    sum = more ? std::optional(*more) : std::nullopt;
  }
  for (const auto& [total, sum] : sums) {
    const bool sent = std::ranges::any_of(
        registers, [&key = total](const Register& one) { return one.key == key; });
    if (sum && !sent) own.readings.emplace_back(total, *sum, canonical_unit(total.quantity));
  }
}

std::uint64_t raw_number(std::span<const std::uint16_t> words, const Order& order) {
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint16_t word = words[order.low_word_first ? words.size() - 1 - i : i];
    raw = (raw << 16U) | (order.swapped_bytes ? swapped(word) : word);
  }
  return raw;
}

std::vector<std::uint16_t> raw_words(std::uint64_t raw, int count, const Order& order) {
  std::vector<std::uint16_t> words;
  for (int i = 0; i < count; ++i) {
    const auto word = static_cast<std::uint16_t>(raw & 0xFFFFU);
    words.push_back(order.swapped_bytes ? swapped(word) : word);
    raw >>= 16U;
  }
  if (!order.low_word_first) std::ranges::reverse(words);
  return words;
}

std::string address_text(int function, std::uint32_t address) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text = std::to_string(function) + ":0x";
  for (int shift = 12; shift >= 0; shift -= 4)
    text += digits[(address >> static_cast<unsigned>(shift)) & 0xFU];
  return text;
}

}  // namespace meterbridge::protocol::modbus
