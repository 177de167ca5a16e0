// SPDX-License-Identifier: MIT
// The register table of a Modbus meter: what each register means. A table is data: it comes from a
// profile, from the user's configuration (`registers:` of a meter), or from both.
#pragma once

#include "core/reading.hpp"
#include "core/setting.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace meterbridge::protocol::modbus {

enum class Type : std::uint8_t {
  boolean,  // a coil, a discrete input, or one bit of a register
  u16,
  s16,
  u32,
  s32,
  u64,
  s64,
  f32,
  f64,
  string,   // two characters a register
  string8,  // one character a register, in its low byte
};

// How a value of several registers lies on the wire. Within a register the high byte comes first
// unless the bytes are swapped.
struct Order {
  bool low_word_first = false;  // CDAB, DCBA: of 64 bits all four words are reversed
  bool swapped_bytes = false;   // BADC, DCBA
  friend bool operator==(const Order&, const Order&) = default;
};

struct Register {
  Register() = default;
  ReadingKey key;
  int function = 3;           // 1 coils, 2 discrete inputs, 3 holding, 4 input registers
  std::uint16_t address = 0;  // on the wire, from 0; in a SunSpec model counted from its id
  std::optional<std::uint16_t>
      model;  // SunSpec: the register lies in this model, found by discovery
  Type type = Type::u16;
  Order order;
  int length = 1;  // registers (functions 3, 4) or bits (1, 2) that the value takes on the wire

  // From the raw number to the value, in this order: invalid, bit or mask, invert, scale register,
  // scale, offset.
  std::vector<std::uint64_t> invalid;  // raw numbers that mean "no value"; NaN always does
  std::optional<int> bit;              // of the raw number, 0 = the lowest: on or off
  std::uint64_t mask = 0;              // 0 = none; what it leaves is shifted down to its lowest bit
  bool invert = false;                 // of a bit
  // A signed power of ten in a register of the same function (and model) that multiplies too, s16,
  // 0x8000 = no value. It must come from the same answer as the value.
  std::optional<std::uint16_t> scale_register;
  // The raw number at which a counter begins again with 0; 0 = it does not.
  std::int64_t wraps = 0;
  Decimal scale{1};
  Decimal offset{0};
  Unit unit = Unit::none;  // of the value; the reading is converted to the key's unit

  bool once = false;   // never changes while the meter runs (its serial number): ask until known
  bool alone = false;  // the meter answers it only when nothing else is asked with it

  // One past the last register of the value itself; 32 bits, for it may be 0x10000.
  [[nodiscard]] std::uint32_t end() const noexcept {
    return std::uint32_t{address} + static_cast<std::uint32_t>(length);
  }

  // Decimals by value: 1.50 is 1.5 here.
  friend bool operator==(const Register&, const Register&) = default;
};

// What the planner must know, besides the registers.
struct RegisterTable {
  RegisterTable() = default;
  std::vector<Register> registers;  // in the order of the table
  int max_registers = 60;           // longest read of functions 3 and 4
  int max_gap = 10;                 // registers that are read along to join two values; 0 = none
  std::vector<std::uint16_t> sunspec_bases;  // where to look for "SunS", in this order

  friend bool operator==(const RegisterTable&, const RegisterTable&) = default;
};

// Columns and checks of `registers`, for the protocol's entry.
[[nodiscard]] const TableSpec& register_table_spec() noexcept;
// The settings below of the protocol that say what a row leaves out, and how to read blocks:
// function, order, invalid, max_registers, max_gap, sunspec_bases.
[[nodiscard]] std::span<const SettingSpec> table_setting_specs() noexcept;

// The table of a meter from its settings and rows. Error: invalid, naming the row by its key (the
// configuration was checked by `register_table_spec().check` before and got all of them, with
// places).
Result<RegisterTable> register_table(const SettingValues& settings);

[[nodiscard]] constexpr bool is_text(Type type) noexcept {
  return type == Type::string || type == Type::string8;
}

[[nodiscard]] constexpr bool is_float(Type type) noexcept {
  return type == Type::f32 || type == Type::f64;
}

// Bits of a number: 16, 32 or 64; 1 for boolean; 0 for text.
[[nodiscard]] constexpr int bits(Type type) noexcept {
  constexpr std::array<int, 11> widths{1, 16, 16, 32, 32, 64, 64, 32, 64, 0, 0};
  return widths[static_cast<std::size_t>(type)];
}

}  // namespace meterbridge::protocol::modbus
