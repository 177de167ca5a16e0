// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>

namespace meterbridge::app {

// Writes whole or not at all: new file (mode 0640), fsync, rename, fsync of the folder. Makes the
// folder if it is missing. Error: io, in words.
Result<> write_atomically(const std::string& path, std::string_view content);
// Error: not_found when there is none, io otherwise.
Result<std::string> read_whole(const std::string& path);
// Moves a damaged file aside as PATH.damaged (an older one is replaced).
Result<> move_aside(const std::string& path);

}  // namespace meterbridge::app
