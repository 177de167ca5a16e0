// SPDX-License-Identifier: MIT
#include "core/bytes.hpp"
#include "fakes/scratch.hpp"
#include "io/descriptor.hpp"
#include "io/footprint.hpp"

#include <cstddef>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace meterbridge::io {
namespace {

// Resident pages that come from files: code above all.
std::size_t file_pages() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  std::size_t from_files = 0;
  statm >> total >> resident >> from_files;
  return from_files;
}

TEST(Footprint, CodeThatWasLetGoComesBackWhenItIsCalled) {
  const std::string before = to_hex(to_bytes("code"));
  const std::size_t held = file_pages();
  release_code();
  EXPECT_LT(file_pages(), held);
  EXPECT_EQ(to_hex(to_bytes("code")), before);
}

// As the loader leaves code with text relocations: mapped from a file, changed, executable.
TEST(Footprint, CodeThatIsNotAsInItsFileStays) {
  constexpr std::size_t size = 4096;
  const fakes::Scratch scratch;
  const std::string file = scratch.file("code", std::string(size, 'f'));
  const Descriptor open_file(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_GE(open_file.get(), 0);
  void* const place =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, open_file.get(), 0);
  ASSERT_NE(place, MAP_FAILED);
  char* const code = static_cast<char*>(place);
  code[100] = 'r';
  ASSERT_EQ(::mprotect(place, size, PROT_READ | PROT_EXEC), 0);
  release_code();
  EXPECT_EQ(code[100], 'r');
  ::munmap(place, size);
}

}  // namespace
}  // namespace meterbridge::io
