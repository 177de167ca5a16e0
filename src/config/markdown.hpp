// SPDX-License-Identifier: MIT
// For pages that the program writes about itself.
#pragma once

#include <string>
#include <string_view>

namespace meterbridge::config {

// Text as the cell of a table, where it must not mean anything.
[[nodiscard]] inline std::string table_cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace meterbridge::config
