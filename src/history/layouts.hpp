// SPDX-License-Identifier: MIT
// The forms in which files of before lie: one row each, and nothing that looks at a file.
#pragma once

#include "core/reading.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace meterbridge::history {

enum class Form : std::uint8_t {
  table,  // a line a sample, a column a value
  list,   // a line a value: columns for its name and the value
  json,   // `journal export`: an object a line
  lines,  // InfluxDB's line protocol
  dump,   // SQL: INSERT INTO `table` ...
};

// What a value that has a name of its own there is here. No key: a column that is no value.
struct Name {
  std::string_view name;
  std::string_view key;
  std::string_view unit;  // empty: the key's own
};

struct Layout {
  std::string_view name;
  std::string_view about;  // for a person
  Form form = Form::table;
  char separator = ',';
  bool decimal_comma = false;
  bool filled_up = false;        // a database made 18 digits behind the point of each number
  bool utc = false;              // times without a zone are UTC
  std::string_view time = {};    // column
  std::string_view season = {};  // column with S or W
  std::string_view meter = {};   // column; empty = the file does not say it
  std::string_view key = {};     // columns of a list
  std::string_view value = {};
  std::string_view unit = {};
  // Columns by which a header is known to be this one's, beside `time`.
  std::span<const std::string_view> marks = {};
  std::span<const Name> names = {};
  bool ours = false;  // other names are reading keys, and meters have our ids
  // Corrects what is known to be wrong there; true when something of the sample is left.
  bool (*mend)(Sample& sample) = nullptr;
};

[[nodiscard]] std::span<const Layout> layouts();
[[nodiscard]] const Layout* find_layout(std::string_view name);

}  // namespace meterbridge::history
