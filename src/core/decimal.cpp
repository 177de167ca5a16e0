// SPDX-License-Identifier: MIT
#include "core/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace meterbridge {
namespace {

// 64 bits only: routers with 32-bit processors have no __int128.
std::optional<std::int64_t> scaled(std::int64_t digits, int power) noexcept {
  if (digits == 0) return 0;
  for (; power > 0; --power) {
    if (__builtin_mul_overflow(digits, std::int64_t{10}, &digits)) return std::nullopt;
  }
  return digits;
}

// A power of ten within 0..18 always fits.
std::int64_t ten_to(int power) noexcept {
  std::int64_t result = 1;
  for (; power > 0; --power)
    result *= 10;
  return result;
}

Error too_large() {
  return {Errc::malformed, "the number has more digits than can be kept exactly"};
}

Error no_number(std::string_view text) {
  constexpr std::size_t shown = 40;
  return {Errc::malformed, "'" + std::string(text.substr(0, shown)) + "' is no decimal number"};
}

// Brings an exponent that left the allowed range back into it, without changing the value.
Result<Decimal> fitted(std::int64_t digits, int exponent) {
  if (digits == 0) {
    return Decimal(0, std::clamp(exponent, -Decimal::max_exponent, Decimal::max_exponent));
  }
  while (exponent < -Decimal::max_exponent && digits % 10 == 0) {
    digits /= 10;
    ++exponent;
  }
  if (exponent < -Decimal::max_exponent) return too_large();
  if (exponent > Decimal::max_exponent) {
    const auto more = scaled(digits, exponent - Decimal::max_exponent);
    if (!more) return too_large();
    return Decimal(*more, Decimal::max_exponent);
  }
  return Decimal(digits, exponent);
}

// Quotient of a division by 10^power, half away from zero; power may be larger than any number has
// digits.
std::int64_t divided(std::int64_t digits, int power) noexcept {
  if (power > Decimal::max_exponent) {
    // Of 64-bit numbers, those from half of 10^19 on still round to one; 10^20 is out of reach of
    // all.
    if (power > Decimal::max_exponent + 1) return 0;
    constexpr std::int64_t half = 5'000'000'000'000'000'000;
    if (digits >= half) return 1;
    return digits <= -half ? -1 : 0;
  }
  const std::int64_t divisor = ten_to(power);
  const std::int64_t quotient = digits / divisor;
  const std::int64_t rest = digits % divisor;
  if (rest >= divisor - rest) return quotient + 1;
  if (-rest >= divisor + rest) return quotient - 1;
  return quotient;
}

template <class Float>
Result<Decimal> from_float(Float value) {
  if (!std::isfinite(value))
    return Error{Errc::malformed, "the meter sent no number (NaN or infinity)"};
  std::array<char, 32> buffer{};
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(printed.ptr - buffer.data()));

  const auto mark = text.find('e');
  const auto mantissa = Decimal::parse(text.substr(0, mark));
  if (!mantissa) return mantissa.error();
  std::string_view power_text = text.substr(mark + 1);
  if (power_text.front() == '+') power_text.remove_prefix(1);
  int power = 0;
  std::from_chars(power_text.data(), power_text.data() + power_text.size(), power);

  const int exponent = mantissa->exponent() + power;
  // Floats near zero are noise of the meter's arithmetic, no errors: they end at the last digit we
  // keep.
  if (exponent < -Decimal::max_exponent) {
    return Decimal(divided(mantissa->digits(), -Decimal::max_exponent - exponent),
                   -Decimal::max_exponent);
  }
  return fitted(mantissa->digits(), exponent);
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative || (!rest.empty() && rest.front() == '+')) rest.remove_prefix(1);

  // Counted downwards, because the smallest number has no positive counterpart.
  std::int64_t digits = 0;
  int exponent = 0;
  bool point = false;
  bool any = false;
  bool full = false;
  for (const char c : rest) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') return no_number(text);
    any = true;
    std::int64_t longer = 0;
    const bool fits = !__builtin_mul_overflow(digits, std::int64_t{10}, &longer) &&
                      !__builtin_sub_overflow(longer, std::int64_t{c - '0'}, &longer) &&
                      !(point && exponent == -max_exponent);
    if (!fits) {
      // Databases fill a column up with zeros: 306.000000000000000000. Those are no digits of
      // anybody; what fits of them stays.
      if (!point || c != '0') return too_large();
      full = true;
      continue;
    }
    // A digit behind zeros that did not fit.
    if (full) return too_large();
    digits = longer;
    if (point) --exponent;
  }
  if (!any) return no_number(text);
  if (!negative && __builtin_sub_overflow(std::int64_t{0}, digits, &digits)) return too_large();
  return Decimal(digits, exponent);
}

