// SPDX-License-Identifier: MIT
// Samples that a sink will never take: kept in a small file, so that somebody can look at them.
#pragma once

#include "sink/sink.hpp"

#include <string>

namespace meterbridge::sink {

// One JSON object a line. Two files of at most this size: the older one is PATH.1.
inline constexpr std::size_t most_set_aside = std::size_t{512} * 1024;

[[nodiscard]] std::string set_aside_line(const journal::Entry& entry, const std::string& reason);
// Error: io, in words.
Result<> set_aside(const std::string& path, const std::string& line);

}  // namespace meterbridge::sink
