// SPDX-License-Identifier: MIT
// Which value of a document is which reading: the table `fields` of a profile or of a meter.
#pragma once

#include "core/reading.hpp"
#include "core/setting.hpp"
#include "protocol/json/text.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {

// How a value that is no plain number is written.
enum class Format : std::uint8_t {
  plain,
  dsmr,          // 230724150730S: local time of Central Europe with its season
  iso,           // 2023-07-24T15:07:30Z, +02:00, or local time without either
  unix_seconds,  // seconds since 1970
  unix_ms,       // milliseconds since 1970
  hex,           // text as pairs of hex digits
};

struct Field {
  Field() = default;
  std::string pointer;  // empty: the payload is the value
  std::string id;       // of one of several meters; empty: of any
  std::string topic;    // last levels of the topic that it comes on; empty: any
  ReadingKey key;
  Unit unit = Unit::none;  // as sent
  Decimal scale{1};
  std::string minus;  // pointer of a number to be subtracted
  bool sum = false;   // of a list, the sum of its numbers
  Format format = Format::plain;
  std::vector<std::string> invalid;  // values that mean "none"
};

[[nodiscard]] const TableSpec& field_table() noexcept;
// The rows passed the table's check.
[[nodiscard]] std::vector<Field> read_fields(const SettingValues& settings);

// Whether a message on this topic may hold the field.
[[nodiscard]] bool belongs(const Field& field, std::string_view topic) noexcept;

// The reading of a field, or why there is none: an empty sentence when the value is absent.
struct FieldValue {
  std::optional<Reading> reading;
  std::string fault;
};

// Whether the document has what the field points to, with a value or without.
[[nodiscard]] bool is_there(const Field& field, std::span<const Leaf> leaves) noexcept;
[[nodiscard]] FieldValue value_of(const Field& field, std::span<const Leaf> leaves);

}  // namespace meterbridge::protocol::json
