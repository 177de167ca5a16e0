// SPDX-License-Identifier: MIT
#include "dialogues.hpp"
#include "fakes/loop.hpp"
#include "fakes/scripted_transport.hpp"
#include "io/converse.hpp"
#include "io/line.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using Outcome = Result<protocol::Telegram>;

std::unique_ptr<Line> make_line(fakes::Loop& loop, int turnaround = 0) {
  return std::make_unique<Line>(loop.executor(),
                                std::make_unique<fakes::ScriptedTransport>(loop.executor()),
                                Milliseconds(turnaround));
}

asio::awaitable<void> turns(int count) {
  for (int i = 0; i < count; ++i)
    co_await asio::post(asio::use_awaitable);
}

// One meter on the line: takes it, works for some turns of the loop, notes its name.
asio::awaitable<void> meter(Line& line, char name, int polls, std::string& log) {
  for (int i = 0; i < polls; ++i) {
    auto hold = co_await line.acquire();
    if (!hold) co_return;
    log.push_back(name);
    co_await turns(3);
  }
}

TEST(Line, GoesRoundFairly) {
  fakes::Loop loop;
  const auto line = make_line(loop);
  std::string log;
  for (const char name : {'a', 'b', 'c'}) {
    asio::co_spawn(loop.context(), meter(*line, name, 5, log), asio::detached);
  }
  loop.until([&] { return log.size() == 15; });
  EXPECT_EQ(log, "abcabcabcabcabc");
}

asio::awaitable<Outcome> hanging_poll(Line& line, std::string& log) {
  auto hold = co_await line.acquire();
  log.push_back('D');
  asio::steady_timer never(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await never.async_wait(asio::use_awaitable);
  co_return test::telegram("never");
}

asio::awaitable<void> dead_meter(Line& line, int polls, std::string& log, std::vector<Errc>& ends) {
  for (int i = 0; i < polls; ++i) {
    const auto got = co_await under_watchdog(hanging_poll(line, log), Milliseconds(15));
    ends.push_back(got ? Errc::bug : got.error().code());
  }
}

TEST(Line, GoesOnWhenAUserDiesUnderTheWatchdog) {
  fakes::Loop loop;
  const auto line = make_line(loop);
  std::string log;
  std::vector<Errc> ends;
  asio::co_spawn(loop.context(), dead_meter(*line, 3, log, ends), asio::detached);
  asio::co_spawn(loop.context(), meter(*line, 'a', 4, log), asio::detached);
  asio::co_spawn(loop.context(), meter(*line, 'b', 4, log), asio::detached);
  loop.until([&] { return log.size() == 11 && ends.size() == 3; });
  EXPECT_EQ(log, "DabDabDabab");
  EXPECT_EQ(ends, std::vector<Errc>(3, Errc::watchdog));
}

// Reports whether the token was given.
asio::awaitable<bool> take(Line& line) {
  const auto hold = co_await line.acquire();
  co_return static_cast<bool>(hold);
}

TEST(Line, LosesNoTokenToACancelledWaiter) {
  fakes::Loop loop;
  const auto line = make_line(loop);
  auto holder = std::make_optional(loop.run(line->acquire()));
  ASSERT_TRUE(*holder);
  asio::cancellation_signal stop;
  std::optional<bool> first;
  std::optional<bool> second;
  asio::co_spawn(
      loop.context(), take(*line),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, bool got) {
        EXPECT_FALSE(failure);
        first = got;
      }));
  asio::co_spawn(loop.context(), take(*line), [&](std::exception_ptr, bool got) { second = got; });
  loop.poll();
  EXPECT_FALSE(first || second);
  stop.emit(asio::cancellation_type::terminal);
  loop.until([&] { return first.has_value(); });
  EXPECT_FALSE(*first);
  EXPECT_FALSE(second);
  holder.reset();
  loop.until([&] { return second.has_value(); });
  EXPECT_TRUE(*second);
  EXPECT_TRUE(loop.run(take(*line)));
}

