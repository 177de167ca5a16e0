// SPDX-License-Identifier: MIT
// What becomes of files whose day or month is over.
#pragma once

#include "sink/csv/options.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace meterbridge::sink::csv {

// Compresses and deletes as the options say; `open` are paths that still grow. Blocks.
void tidy(const Options& options, const std::set<std::string>& open,
          const std::function<void(bool warning, const std::string&)>& log);

// The day or month in the name of one of our files ("2026-11-20-2.csv.gz"), or nothing.
[[nodiscard]] std::optional<std::string> stem_of(std::string_view name, Layout layout);
// PATH becomes PATH.gz, whole or not at all. Error: io, in words.
Result<> compress(const std::string& path);
// Each whole line of a file, a compressed one too. Error: io, in words.
Result<> for_each_line(const std::string& path, const std::function<void(std::string_view)>& take);

}  // namespace meterbridge::sink::csv
