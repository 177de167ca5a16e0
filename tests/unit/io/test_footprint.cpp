// SPDX-License-Identifier: MIT
#include "core/bytes.hpp"
#include "io/footprint.hpp"

#include <cstddef>
#include <fstream>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace meterbridge::io
