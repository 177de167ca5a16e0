// SPDX-License-Identifier: MIT
#include "dialogues.hpp"
#include "fakes/loop.hpp"
#include "fakes/scripted_transport.hpp"
#include "io/converse.hpp"

#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using Outcome = Result<protocol::Telegram>;
using std::chrono::steady_clock;
using testing::HasSubstr;

asio::awaitable<Outcome> quick() {
  co_return test::telegram("quick");
}

asio::awaitable<Outcome> failing() {
  co_return Error(Errc::checksum, "CRC is 99DA");
}

asio::awaitable<Outcome> throwing(bool late) {
  if (late) co_await asio::post(asio::use_awaitable);
  throw std::runtime_error("vector::at");
}

asio::awaitable<Outcome> throwing_nonsense() {
  co_await asio::post(asio::use_awaitable);
  throw 7;
}

// Lets itself be ended by the exception that cancellation raises.
asio::awaitable<Outcome> slow(bool& ended) {
  struct Mark {
    explicit Mark(bool& b) : flag(b) {}

    ~Mark() { flag = true; }

    bool& flag;
  };

  const Mark mark(ended);
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
  co_await timer.async_wait(asio::use_awaitable);
  co_return test::telegram("slow");
}

// Ignores cancellation for some time.
asio::awaitable<Outcome> deaf(Milliseconds time) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return test::telegram("deaf");
}

class Watchdog : public testing::Test {
 protected:
  Outcome watched(asio::awaitable<Outcome> work, Milliseconds limit) {
    return loop_.run(under_watchdog(std::move(work), limit));
  }

  fakes::Loop loop_;
};

TEST_F(Watchdog, PassesResultsAndErrors) {
  const auto good = watched(quick(), Milliseconds(5000));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->protocol, "quick");
  const auto bad = watched(failing(), Milliseconds(5000));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Errc::checksum);
  EXPECT_EQ(bad.error().detail(), "CRC is 99DA");
}

TEST_F(Watchdog, ReportsAnExceptionAtOnce) {
  for (const bool late : {false, true}) {
    const auto begun = steady_clock::now();
    const auto got = watched(throwing(late), std::chrono::hours(1));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code(), Errc::bug);
    EXPECT_THAT(got.error().detail(), HasSubstr("vector::at"));
    EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(5));
  }
  EXPECT_EQ(watched(throwing_nonsense(), std::chrono::hours(1)).error().code(), Errc::bug);
}

TEST_F(Watchdog, ContainsADialogueThatThrows) {
  fakes::ScriptedTransport line(loop_.executor());
  ASSERT_TRUE(loop_.run(line.open()));
  test::ThrowingDialogue dialogue;
  const auto got = watched(converse(line, dialogue), std::chrono::hours(1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::bug);
  EXPECT_THAT(got.error().detail(), HasSubstr("index 7 of 3"));
}

TEST_F(Watchdog, EndsSlowWork) {
  bool ended = false;
  const auto got = watched(slow(ended), Milliseconds(20));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::watchdog);
  EXPECT_TRUE(ended) << "the work must be over before its result is given";
}

TEST_F(Watchdog, WaitsForWorkThatIgnoresIt) {
  const auto begun = steady_clock::now();
  const auto got = watched(deaf(Milliseconds(45)), Milliseconds(10));
  EXPECT_GE(steady_clock::now() - begun, Milliseconds(45))
      << "its references would dangle otherwise";
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::watchdog);
}

TEST_F(Watchdog, TellsTheCallersCancellationFromItsOwn) {
  for (const bool under_way : {false, true}) {
    bool ended = false;
    asio::cancellation_signal stop;
    std::optional<Outcome> outcome;
    std::exception_ptr thrown;
    asio::co_spawn(
        loop_.context(), under_watchdog(slow(ended), std::chrono::hours(1)),
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr failure, Outcome result) {
          thrown = failure;
          outcome = std::move(result);
        }));
    if (under_way) loop_.poll();
    loop_.cancel(stop);
    loop_.until([&] { return outcome.has_value(); });
    EXPECT_FALSE(thrown) << "cancelled " << (under_way ? "under way" : "at its first step");
    ASSERT_FALSE(*outcome);
    EXPECT_EQ(outcome->error().code(), Errc::cancelled) << outcome->error().detail();
  }
}

TEST_F(Watchdog, LeavesNothingBehindWhenTheLoopEnds) {
  bool ended = false;
  {
    fakes::Loop loop;
    asio::co_spawn(loop.context(), under_watchdog(slow(ended), std::chrono::hours(1)),
                   [](std::exception_ptr, const Outcome&) {});
    loop.poll();
    EXPECT_FALSE(ended);
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace meterbridge::io
