// SPDX-License-Identifier: MIT
#include "protocol/mercury/values.hpp"

#include <algorithm>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::uint8_t active_reversed = 0x80;
constexpr std::uint8_t reactive_reversed = 0x40;
constexpr std::uint8_t magnitude_bits = 0x3F;

// By parameter, the high half of the byte. Power has its kinds in a table of its own.
constexpr std::array<Form, 8> forms{
    Form{},
    Form{Quantity::voltage, Unit::V, -2, 3, Sign::none, false},
    Form{Quantity::current, Unit::A, -3, 3, Sign::none, false},
    Form{Quantity::power_factor, Unit::none, -3, 3, Sign::active, true},
    Form{Quantity::frequency, Unit::Hz, -2, 3, Sign::none, false},
    Form{Quantity::phase_angle, Unit::degree, -2, 3, Sign::none, false},
    Form{Quantity::thd_voltage, Unit::percent, -2, 2, Sign::none, false},
    Form{Quantity::temperature, Unit::celsius, 0, 2, Sign::none, false},
};
constexpr std::array<Form, 3> powers{
    Form{Quantity::power, Unit::W, -2, 3, Sign::active, true},
    Form{Quantity::reactive_power, Unit::var, -2, 3, Sign::reactive, true},
    Form{Quantity::apparent_power, Unit::VA, -2, 3, Sign::none, true},
};

std::string two_digits(int value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

std::int64_t signed_value(const Form& form, std::int64_t magnitude, std::uint8_t flags) noexcept {
  const bool negative = (form.sign == Sign::active && (flags & active_reversed) != 0) ||
                        (form.sign == Sign::reactive && (flags & reactive_reversed) != 0);
  return negative ? -magnitude : magnitude;
}

}  // namespace

std::optional<Form> form_of(std::uint8_t bwri) noexcept {
  const unsigned parameter = bwri >> 4U;
  const unsigned kind = (bwri >> 2U) & 3U;
  if (parameter == 0) return kind < powers.size() ? std::optional(powers[kind]) : std::nullopt;
  if (parameter >= forms.size() || kind != 0) return std::nullopt;
  // A sum or a mean of these does not exist.
  const bool by_phase = parameter == 5 || parameter == 6;
  const bool alone = parameter == 4 || parameter == 7;
  if ((by_phase && (bwri & 3U) == 0) || (alone && (bwri & 3U) != 0)) return std::nullopt;
  return forms[parameter];
}

std::vector<std::size_t> group_lengths(std::uint8_t bwri, bool snapshot) {
  const auto form = form_of(bwri);
  if (!form || form->width == 2) return {};
  switch (form->quantity) {
    case Quantity::frequency:
      return {3};
    case Quantity::power_factor:
      return {12, 9};  // with the sum, or the phases alone
    case Quantity::power:
    case Quantity::reactive_power:
    case Quantity::apparent_power:
      return {snapshot ? std::size_t{16} : std::size_t{12}};
    default:
      return {9};
  }
}

Phase phase_of(std::uint8_t bwri) noexcept {
  static constexpr std::array between{Phase::none, Phase::l1_l2, Phase::l3_l1, Phase::l2_l3};
  static constexpr std::array single{Phase::none, Phase::l1, Phase::l2, Phase::l3};
  return bwri >> 4U == 5 ? between[bwri & 3U] : single[bwri & 3U];
}

bool is_absent(ByteView bytes) noexcept {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0xFF}; });
}

std::optional<std::int64_t> parse_energy(ByteView four) noexcept {
  if (four.size() != 4 || is_absent(four)) return std::nullopt;
  return std::int64_t{u8(four[1])} << 24 | std::int64_t{u8(four[0])} << 16 |
         std::int64_t{u8(four[3])} << 8 | std::int64_t{u8(four[2])};
}

