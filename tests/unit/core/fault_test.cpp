// SPDX-License-Identifier: MIT
#include "core/fault.hpp"

#include <set>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

using namespace meterbridge;

namespace {

constexpr int code_count = static_cast<int>(Errc::watchdog) + 1;

}  // namespace

TEST(Fault, HasTheNamesOfTheContractInOrder) {
  const auto names = fault_names();
  const std::vector<std::string_view> expected = {"starting",       "no_device",    "no_bytes",
                                                  "no_frame",       "bad_checksum", "wrong_key",
                                                  "not_understood", "refused",      "ok"};
  EXPECT_EQ(std::vector<std::string_view>(names.begin(), names.end()), expected);
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(name(static_cast<Fault>(i)), names[i]);
}

TEST(Fault, IsDescribedInOneSentenceEach) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < fault_names().size(); ++i) {
    const auto sentence = describe(static_cast<Fault>(i));
    EXPECT_FALSE(sentence.empty());
    EXPECT_TRUE(seen.insert(sentence).second) << sentence;
  }
}

TEST(Fault, FollowsFromTheErrorCode) {
  EXPECT_EQ(fault_of(Errc::no_device), Fault::no_device);
  EXPECT_EQ(fault_of(Errc::io), Fault::no_device);
  EXPECT_EQ(fault_of(Errc::timeout), Fault::no_bytes);
  for (const Errc code :
       {Errc::no_frame, Errc::truncated, Errc::malformed, Errc::mismatch, Errc::watchdog}) {
    EXPECT_EQ(fault_of(code), Fault::no_frame) << name(code);
  }
  EXPECT_EQ(fault_of(Errc::checksum), Fault::bad_checksum);
  EXPECT_EQ(fault_of(Errc::key), Fault::wrong_key);
  EXPECT_EQ(fault_of(Errc::authentication), Fault::wrong_key);
  for (const Errc code : {Errc::unsupported, Errc::exception, Errc::access, Errc::replay}) {
    EXPECT_EQ(fault_of(code), Fault::not_understood) << name(code);
  }
  EXPECT_EQ(fault_of(Errc::refused), Fault::refused);
}

TEST(Fault, IsNeverOkForAnError) {
  for (int i = 0; i < code_count; ++i)
    EXPECT_NE(fault_of(static_cast<Errc>(i)), Fault::ok);
}

// What the watchdog of a link must not take for a dead adapter is what lies above the checksum on
// the ladder.
TEST(Fault, AgreesWithTheWatchdogAboutValidFrames) {
  for (int i = 0; i < code_count; ++i) {
    const auto code = static_cast<Errc>(i);
    if (code == Errc::bug || code == Errc::invalid)
      continue;  // our own mistakes prove nothing about the line
    EXPECT_EQ(proves_frames(code), fault_of(code) > Fault::bad_checksum) << name(code);
  }
  EXPECT_FALSE(proves_frames(Errc::bug));
  EXPECT_FALSE(proves_frames(Errc::invalid));
  EXPECT_TRUE(proves_frames(Errc::key));
  EXPECT_FALSE(proves_frames(Errc::checksum));
}
