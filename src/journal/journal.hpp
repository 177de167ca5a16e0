// SPDX-License-Identifier: MIT
// The store of samples: every sample that the guard let pass, in the order in which it came, with
// one cursor for each sink. SQLite on a disk, or memory.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::journal {

// Growing without end; a number is never given twice, over crashes neither. So numbers leap with
// each start, and a gap between two entries is no loss: status() says what was dropped
// (first_sequence).
using Sequence = std::uint64_t;

struct Entry {
  Sequence sequence = 0;
  Sample sample;
};

// How far a sink is, and what it lost: samples that had to leave before it took them.
struct SinkMark {
  std::string sink;
  Sequence cursor = 0;
  std::uint64_t dropped = 0;
};

struct Status {
  Status() = default;
  std::uint64_t entries = 0;  // committed and still there
  std::uint64_t waiting = 0;  // not committed yet
  std::uint64_t bytes = 0;    // of the database; 0 in memory
  std::uint64_t dropped = 0;  // left before every sink had them, or before they were committed
  std::uint64_t damaged = 0;  // entries that were found damaged, and left out
  std::optional<Instant> last_commit;
  std::string trouble;          // why nothing can be written at present; empty = all is well
  std::vector<SinkMark> sinks;  // those that hold back what leaves first
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Belongs to the journal at once, survives from the next commit on. Never fails for the disk's
  // sake: what cannot be written waits in memory, up to a bound.
  virtual Result<Sequence> append(const Sample& sample) = 0;
  // Error: io, in words, when the disk refuses; the samples go on waiting.
  virtual Result<> commit() = 0;

  // At most `limit` entries behind `sequence`, oldest first. Only what is committed: a sink must
  // never know a sample that the journal could still forget. While the disk refuses, memory is all
  // there is, and what waits there counts as committed.
  virtual Result<std::vector<Entry>> after(Sequence sequence, std::size_t limit) = 0;
  [[nodiscard]] virtual Sequence committed() const = 0;  // the newest of them; 0 = none yet
  [[nodiscard]] virtual Sequence oldest() const = 0;     // that is still there; 0 = none
  // How many entries are behind `sequence`; about as many, when they are more than ten thousand.
  [[nodiscard]] virtual std::uint64_t behind(Sequence sequence) const = 0;

  // Up to where a sink has everything. A sink that is not known yet begins at `committed()`: what
  // was before it is a matter of `journal replay`. From the first question on, the sink's entries
  // are kept for it until the journal is full.
  virtual Result<Sequence> cursor(std::string_view sink) = 0;
  virtual Result<> advance(std::string_view sink, Sequence sequence) = 0;
  // The sink is gone: nothing is kept for it any more, but its place is remembered.
  virtual void release(std::string_view sink) = 0;

  // The highest number that was ever given; after a crash the highest that may have been, for a
  // sink may remember samples that the journal lost with its last seconds.
  [[nodiscard]] virtual Sequence given() const = 0;

  [[nodiscard]] virtual Status status() const = 0;
};

// The least number after a start: microseconds of the clock. No meter gives a million samples a
// second, so whatever was given before is lower, even where a damaged file does not tell it any
// more.
[[nodiscard]] inline Sequence first_sequence(Instant now) {
  const std::int64_t since = now.time_since_epoch().count();
  return static_cast<Sequence>(std::max<std::int64_t>(since, 0)) * 1000 + 1;
}

}  // namespace meterbridge::journal
