// SPDX-License-Identifier: MIT
// The journal on a disk: one SQLite database beside the program's state.
#pragma once

#include "journal/journal.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meterbridge::journal {

struct DiskOptions {
  DiskOptions() = default;
  std::string path;
  Milliseconds keep = std::chrono::hours(24 * 30);  // older entries leave; zero = they do not
  std::uint64_t size = 200'000'000;  // bytes; what is above leaves whether it was taken or not
  std::size_t waiting = 8'000'000;   // bytes of samples in memory while nothing can be written
  // A folder in memory that outlives the process but not the machine; empty = none. What is
  // committed lies there until `sync` is due, so that the disk is written that often and a killed
  // program loses nothing of it.
  std::string quick;
  // What was committed is forced onto the disk so often; zero = each commit. A thread of its own
  // waits for the disk: commit() does not.
  Milliseconds sync = std::chrono::seconds(30);
  // Cursors go to the disk with the next commit after so long: delivery is repeated from there
  // after a crash, which is harmless, and each costs a page.
  Milliseconds cursors = std::chrono::minutes(5);
  std::function<void(bool warning, const std::string&)> log;
};

// A folder for `quick`: the service manager's runtime directory, or the system's for shared memory,
// where they are in memory and the database is not; empty without one.
[[nodiscard]] std::string quick_folder(const std::string& database);
// Where such a folder may be, of a service that is looked at from outside, too.
[[nodiscard]] std::vector<std::string> quick_folders();

// Opens, or begins, the database at once. Whatever is wrong with it is said to `log`; the journal
// works from memory until it can be written. The clock outlives the journal.
std::unique_ptr<Journal> on_disk(DiskOptions options, const Clock& clock);

}  // namespace meterbridge::journal
