// SPDX-License-Identifier: MIT
// A journal without a disk, for routers: what was not delivered before the program ends is gone.
#pragma once

#include "journal/journal.hpp"

#include <memory>

namespace meterbridge::journal {

// Keeps at most `most` entries; the oldest leave first.
std::unique_ptr<Journal> in_memory(std::size_t most);

}  // namespace meterbridge::journal
