// SPDX-License-Identifier: MIT
#include "journal/hold.hpp"

#include "journal/sqlite.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>

namespace meterbridge::journal {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::string_view mark_name = "journal.hold";
constexpr std::string_view journal_end = ".journal.db";
constexpr auto patience = 20s;

fs::path mark_in(const fs::path& directory) {
  return directory / mark_name;
}

// The log is empty then: it only grows at its end from now on, and is not written over from its
// beginning while somebody copies it. Two who move exclude each other, so an answer says that
// nobody else did at that moment. One may have looked for the mark just before it was made: hence
// the second question.
Result<> wait_for_the_other(const std::string& journal) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (int free = 0; free < 2;) {
    std::this_thread::sleep_for(100ms);
    auto database = Database::open(journal, Database::Mode::existing);
    // What cannot be opened is not moved by anybody either.
    if (!database) return {};
    const auto busy = database->ask("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!busy) return {};
    free = *busy == 0 ? free + 1 : 0;
    if (std::chrono::steady_clock::now() > until)
      return Error(Errc::timeout, journal + " is being moved into its database for too long");
  }
  return {};
}

}  // namespace

bool held(const std::string& journal) {
  std::error_code failed;
  const auto made = fs::last_write_time(mark_in(fs::path(journal).parent_path()), failed);
  if (failed) return false;
  const auto age = fs::file_time_type::clock::now() - made;
  return age < longest_hold && age > -longest_hold;
}

Result<> hold(const std::string& directory) {
  const fs::path mark = mark_in(directory);
  std::error_code failed;
  {
    std::ofstream made(mark, std::ios::trunc);
    if (!made) return Error(Errc::access, mark.string() + " cannot be written");
  }
  fs::last_write_time(mark, fs::file_time_type::clock::now(), failed);
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string path = at->path().string();
    if (!path.ends_with(journal_end)) continue;
    if (auto free = wait_for_the_other(path); !free) {
      (void)release(directory);
      return free;
    }
  }
  return {};
}

Result<> release(const std::string& directory) {
  std::error_code failed;
  fs::remove(mark_in(directory), failed);
  if (failed) return Error(Errc::access, mark_in(directory).string() + ": " + failed.message());
  return {};
}

}  // namespace meterbridge::journal
