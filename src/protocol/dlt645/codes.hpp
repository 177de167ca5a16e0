// SPDX-License-Identifier: MIT
// The setting `codes`: what the values of a DL/T 645 meter mean. A table is data, from a profile or
// from the configuration.
#pragma once

#include "core/reading.hpp"
#include "core/setting.hpp"
#include "protocol/dlt645/frame.hpp"

#include <span>
#include <vector>

namespace meterbridge::protocol::dlt645 {

enum class Form : std::uint8_t {
  number,
  clock,   // s, min, h, day of the week, day, month, year
  digits,  // a text of digits: the number of the meter
};

// One value of the answer to one code.
struct CodeRow {
  CodeRow() = default;
  std::uint32_t code = 0;
  int part = 1;        // which value of a block, from 1
  bool block = false;  // the answer has several values of the same width
  int bytes = 4;       // of one value
  ReadingKey key;
  Form form = Form::number;
  bool with_sign = false;  // the highest bit is the sign
  Unit unit = Unit::none;
  Decimal scale{1};
  bool once = false;  // does not change
};

using CodeTable = std::vector<CodeRow>;

[[nodiscard]] std::span<const TableSpec> code_tables() noexcept;
// Error: invalid, with row and column.
Result<CodeTable> code_table_from(const SettingValues& settings, Version version);

}  // namespace meterbridge::protocol::dlt645
