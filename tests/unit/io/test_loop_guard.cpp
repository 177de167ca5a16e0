// SPDX-License-Identifier: MIT
#include "fakes/loop.hpp"
#include "io/loop_guard.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

TEST(LoopGuard, NoticesABlockedLoop) {
  fakes::Loop loop;
  std::promise<void> noticed;
  const LoopGuard guard(loop.executor(), Milliseconds(40), [&] { noticed.set_value(); });
  bool blocked = false;
  boost::asio::post(loop.context(), [&] {
    boost::asio::post(loop.context(), [&] {
      blocked =
          noticed.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    });
  });
  loop.until([&] { return blocked; });
  EXPECT_TRUE(blocked);
}

TEST(LoopGuard, IsCalledOnceAStall) {
  fakes::Loop loop;
  std::atomic<int> stalls{0};
  std::promise<void> second;
  const LoopGuard guard(loop.executor(), Milliseconds(8), [&] {
    if (++stalls == 2) second.set_value();
  });
  int turns = 0;
  // Two blocked stretches with a beat between them: the second one can only be told after a beat.
  const std::function<void()> block = [&] {
    const auto target = turns + 1;
    while (stalls < target)
      std::this_thread::yield();
    ++turns;
  };
  boost::asio::post(loop.context(), [&] { boost::asio::post(loop.context(), block); });
  loop.until([&] { return turns == 1; });
  EXPECT_EQ(stalls, 1);
  boost::asio::steady_timer later(loop.executor(), Milliseconds(20));
  later.async_wait([&](boost::system::error_code) { block(); });
  loop.until([&] { return turns == 2; });
  EXPECT_EQ(second.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(LoopGuard, LeavesABusyLoopAlone) {
  fakes::Loop loop;
  std::atomic<int> stalls{0};
  const LoopGuard guard(loop.executor(), std::chrono::seconds(5), [&] { ++stalls; });
  const auto end = std::chrono::steady_clock::now() + Milliseconds(40);
  std::function<void()> work = [&] { boost::asio::post(loop.context(), work); };
  work();
  loop.until([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_EQ(stalls, 0);
}

TEST(LoopGuard, WaitsForTheFirstBeat) {
  fakes::Loop loop;
  std::atomic<int> stalls{0};
  std::promise<void> passed;
  {
    const LoopGuard guard(loop.executor(), Milliseconds(4), [&] { ++stalls; });
    // The loop has not begun yet: nothing can be late.
    const auto end = std::chrono::steady_clock::now() + Milliseconds(30);
    while (std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }
  EXPECT_EQ(stalls, 0);
}

TEST(LoopGuardDeathTest, EndsTheProcessWith70) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        fakes::Loop loop;
        const LoopGuard guard(loop.executor(), Milliseconds(20));
        boost::asio::post(loop.context(), [&] {
          boost::asio::post(loop.context(), [] {
            std::promise<void>().get_future().wait_for(std::chrono::hours(1));
          });
        });
        loop.until([] { return false; });
      },
      testing::ExitedWithCode(70), "the event loop is blocked");
}

}  // namespace
}  // namespace meterbridge::io
