// SPDX-License-Identifier: MIT
#include "app/unstamped.hpp"

#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

using namespace std::chrono_literals;
using Steady = Unstamped::Steady;

constexpr Instant boot{30s};  // 1970
constexpr Instant noon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h};
constexpr Steady::time_point start{1000s};

protocol::Telegram telegram(std::string name) {
  protocol::Telegram telegram;
  telegram.protocol = std::move(name);
  return telegram;
}

TEST(Unstamped, P29ATimeBeforeTheProgramWasWrittenIsNoTime) {
  EXPECT_FALSE(clock_is_set(boot));
  EXPECT_FALSE(clock_is_set(std::chrono::sys_days(std::chrono::year(2025) / 12 / 31)));
  EXPECT_TRUE(clock_is_set(noon));
}

TEST(Unstamped, P29TheNewestReadingIsStampedWithTheTimeAtWhichItCame) {
  Unstamped unstamped;
  EXPECT_FALSE(unstamped.release(noon, start));
  unstamped.hold(telegram("first"), std::nullopt, start);
  unstamped.hold(telegram("second"), Milliseconds(70), start + 10s);
  EXPECT_FALSE(unstamped.release(boot + 20s, start + 20s));
  // The clock is set ten minutes after the reading.
  const auto kept = unstamped.release(noon, start + 610s);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->telegram.protocol, "second");
  EXPECT_EQ(kept->at, noon - 10min);
  EXPECT_EQ(kept->took, Milliseconds(70));
  EXPECT_FALSE(unstamped.release(noon, start + 611s));  // once
}

}  // namespace
}  // namespace meterbridge::app
