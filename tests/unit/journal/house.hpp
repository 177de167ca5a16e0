// SPDX-License-Identifier: MIT
// A journal in a folder of its own, with a clock that the test moves.
#pragma once

#include "fakes/manual_clock.hpp"
#include "fakes/scratch.hpp"
#include "journal/disk.hpp"
#include "unit/journal/support.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace meterbridge::journal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct House {
  fakes::Scratch scratch;
  fakes::ManualClock clock{Instant(1'790'000'000'000ms)};
  std::vector<std::string> said;
  DiskOptions options = [this] {
    DiskOptions wanted;
    wanted.path = (scratch.path() / "journal.db").string();
    wanted.log = [this](bool, const std::string& line) { said.push_back(line); };
    return wanted;
  }();

  std::unique_ptr<Journal> open() { return on_disk(options, clock); }
};

[[maybe_unused]] void fill(Journal& journal, std::int64_t first, std::int64_t count) {
  for (std::int64_t i = first; i < first + count; ++i)
    ASSERT_TRUE(journal.append(sample_of(i)));
}

// The digits of the first reading: what sample_of() was given.
[[maybe_unused]] std::vector<std::int64_t> numbers(Journal& journal, Sequence after = 0) {
  std::vector<std::int64_t> all;
  for (;;) {
    const auto entries = journal.after(after, 100);
    EXPECT_TRUE(entries) << entries.error().detail();
    if (!entries || entries->empty()) return all;
    for (const Entry& entry : *entries) {
      EXPECT_GT(entry.sequence, after);
      after = entry.sequence;
      all.push_back(std::get<Decimal>(entry.sample.readings.front().value).digits());
    }
  }
}

[[maybe_unused]] std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = first; i < first + count; ++i)
    all.push_back(i);
  return all;
}

}  // namespace
}  // namespace meterbridge::journal
