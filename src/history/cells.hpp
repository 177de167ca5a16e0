// SPDX-License-Identifier: MIT
// One line as cells, each with the place where it begins; one cell as a reading.
#pragma once

#include "history/reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::history {

struct Cell {
  Cell() = default;
  std::string text;
  std::size_t column = 0;  // counted from 1
  bool null = false;       // SQL
};

// RFC 4180. Error: malformed, for a quotation mark without partner; the place is in `column`.
Result<> split(std::string_view line, char separator, std::vector<Cell>& cells,
               std::size_t& column);

// What a name stands for. Nothing when it is none of ours, or no value.
[[nodiscard]] std::optional<Target> target_of(const Layout& layout, const Options& options,
                                              std::string_view name);

// Nothing when the cell says nothing. Error: malformed, in words.
Result<std::optional<Reading>> reading_of(const Target& target, std::string_view cell,
                                          bool decimal_comma);

}  // namespace meterbridge::history
