// SPDX-License-Identifier: MIT
// Samples of before go into a journal on a disk that nobody else writes at the time. They get
// numbers below all others: every sink is behind them already, they are the first to leave, and
// what comes from meters goes on undisturbed.
#pragma once

#include "journal/journal.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meterbridge::journal {

struct Verdict {
  Verdict() = default;
  bool added = false;              // all of it, or what the journal did not have
  std::vector<std::string> other;  // readings of which the journal has another value; left as it is
};

// A counter that is lower than before, in the order of time.
struct Fall {
  struct Side {
    Side() = default;
    Instant at{};
    Decimal value;
    bool imported = false;
  };

  Fall() = default;
  std::string meter;
  ReadingKey key;
  Side from, to;
};

class Import {
 public:
  virtual ~Import() = default;  // without finish(): nothing of it happened

  // Error: io and malformed as of the database; unsupported when there are no numbers left.
  virtual Result<Verdict> add(const Sample& sample) = 0;
  // What follows is of another file.
  virtual void next_file() = 0;
  // Where samples became neighbours that whoever reads a file could not compare: of two files, of
  // one that goes back in time, and of the import and what was there. How many there are.
  virtual Result<std::uint64_t> falls(const std::function<void(const Fall&)>& tell) = 0;
  virtual Result<> finish() = 0;
  // Of the database and its log.
  virtual Result<std::uint64_t> bytes() = 0;
};

// Makes the journal where there is none. At most `most` samples will be added. What is known of
// samples needs 16 bytes of memory for each that is there, 24 for each that comes.
Result<std::unique_ptr<Import>> begin_import(const std::string& path, std::uint64_t most,
                                             const Clock& clock);
// What it would do where there is no journal: nothing of it stays.
Result<std::unique_ptr<Import>> begin_trial(std::uint64_t most, const Clock& clock);

}  // namespace meterbridge::journal
