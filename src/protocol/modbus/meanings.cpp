// SPDX-License-Identifier: MIT
#include "protocol/modbus/meanings.hpp"

#include "protocol/modbus/columns.hpp"
#include "protocol/modbus/values.hpp"

#include <bit>
#include <charconv>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::array all_types{Type::u16, Type::s16, Type::u32, Type::s32,
                               Type::f32, Type::u64, Type::s64, Type::f64};

template <class Number>
std::string text_of(Number number) {
  std::array<char, 40> text{};
  const auto [end, fault] = std::to_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() ? std::string(text.data(), end) : std::string();
}

std::string text_of(std::uint64_t raw, Type type) {
  switch (type) {
    case Type::s16:
      return text_of(static_cast<std::int16_t>(raw));
    case Type::s32:
      return text_of(static_cast<std::int32_t>(raw));
    case Type::s64:
      return text_of(static_cast<std::int64_t>(raw));
    case Type::f32:
      return text_of(std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
    case Type::f64:
      return text_of(std::bit_cast<double>(raw));
    default:
      return text_of(raw);
  }
}

Order order_at(std::size_t column) {
  Order order;
  order.low_word_first = column == 1 || column == 3;
  order.swapped_bytes = column >= 2;
  return order;
}

}  // namespace

std::vector<Meaning> meanings(std::span<const std::uint16_t> words) {
  std::vector<Meaning> all;
  for (std::size_t first = 0; first < words.size(); ++first) {
    for (const Type type : all_types) {
      Meaning meaning;
      meaning.first = first;
      meaning.count = static_cast<std::size_t>(bits(type)) / 16;
      if (first + meaning.count > words.size()) continue;
      meaning.type = type_names[static_cast<std::size_t>(type)];
      const auto part = words.subspan(first, meaning.count);
      for (std::size_t column = 0; column < meaning.texts.size(); ++column)
        meaning.texts[column] = text_of(raw_number(part, order_at(column)), type);
      all.push_back(std::move(meaning));
    }
  }
  return all;
}

}  // namespace meterbridge::protocol::modbus