TEST(Line, PassesTheTokenOnWhenItWasGivenAndCancelledInTheSameTurn) {
  for (const bool cancel_first : {false, true}) {
    fakes::Loop loop;
    const auto line = make_line(loop);
    auto holder = std::make_optional(loop.run(line->acquire()));
    asio::cancellation_signal stop;
    std::optional<bool> first;
    std::optional<bool> second;
    asio::co_spawn(loop.context(), take(*line),
                   asio::bind_cancellation_slot(
                       stop.slot(), [&](std::exception_ptr, bool got) { first = got; }));
    asio::co_spawn(loop.context(), take(*line),
                   [&](std::exception_ptr, bool got) { second = got; });
    loop.poll();
    // From inside the loop, where a signal takes effect at once.
    asio::post(loop.context(), [&] {
      if (cancel_first) stop.emit(asio::cancellation_type::terminal);
      holder.reset();
      if (!cancel_first) stop.emit(asio::cancellation_type::terminal);
    });
    loop.until([&] { return first && second; });
    EXPECT_FALSE(*first);
    EXPECT_TRUE(*second);
    EXPECT_TRUE(loop.run(take(*line)));
  }
}

TEST(Line, GivesNothingToACancelledCaller) {
  fakes::Loop loop;
  const auto line = make_line(loop);
  asio::cancellation_signal stop;
  std::optional<bool> got;
  const auto late = [](Line& on) -> asio::awaitable<bool> {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::post(asio::use_awaitable);
    co_return co_await take(on);
  };
  asio::co_spawn(loop.context(), late(*line),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](std::exception_ptr, bool value) { got = value; }));
  loop.cancel(stop);
  loop.until([&] { return got.has_value(); });
  EXPECT_FALSE(*got);
  EXPECT_TRUE(loop.run(take(*line)));
}

TEST(Line, PausesBetweenTwoUses) {
  fakes::Loop loop;
  const auto line = make_line(loop, 20);
  auto begun = steady_clock::now();
  EXPECT_TRUE(loop.run(take(*line)));
  const auto first = steady_clock::now() - begun;
  begun = steady_clock::now();
  EXPECT_TRUE(loop.run(take(*line)));
  EXPECT_GE(steady_clock::now() - begun, Milliseconds(19));
  EXPECT_LT(first, Milliseconds(19)) << "nobody used the line before";
}

TEST(Line, IsFreeAgainWhenTheUserWasCancelledDuringThePause) {
  fakes::Loop loop;
  const auto line = make_line(loop, 45);
  EXPECT_TRUE(loop.run(take(*line)));
  asio::cancellation_signal stop;
  std::optional<bool> got;
  asio::co_spawn(loop.context(), take(*line),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](std::exception_ptr, bool value) { got = value; }));
  loop.poll();
  stop.emit(asio::cancellation_type::terminal);
  loop.until([&] { return got.has_value(); });
  EXPECT_FALSE(*got);
  EXPECT_TRUE(loop.run(take(*line)));
}

TEST(Line, HoldsMoveAndReleaseOnce) {
  fakes::Loop loop;
  const auto line = make_line(loop);
  auto hold = loop.run(line->acquire());
  Line::Hold other(std::move(hold));
  EXPECT_TRUE(other);
  hold = std::move(other);
  EXPECT_TRUE(hold);
  hold.release();
  hold.release();
  EXPECT_FALSE(hold);
  EXPECT_TRUE(loop.run(take(*line)));
}

TEST(Line, MayGoBeforeTheCoroutinesThatUseIt) {
  std::string log;
  fakes::Loop loop;
  auto line = make_line(loop);
  const auto user = [](Line& on, std::string& notes) -> asio::awaitable<void> {
    auto hold = co_await on.acquire();
    notes.push_back('x');
    asio::steady_timer never(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await never.async_wait(asio::use_awaitable);
  };
  for (int i = 0; i < 3; ++i)
    asio::co_spawn(loop.context(), user(*line, log), asio::detached);
  loop.poll();
  EXPECT_EQ(log, "x");
  line.reset();
  // The loop goes now, with one holder and two who wait.
}

}  // namespace
}  // namespace meterbridge::io