Result<Decimal> Decimal::from_float32(float value) {
  return from_float(value);
}

Result<Decimal> Decimal::from_float64(double value) {
  return from_float(value);
}

std::string Decimal::str() const {
  if (digits_ == 0 && exponent_ >= 0) return "0";
  constexpr std::size_t most = 20;  // sign and digits of 64 bits
  std::array<char, most> digits{};
  const auto printed = std::to_chars(digits.data(), digits.data() + digits.size(), digits_);
  std::string_view left(digits.data(), static_cast<std::size_t>(printed.ptr - digits.data()));
  std::string text;
  if (digits_ < 0) {
    text += '-';
    left.remove_prefix(1);
  }
  if (exponent_ >= 0) {
    text += left;
    text.append(static_cast<std::size_t>(exponent_), '0');
    return text;
  }
  const auto behind = static_cast<std::size_t>(-exponent_);
  if (left.size() > behind) {
    text += left.substr(0, left.size() - behind);
    left.remove_prefix(left.size() - behind);
  } else {
    text += '0';
  }
  text += '.';
  text.append(behind - left.size(), '0');
  text += left;
  return text;
}

Result<Decimal> Decimal::shifted(int power) const {
  constexpr int sane = 1000;
  if (power > sane || power < -sane) return too_large();
  return fitted(digits_, exponent_ + power);
}

Result<Decimal> Decimal::plus(const Decimal& other) const {
  const int finer = std::min(exponent(), other.exponent());
  const auto a = scaled(digits_, exponent_ - finer);
  const auto b = scaled(other.digits_, other.exponent_ - finer);
  std::int64_t sum = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &sum)) return too_large();
  return Decimal(sum, finer);
}

Result<Decimal> Decimal::minus(const Decimal& other) const {
  const int finer = std::min(exponent(), other.exponent());
  const auto a = scaled(digits_, exponent_ - finer);
  const auto b = scaled(other.digits_, other.exponent_ - finer);
  std::int64_t difference = 0;
  if (!a || !b || __builtin_sub_overflow(*a, *b, &difference)) return too_large();
  return Decimal(difference, finer);
}

Result<Decimal> Decimal::times(const Decimal& other) const {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(digits_, other.digits_, &product)) return too_large();
  return fitted(product, exponent_ + other.exponent_);
}

Result<Decimal> Decimal::rounded(int precision) const {
  if (precision < 0 || precision > max_exponent) {
    return Error{Errc::malformed,
                 "a precision is 0 to " + std::to_string(max_exponent) + " digits"};
  }
  const int surplus = -precision - exponent_;
  if (surplus > 0) return Decimal(divided(digits_, surplus), -precision);
  const auto digits = scaled(digits_, -surplus);
  if (!digits) return too_large();
  return Decimal(*digits, -precision);
}

double Decimal::approximate() const noexcept {
  const auto digits = static_cast<double>(digits_);
  // Both operands are exact where it matters, so the result is the nearest double.
  if (exponent_ < 0) return digits / static_cast<double>(ten_to(-exponent_));
  return digits * static_cast<double>(ten_to(exponent_));
}

int Decimal::compare(const Decimal& a, const Decimal& b) noexcept {
  const auto order = [](std::int64_t x, std::int64_t y) { return x < y ? -1 : (x > y ? 1 : 0); };
  const int sign_a = order(a.digits_, 0);
  const int sign_b = order(b.digits_, 0);
  if (sign_a != sign_b || sign_a == 0) return order(sign_a, sign_b);

  const int exponent = std::min(a.exponent(), b.exponent());
  const auto x = scaled(a.digits_, a.exponent_ - exponent);
  const auto y = scaled(b.digits_, b.exponent_ - exponent);
  // One of them needs no scaling; the other one is larger than any 64-bit number then.
  if (!x) return sign_a;
  if (!y) return -sign_a;
  return order(*x, *y);
}

}  // namespace meterbridge
