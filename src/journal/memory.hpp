// SPDX-License-Identifier: MIT
// A journal without a disk, for routers: what was not delivered before the program ends is gone.
#pragma once

#include "journal/journal.hpp"

#include <memory>

namespace meterbridge::journal {

// Keeps at most `most` entries; the oldest leave first. With a clock the numbers go on above those
// of earlier runs; without one they begin at 1. The clock outlives the journal.
std::unique_ptr<Journal> in_memory(std::size_t most, const Clock* clock = nullptr);

}  // namespace meterbridge::journal
