// SPDX-License-Identifier: MIT
// Short makers for the tables of models.
#pragma once

#include "protocol/dlms/models.hpp"

namespace meterbridge::protocol::dlms {

inline constexpr std::uint8_t watt = 27;
inline constexpr std::uint8_t var = 29;
inline constexpr std::uint8_t watt_hour = 30;
inline constexpr std::uint8_t var_hour = 32;
inline constexpr std::uint8_t ampere = 33;
inline constexpr std::uint8_t volt = 35;
inline constexpr std::uint8_t hertz = 44;
inline constexpr Obis number_code{0, 0, 96, 1, 0};
inline constexpr Obis type_code{0, 0, 96, 1, 7};
inline constexpr Obis clock_code{0, 0, 1, 0, 0};
inline constexpr Obis norway_version{1, 1, 0, 2, 129};

// Registers of electricity: C, D and E of their code.
constexpr Field power(std::uint8_t c, What what, std::uint8_t b = 0) {
  const bool active = c % 20 == 1 || c % 20 == 2;
  return {Obis{1, b, c, 7, 0}, what, Tag::uint32, 0, active ? watt : var};
}

constexpr Field energy(std::uint8_t c, What what, std::int8_t scaler = 0, std::uint8_t b = 0,
                       std::uint8_t tariff = 0) {
  return {Obis{1, b, c, 8, tariff}, what, Tag::uint32, scaler, c <= 2 ? watt_hour : var_hour};
}

constexpr Field voltage(std::uint8_t c, What what, std::int8_t scaler = -1, Tag tag = Tag::uint16,
                        std::uint8_t b = 0) {
  return {Obis{1, b, c, 7, 0}, what, tag, scaler, volt};
}

constexpr Field current(std::uint8_t c, What what, std::int8_t scaler, Tag tag,
                        std::uint8_t b = 0) {
  return {Obis{1, b, c, 7, 0}, what, tag, scaler, ampere};
}

constexpr Field text(const Obis& code, What what, Tag tag = Tag::octets) {
  return {code, what, tag, 0, 255};
}

}  // namespace meterbridge::protocol::dlms