std::optional<Decimal> parse_value(const Form& form, ByteView bytes) noexcept {
  if (is_absent(bytes)) return std::nullopt;
  if (bytes.size() == 2 && form.quantity == Quantity::temperature) {
    const auto raw = static_cast<std::uint16_t>(u8(bytes[0]) << 8U | u8(bytes[1]));
    return Decimal(static_cast<std::int16_t>(raw), form.exponent);
  }
  if (bytes.size() == 2)
    return Decimal(std::int64_t{u8(bytes[1])} << 8 | u8(bytes[0]), form.exponent);
  if (bytes.size() == 3) {
    const std::int64_t magnitude = std::int64_t{u8(bytes[0]) & magnitude_bits} << 16 |
                                   std::int64_t{u8(bytes[2])} << 8 | u8(bytes[1]);
    return Decimal(signed_value(form, magnitude, u8(bytes[0])), form.exponent);
  }
  if (bytes.size() != 4) return std::nullopt;
  const std::int64_t magnitude = std::int64_t{u8(bytes[1]) & magnitude_bits} << 24 |
                                 std::int64_t{u8(bytes[0])} << 16 |
                                 std::int64_t{u8(bytes[3])} << 8 | std::int64_t{u8(bytes[2])};
  return Decimal(signed_value(form, magnitude, u8(bytes[1])), form.exponent);
}

Result<Ratios> parse_ratios(ByteView four) {
  ByteReader reader(four);
  const auto voltage = reader.big(2);
  const auto current = reader.big(2);
  constexpr std::uint64_t none = 0xFFFF;
  if (!voltage || !current || *voltage == 0 || *current == 0 || *voltage == none ||
      *current == none)
    return Error(Errc::malformed, "impossible transformer ratios: " + to_hex_upper(four));
  Ratios ratios;
  ratios.voltage = static_cast<std::int64_t>(*voltage);
  ratios.current = static_cast<std::int64_t>(*current);
  return ratios;
}

Decimal factor_of(Quantity quantity, const Ratios& ratios) noexcept {
  switch (quantity) {
    case Quantity::energy:
    case Quantity::reactive_energy:
    case Quantity::power:
    case Quantity::reactive_power:
    case Quantity::apparent_power:
      return Decimal(ratios.voltage * ratios.current);
    case Quantity::voltage:
      return Decimal(ratios.voltage);
    case Quantity::current:
      return Decimal(ratios.current);
    default:
      return Decimal(1);
  }
}

Result<Serial> parse_serial(ByteView seven) {
  Serial serial;
  for (const std::byte pair : seven.first(std::min<std::size_t>(4, seven.size()))) {
    if (u8(pair) > 99)
      return Error(Errc::malformed, "a serial number that is not decimal: " + to_hex_upper(seven));
    serial.number += two_digits(u8(pair));
  }
  if (seven.size() != 7) return Error(Errc::malformed, "a serial number of the wrong length");
  const auto made = LocalTime::make(2000 + u8(seven[6]), u8(seven[5]), u8(seven[4]), 0, 0, 0);
  serial.made = made ? iso_local(*made).substr(0, 10) : to_hex_upper(seven.subspan(4));
  return serial;
}

Result<std::string> parse_version(ByteView three) {
  ByteReader reader(three);
  const auto major = reader.bcd();
  const auto minor = major ? reader.bcd() : std::nullopt;
  const auto build = minor ? reader.bcd() : std::nullopt;
  if (!build) return Error(Errc::malformed, "a version that is no BCD: " + to_hex_upper(three));
  return std::to_string(*major) + "." + two_digits(*minor) + "." + two_digits(*build);
}

Result<Clock> parse_clock(ByteView eight) {
  std::array<int, 8> part{};  // s, min, h, weekday, day, month, year, 1 = winter
  ByteReader reader(eight);
  for (int& p : part) {
    const auto digits = reader.bcd();
    if (!digits) return Error(Errc::malformed, "a date that is no BCD: " + to_hex_upper(eight));
    p = *digits;
  }
  const auto local = LocalTime::make(2000 + part[6], part[5], part[4], part[2], part[1], part[0]);
  if (!local) return local.error();
  Clock clock;
  clock.local = *local;
  clock.season = part[7] == 0 ? Season::summer : Season::winter;
  return clock;
}

}  // namespace meterbridge::protocol::mercury
