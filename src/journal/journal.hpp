// SPDX-License-Identifier: MIT
// The store of samples: every sample that the guard let pass, in the order in which it came, with
// one cursor for each sink. SQLite on a disk, or memory.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::journal {

// From 1, growing without end; a number is never given twice, over crashes neither.
using Sequence = std::uint64_t;

struct Entry {
  Sequence sequence = 0;
  Sample sample;
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Belongs to the journal at once, survives from the next commit on.
  virtual Result<Sequence> append(const Sample& sample) = 0;
  virtual Result<> commit() = 0;

  // At most `limit` entries behind `sequence`, oldest first. Only what is committed: a sink must
  // never know a sample that the journal could still forget.
  virtual Result<std::vector<Entry>> after(Sequence sequence, std::size_t limit) = 0;
  [[nodiscard]] virtual Sequence committed() const = 0;  // the newest of them; 0 = none yet
  [[nodiscard]] virtual Sequence oldest() const = 0;     // that is still there; 0 = none

  // Up to where a sink has everything. A sink that is not known yet begins at `committed()`: what
  // was before it is a matter of `journal replay`.
  virtual Result<Sequence> cursor(std::string_view sink) = 0;
  virtual Result<> advance(std::string_view sink, Sequence sequence) = 0;
};

}  // namespace meterbridge::journal
