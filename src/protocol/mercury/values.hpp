// SPDX-License-Identifier: MIT
// Number formats of the 23x protocol, and the table of its instantaneous values.
#pragma once

#include "core/bytes.hpp"
#include "core/reading.hpp"
#include "core/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::mercury {

// Which bit of a value says that it is negative.
enum class Sign : std::uint8_t { none, active, reactive };

// A value is named by a byte: parameter (bits 7..4), kind of power (3..2), phase (1..0, 0 = sum).
struct Form {
  Quantity quantity = Quantity::power;
  Unit unit = Unit::none;
  int exponent = 0;
  std::size_t width = 3;  // bytes of the answer to 08 11
  Sign sign = Sign::none;
  bool summed = false;  // groups have a sum in front of the phases
};

[[nodiscard]] std::optional<Form> form_of(std::uint8_t bwri) noexcept;
// Of the answers to 08 16 (08 14: snapshot), the longest first.
[[nodiscard]] std::vector<std::size_t> group_lengths(std::uint8_t bwri, bool snapshot);
// Of a value within a group: 0816:11 is followed by 12 and 13.
[[nodiscard]] Phase phase_of(std::uint8_t bwri) noexcept;

// FF in every byte: the meter has no such value. Asked before anything is masked.
[[nodiscard]] bool is_absent(ByteView bytes) noexcept;

// b0 b1 b2 b3 = b1, b0, b3, b2 from the highest on.
[[nodiscard]] std::optional<std::int64_t> parse_energy(ByteView four) noexcept;
// 2 bytes (distortion: low first, temperature: high first), 3 bytes (order 1-3-2) or 4 bytes (order
// 2-1-4-3), the top two bits of the last two are directions of active and reactive power. Nothing
// when absent.
[[nodiscard]] std::optional<Decimal> parse_value(const Form& form, ByteView bytes) noexcept;

// Values of the current and voltage transformers in front of the meter.
struct Ratios {
  std::int64_t voltage = 1;
  std::int64_t current = 1;
};

// Error: malformed for transformers that cannot be.
Result<Ratios> parse_ratios(ByteView four);
[[nodiscard]] Decimal factor_of(Quantity quantity, const Ratios& ratios) noexcept;

struct Serial {
  Serial() = default;
  std::string number;  // eight digits
  std::string made;    // 2020-06-22, or what was sent instead in hex
};

// Error: malformed where a byte has no two decimal digits.
Result<Serial> parse_serial(ByteView seven);
// "9.00.01". Error: malformed.
Result<std::string> parse_version(ByteView three);

struct Clock {
  Clock() = default;
  LocalTime local;
  Season season = Season::winter;
};

// Error: malformed for impossible times.
Result<Clock> parse_clock(ByteView eight);

}  // namespace meterbridge::protocol::mercury
