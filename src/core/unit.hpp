// SPDX-License-Identifier: MIT
// Units of measurement: one table of symbol, dimension and power of ten.
#pragma once

#include "core/decimal.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace meterbridge {

// The units' own spelling, in which the case of a letter has a meaning.
// NOLINTBEGIN(readability-identifier-naming)
enum class Unit : std::uint8_t {
  none,
  Wh,
  kWh,
  MWh,
  varh,
  kvarh,
  Mvarh,
  VAh,
  kVAh,
  MVAh,
  J,
  MJ,
  GJ,
  W,
  kW,
  MW,
  var,
  kvar,
  VA,
  kVA,
  V,
  mV,
  kV,
  A,
  mA,
  kA,
  Hz,
  kHz,
  percent,
  degree,
  celsius,
  m3,
  dm3,
  litre,
  m3_per_h,
  second,
  minute,
  hour,
};
// NOLINTEND(readability-identifier-naming)

enum class Dimension : std::uint8_t {
  none,
  active_energy,
  reactive_energy,
  apparent_energy,
  heat,
  active_power,
  reactive_power,
  apparent_power,
  voltage,
  current,
  frequency,
  ratio,
  angle,
  temperature,
  volume,
  flow,
  time,
};

// As Home Assistant spells it: "kWh", "kvarh", "m³", "°C", "°"; empty for none.
[[nodiscard]] std::string_view symbol(Unit unit) noexcept;
[[nodiscard]] Dimension dimension(Unit unit) noexcept;
// Without regard to case where that is unambiguous ("kVArh", "KWH"); "m3" and "m³"; nothing when
// unknown.
[[nodiscard]] std::optional<Unit> unit_from(std::string_view text) noexcept;
// As a user may write one: any of these, or a text of his own ("bar", "rpm"), which is a unit of no
// dimension from then on; the same text gives the same unit. At most 100 texts in a process. Error:
// invalid.
Result<Unit> unit_of_user(std::string_view text);
// Exact: moves the point only. Error: malformed (other dimension, or the factor is no power of
// ten).
Result<Decimal> convert(const Decimal& value, Unit from, Unit to);

}  // namespace meterbridge
