// SPDX-License-Identifier: MIT
// A copy of a state directory, file after file, has a whole journal only when nothing is moved from
// its write-ahead log into the database meanwhile. A file in the directory says so to the program
// that writes there; it counts for ten minutes, so that a backup that broke off stops nothing.
#pragma once

#include "core/result.hpp"

#include <chrono>
#include <string>

namespace meterbridge::journal {

inline constexpr std::chrono::minutes longest_hold{10};

// When it returns, nothing is moved until release(). Error: io or access, in words.
Result<> hold(const std::string& directory);
Result<> release(const std::string& directory);
// Of the directory in which this journal lies.
[[nodiscard]] bool held(const std::string& journal);

}  // namespace meterbridge::journal
