// SPDX-License-Identifier: MIT
// Numbers with exactly the digits the meter sent. No double on the way from wire to output.
#pragma once

#include "core/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge {

// digits x 10^exponent. 173.640 keeps its last zero: digits 173640, exponent -3.
// Every operation that could overflow returns a Result (Errc::malformed).
class Decimal {
 public:
  static constexpr int max_exponent = 18;

  constexpr Decimal() = default;

  // The caller keeps exponent within -max_exponent..max_exponent.
  constexpr explicit Decimal(std::int64_t digits, int exponent = 0)
      : digits_(digits), exponent_(static_cast<std::int8_t>(exponent)) {}

  // Optional sign, digits, perhaps a point and digits ("000173.640", "-1.000", ".5", "5."), one at
  // least; no exponent, no blanks. Zeros at its end that do not fit go. Error: malformed.
  static Result<Decimal> parse(std::string_view text);
  // The shortest decimal text that reads back as the same float32. Error: malformed for NaN and
  // infinity.
  static Result<Decimal> from_float32(float value);
  // The same for a float64: up to 17 digits.
  static Result<Decimal> from_float64(double value);

  [[nodiscard]] std::int64_t digits() const noexcept { return digits_; }

  [[nodiscard]] int exponent() const noexcept { return exponent_; }

  // Digits behind the point when printed: 3 for 173.640, 0 for 12 x 10^2.
  [[nodiscard]] int precision() const noexcept { return exponent_ < 0 ? -exponent_ : 0; }

  [[nodiscard]] bool is_zero() const noexcept { return digits_ == 0; }

  [[nodiscard]] bool is_negative() const noexcept { return digits_ < 0; }

  // "173.640", "-0.5", "1200"; a valid JSON number, never an exponent, never "-0".
  [[nodiscard]] std::string str() const;

  // x 10^power: moves the point, changes no digit.
  [[nodiscard]] Result<Decimal> shifted(int power) const;
  [[nodiscard]] Result<Decimal> plus(const Decimal& other) const;  // the finer of both precisions
  [[nodiscard]] Result<Decimal> minus(const Decimal& other) const;
  [[nodiscard]] Result<Decimal> times(const Decimal& other) const;
  // Nearest value with exactly that many digits behind the point (half away from zero).
  [[nodiscard]] Result<Decimal> rounded(int precision) const;
  // For load models, statistics and comparison with limits only, never for output of a reading.
  [[nodiscard]] double approximate() const noexcept;

  // By numeric value: 1.50 == 1.5.
  friend bool operator==(const Decimal& a, const Decimal& b) noexcept { return compare(a, b) == 0; }

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept {
    return compare(a, b) <=> 0;
  }

 private:
  static int compare(const Decimal& a, const Decimal& b) noexcept;

  std::int64_t digits_ = 0;
  std::int8_t exponent_ = 0;
};

}  // namespace meterbridge
