// SPDX-License-Identifier: MIT
// No reading that a real meter sent is taken for impossible.
#include "meter/guard.hpp"
#include "protocol/registry.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

namespace fs = std::filesystem;

Bytes content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* const first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

// Readings that went through a guard without settings; zero when the folder is not there.
std::size_t admitted(const fs::path& folder) {
  std::size_t count = 0;
  if (!fs::is_directory(folder)) return 0;
  const protocol::Protocol& p1 = *protocol::find_protocol("p1");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string kind = entry.path().extension().string();
    if (kind != ".txt" && kind != ".bin") continue;
    const Bytes bytes = content(entry.path());
    for (const protocol::Decoded& decoded : p1.decode(bytes, default_settings(p1.settings))) {
      for (const MeterReadings& part : decoded.telegram.readings) {
        const config::MeterSettings settings;
        Guard guard(settings);
        Sample sample;
        sample.readings = part.readings;
        const auto verdict = guard.admit(sample, Moment());
        EXPECT_EQ(verdict.refused, 0U) << entry.path() << ": " << verdict.why;
        count += sample.readings.size();
      }
    }
  }
  return count;
}

TEST(GuardVectors, P16_NothingThatOurOwnTelegramsSayIsRefused) {
  EXPECT_GT(admitted(fs::path(METERBRIDGE_SOURCE_DIR) / "tests/vectors/p1"), 100U);
}

TEST(GuardVectors, P16_NothingThatCapturedTelegramsSayIsRefused) {
  const fs::path folder = fs::path(METERBRIDGE_SHARED_VECTORS) / "p1";
  if (!fs::is_directory(folder)) GTEST_SKIP() << "the shared vectors are not here";
  EXPECT_GT(admitted(folder), 100U);
}

}  // namespace
}  // namespace meterbridge::meter
