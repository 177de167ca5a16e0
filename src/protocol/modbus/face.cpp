// SPDX-License-Identifier: MIT
#include "protocol/modbus/face.hpp"

#include <algorithm>
#include <bit>

namespace meterbridge::protocol::modbus {
namespace {

// Decimals do not overflow with the numbers of a house; where they would, zero shows it.
Decimal or_zero(const Result<Decimal>& number) {
  return number ? *number : Decimal(0);
}

std::uint64_t magnitude(std::int64_t number) noexcept {
  const auto raw = static_cast<std::uint64_t>(number);
  return number < 0 ? 0 - raw : raw;
}

// Whole `step`s in a value, towards zero; by long division, as 32-bit processors have no 128 bits.
std::int64_t steps_in(const Decimal& value, const Decimal& step) {
  constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
  std::uint64_t rest = magnitude(value.digits());
  std::uint64_t size = magnitude(step.digits());
  if (rest == 0 || size == 0) return 0;
  for (int i = value.exponent(); i < step.exponent(); ++i) {
    if (size > most / 10) return 0;
    size *= 10;
  }
  for (; size > UINT64_MAX / 10; size /= 10)
    rest /= 10;
  std::uint64_t steps = rest / size;
  for (int i = step.exponent(); i < value.exponent() && steps <= most; ++i) {
    rest = rest % size * 10;
    steps = steps > most / 10 ? most + 1 : steps * 10 + rest / size;
  }
  const auto fitting = static_cast<std::int64_t>(std::min(steps, most));
  return (value.digits() < 0) != (step.digits() < 0) ? -fitting : fitting;
}

std::uint64_t fitted(std::int64_t number, Type type) {
  const auto width = static_cast<unsigned>(bits(type));
  const bool is_signed = type == Type::s16 || type == Type::s32 || type == Type::s64;
  const std::int64_t most = is_signed ? INT64_MAX >> (64 - width)
                                      : (width >= 63 ? INT64_MAX : (std::int64_t{1} << width) - 1);
  const std::int64_t least = is_signed ? -most : 0;
  const auto raw = static_cast<std::uint64_t>(std::clamp(number, least, most));
  return width >= 64 ? raw : raw & ((std::uint64_t{1} << width) - 1);
}

}  // namespace

std::string shown_text(const ReadingKey& key, int unit) {
  switch (key.quantity) {
    case Quantity::serial:
      return "SIM" + std::to_string(100000 + unit);
    case Quantity::firmware:
      return "1.02";
    default:
      return "simulated";
  }
}

int shown_power(Quantity quantity) noexcept {
  switch (quantity) {
    case Quantity::voltage:
    case Quantity::dc_voltage:
    case Quantity::temperature:
      return -1;
    case Quantity::current:
    case Quantity::dc_current:
    case Quantity::frequency:
    case Quantity::power_factor:
      return -2;
    default:
      return 0;
  }
}

std::uint64_t raw_of(const Register& value, const Decimal& number) {
  const Decimal moved = or_zero(number.minus(value.offset));
  Decimal scale = value.scale;
  if (value.scale_register) scale = or_zero(scale.shifted(shown_power(value.key.quantity)));
  if (value.type == Type::f32)
    return std::bit_cast<std::uint32_t>(
        static_cast<float>(moved.approximate() / scale.approximate()));
  if (value.type == Type::f64)
    return std::bit_cast<std::uint64_t>(moved.approximate() / scale.approximate());
  std::int64_t steps = steps_in(moved, scale);
  if (value.wraps != 0) steps %= value.wraps;
  if (value.mask == 0) return fitted(steps, value.type);
  return (static_cast<std::uint64_t>(steps)
          << static_cast<unsigned>(std::countr_zero(value.mask))) &
         value.mask;
}

}  // namespace meterbridge::protocol::modbus
