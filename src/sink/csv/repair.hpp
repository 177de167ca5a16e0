// SPDX-License-Identifier: MIT
// Files as a crash left them.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace meterbridge::sink::csv {

using Log = std::function<void(bool warning, const std::string&)>;

// Of a file's end: more than can be written between two moments that are remembered.
inline constexpr std::size_t tail_size = std::size_t{256} * 1024;

// The last bytes of a file, and its first line; errors: io, in words. No line is an empty one.
Result<std::string> read_end(const std::string& path, std::size_t most);
Result<std::string> first_line(const std::string& path);
// Cuts off what was written half. In a folder: of its newest files, because no other was open.
Result<> repair_file(const std::string& path, const Log& log);
Result<> repair_folder(const std::string& folder, const Log& log);

}  // namespace meterbridge::sink::csv
