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

TEST(Unstamped, P29EveryReadingIsStampedWithTheTimeAtWhichItCame) {
  Unstamped unstamped;
  EXPECT_TRUE(unstamped.release(noon, start).empty());
  unstamped.hold(telegram("first"), std::nullopt, start);
  unstamped.hold(telegram("second"), Milliseconds(70), start + 10s);
  EXPECT_TRUE(unstamped.release(boot + 20s, start + 20s).empty());
  // The clock is set ten minutes after the reading.
  const auto kept = unstamped.release(noon, start + 610s);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].telegram.protocol, "first");
  EXPECT_EQ(kept[0].at, noon - 610s);
  EXPECT_EQ(kept[1].telegram.protocol, "second");
  EXPECT_EQ(kept[1].at, noon - 10min);
  EXPECT_EQ(kept[1].took, Milliseconds(70));
  EXPECT_TRUE(unstamped.release(noon, start + 611s).empty());  // once
}

TEST(Unstamped, P29WhatIsHeldIsBoundedAndTheNewestStay) {
  Unstamped unstamped;
  protocol::Telegram large = telegram("p1");
  large.items.resize(40);
  for (protocol::Item& item : large.items)
    item.groups.assign(2, std::string(100, '1'));
  // A day of a meter that speaks every ten seconds.
  for (int i = 0; i < 8640; ++i)
    unstamped.hold(large, Milliseconds(i), start + i * 10s);
  EXPECT_GT(unstamped.lost(), 0U);
  const auto lost = unstamped.lost();
  const auto kept = unstamped.release(noon, start + 86400s);
  EXPECT_EQ(kept.size() + lost, 8640U);
  EXPECT_GT(kept.size(), 100U);
  EXPECT_LT(kept.size() * 40 * 2 * 100, Unstamped::most_bytes);
  EXPECT_EQ(kept.back().took, Milliseconds(8639));
  EXPECT_EQ(kept.back().at, noon - 10s);
  EXPECT_EQ(unstamped.lost(), 0U);
}

}  // namespace
}  // namespace meterbridge::app
