// SPDX-License-Identifier: MIT
// In place of everything that needs SQLite, in a program that was built without it.
#include "journal/archive.hpp"
#include "journal/disk.hpp"
#include "journal/hold.hpp"
#include "journal/import.hpp"
#include "journal/memory.hpp"
#include "journal/sqlite.hpp"

namespace meterbridge::journal {

std::unique_ptr<Journal> on_disk(DiskOptions options, const Clock& clock) {
  constexpr std::size_t samples = 10'000;
  if (options.log)
    options.log(true, "journal: this program was built without SQLite: samples are kept in memory");
  return in_memory(samples, &clock);
}

Result<std::unique_ptr<Archive>> open_archive(const std::string& path) {
  return Error(Errc::unsupported, path + ": this program was built without SQLite");
}

Result<std::unique_ptr<Import>> begin_import(const std::string& path, std::uint64_t, const Clock&) {
  return Error(Errc::unsupported, path + ": this program was built without SQLite");
}

Result<std::unique_ptr<Import>> begin_trial(std::uint64_t, const Clock&) {
  return Error(Errc::unsupported, "this program was built without SQLite");
}

Result<> hold(const std::string&) {
  return {};
}

Result<> release(const std::string&) {
  return {};
}

std::string sqlite_version() {
  return {};
}

}  // namespace meterbridge::journal
