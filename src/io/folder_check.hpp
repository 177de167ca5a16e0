// SPDX-License-Identifier: MIT
// Whether files could be written in a folder, without writing any.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string>

namespace meterbridge::io {

// "/var/lib/meterbridge can be written, 12.4 GB are free"; or that it will be made. Error: io, why
// not and what to do. Less room than `least` bytes counts as none. Blocks.
Result<std::string> check_folder(const std::string& folder, std::uint64_t least = 0);

}  // namespace meterbridge::io
