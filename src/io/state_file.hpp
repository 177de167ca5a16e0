// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.hpp"

#include <string>
#include <string_view>

namespace meterbridge::io {

inline constexpr unsigned usual_mode = 0640;

// Writes whole or not at all: new file, fsync, rename, fsync of the folder. Makes the
// folder if it is missing. Error: io, in words.
Result<> write_atomically(const std::string& path, std::string_view content,
                          unsigned mode = usual_mode);
// Behind what is there, whole or not at all: what the disk took of it is taken back when it does
// not take all. Makes file (mode 0640) and folder if they are missing. Nothing is synced.
Result<> append_whole(const std::string& path, std::string_view content);
// To the disk; the file's folder, too, when it is new there. Error: io, in words.
Result<> sync_file(const std::string& path, bool fresh);
Result<> make_folder(const std::string& folder);  // and those above it, mode 0750
// Error: not_found when there is none, io otherwise.
Result<std::string> read_whole(const std::string& path);
// Moves a damaged file aside as PATH.damaged (an older one is replaced).
Result<> move_aside(const std::string& path);

}  // namespace meterbridge::io
