// SPDX-License-Identifier: MIT
// What is wrong with a text before it has a structure, in words that name the cause.
#pragma once

#include "config/document.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::config {

// The text without byte order mark and with \n as the only line end. Too large, no UTF-8 or control
// characters: a problem, and nothing.
std::optional<std::string> clean_text(std::string_view text, const std::string& file_name,
                                      Problems& problems);

// Where and why the YAML parser gave up.
struct SyntaxBreak {
  Place place;                  // line 0 = it did not say
  std::string message;          // the parser's
  std::optional<Place> inside;  // start of the innermost list or map that was open
  Kind inside_kind = Kind::null;
  bool inside_flow = false;
};

void report_break(const SyntaxBreak& broken, std::string_view text, Problems& problems);

}  // namespace meterbridge::config
