// SPDX-License-Identifier: MIT
// What the OBIS codes of electricity meters mean for us, the same in P1, IEC 62056-21, SML and
// DLMS.
#pragma once

#include "core/obis.hpp"
#include "core/reading_key.hpp"

#include <cstdint>
#include <optional>

namespace meterbridge::protocol {

// How the content of an object becomes the value of a reading.
enum class ObisForm : std::uint8_t {
  number,   // as it stands, `usual` where the meter sends no unit
  ratio,    // a number that means something between -1 and 1 only (power factor)
  limit,    // a number whose unit decides the key: see limit_key()
  tariff,   // the last run of digits of "0002", "TARIFF 1"
  breaker,  // ON / 1 / 0001 or OFF / 0
  text,
  clock,
};

struct ObisMeaning {
  ReadingKey key;
  Unit usual = Unit::none;
  ObisForm form = ObisForm::number;
};

// Nothing for codes that give no reading (lists, failures, other meters behind this one, older
// billing periods: F other than 255).
[[nodiscard]] std::optional<ObisMeaning> meaning_of(const Obis& code) noexcept;
// True for objects that are numbers even when they come without a unit.
[[nodiscard]] bool is_number(const Obis& code) noexcept;
// The same for a caller that has asked for the meaning already.
[[nodiscard]] bool is_number(const Obis& code, const std::optional<ObisMeaning>& meaning) noexcept;
// The limiter 0-0:17.0.0 counts power, apparent power or current. Nothing for other units.
[[nodiscard]] std::optional<ReadingKey> limit_key(Unit unit) noexcept;

}  // namespace meterbridge::protocol
