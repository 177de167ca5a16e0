// SPDX-License-Identifier: MIT
#include "io/footprint.hpp"

#include <charconv>
#include <cstdint>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// The head of a mapping: "7f00-8f00 r-xp 00000000 08:01 123 /usr/lib/libc.so.6". True for code that
// comes from a file.
bool parse_code(std::string_view line, Range& range) noexcept {
  constexpr int hexadecimal = 16;
  const char* const last = line.data() + line.size();
  const auto begin = std::from_chars(line.data(), last, range.begin, hexadecimal);
  if (begin.ec != std::errc() || begin.ptr == last || *begin.ptr != '-') return false;
  const auto end = std::from_chars(begin.ptr + 1, last, range.end, hexadecimal);
  if (end.ec != std::errc() || range.end <= range.begin) return false;
  const std::string_view rest(end.ptr, static_cast<std::size_t>(last - end.ptr));
  return rest.starts_with(" r-xp ") && rest.find(" /") != std::string_view::npos;
}

// "Anonymous:             4 kB": pages of a mapping that are no longer what stands in the file. The
// loader writes into code with text relocations, a debugger into code with breakpoints; the file
// would not bring that back.
bool is_unchanged(std::string_view line) noexcept {
  return line.ends_with(" 0 kB");
}

}  // namespace

void release_code() noexcept {
  try {
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    Range range;
    bool code = false;
    while (std::getline(maps, line)) {
      if (!line.starts_with("Anonymous:")) {
        // Only the head of a mapping has no colon behind its first word.
        if (line.find(':') > line.find(' ')) code = parse_code(line, range);
        continue;
      }
      if (!code || !is_unchanged(line)) continue;
      // The kernel names addresses as numbers.
      // NOLINTNEXTLINE(performance-no-int-to-ptr,cppcoreguidelines-pro-type-reinterpret-cast)
      ::madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin, MADV_DONTNEED);
    }
  } catch (const std::exception&) {
    // Then the memory stays as it is, as it does where the kernel keeps no such account.
  }
}

void release_memory() noexcept {
#ifdef __GLIBC__  // musl has no such call
  ::malloc_trim(0);
#endif
}

std::uint64_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!(file >> total >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace meterbridge::io
