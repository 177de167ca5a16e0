// SPDX-License-Identifier: MIT
// What becomes of a sample in a file: pure, but for the process zone.
#pragma once

#include "journal/journal.hpp"
#include "sink/csv/options.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::sink::csv {

// One line before it is known which columns its file has.
struct Row {
  Row() = default;
  journal::Sequence sequence = 0;
  std::string folder;             // below the directory; empty = the directory itself
  std::string stem;               // "2026-11-20", "2026-11"
  std::string extension;          // ".csv", ".txt"
  std::string header;             // of the cells that are always there; empty = the file has none
  std::string head;               // these cells
  std::vector<std::string> keys;  // of the columns behind them, in the order of all reading keys
  std::vector<std::string> cells;
};

// No rows for a sample that says nothing, or none of the layout's.
[[nodiscard]] std::vector<Row> rows_of(Layout layout, const journal::Entry& entry);

// RFC 4180. Line breaks become blanks: a sample is one line.
[[nodiscard]] std::string in_quotes(std::string_view cell);
// The columns of a header line.
[[nodiscard]] std::vector<std::string> columns_of(std::string_view header);

// "2026-03-29T02:59:59.000+01:00": the process zone's wall clock and how far it is from UTC.
[[nodiscard]] std::string local_with_offset(Instant instant);

// A member of a JSON object as it stands there, quotation marks included; nothing when it is absent
// or the text is no object.
[[nodiscard]] std::optional<std::string_view> member_of(std::string_view object,
                                                        std::string_view name);
// okosmero's files: the lines for the .csv and the .txt.
[[nodiscard]] std::vector<Row> okosmero_rows(const journal::Entry& entry);

}  // namespace meterbridge::sink::csv
