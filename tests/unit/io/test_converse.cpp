// SPDX-License-Identifier: MIT
#include "dialogues.hpp"
#include "fakes/loop.hpp"
#include "fakes/pty_pair.hpp"
#include "fakes/scripted_transport.hpp"
#include "io/converse.hpp"
#include "io/links.hpp"

#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
namespace step = protocol::step;
using fakes::ScriptedTransport;
using protocol::Step;
using test::LineListener;
using test::ListedDialogue;
using test::telegram;
using testing::HasSubstr;

Step send(std::string_view text) {
  return step::Send(to_bytes(text));
}

Step listen(int milliseconds) {
  return step::Listen(Milliseconds(milliseconds));
}

class Converse : public testing::Test {
 protected:
  Converse() : line_(loop_.executor()) { (void)loop_.run(line_.open()); }

  fakes::Loop loop_;
  ScriptedTransport line_;
};

TEST_F(Converse, CarriesOutEveryStepInOrder) {
  line_.retuned("300 7E1")
      .expect("3f")
      .silence()
      .expect("3f")
      .answer("4142")
      .answer("43")
      .silence();
  const auto slow = LineSettings::parse(300, "7E1");
  ListedDialogue dialogue({step::Retune(*slow), send("?"), listen(1500), send("?"), listen(1500),
                           listen(200), step::Drain(Milliseconds(5)), step::Pause(Milliseconds(2)),
                           step::Finished(telegram("done"))});
  std::string tapped;
  const auto got = loop_.run(converse(line_, dialogue, [&](bool sent, ByteView bytes) {
    tapped += (sent ? ">" : "<") + to_text(bytes);
  }));
  ASSERT_TRUE(got) << got.error().detail();
  EXPECT_EQ(got->protocol, "done");
  EXPECT_EQ(dialogue.heard, "<silence>ABC");
  EXPECT_EQ(tapped, ">?>?<AB<C");
  EXPECT_EQ(line_.restored(), 1);  // whoever speaks next finds the line's own speed
  EXPECT_EQ(line_.complaint(), "");
}

TEST_F(Converse, LeavesTheLineAsItFoundItAlsoAfterAFailure) {
  line_.retuned("9600 7E1").breaks("unplugged");
  const auto fast = LineSettings::parse(9600, "7E1");
  ListedDialogue dialogue({step::Retune(*fast), listen(1500)});
  ASSERT_FALSE(loop_.run(converse(line_, dialogue)));
  EXPECT_EQ(line_.restored(), 1);
  line_.silence();
  ListedDialogue other({listen(100), step::Finished(telegram("x"))});
  (void)loop_.run(converse(line_, other));
  EXPECT_EQ(line_.restored(), 1);
}

TEST_F(Converse, ListensAsLongAsItWasTold) {
  line_.silence().answer("41").silence();
  ListedDialogue dialogue(
      {listen(1500), listen(700), step::Drain(Milliseconds(30)), step::Finished(telegram("x"))});
  ASSERT_TRUE(loop_.run(converse(line_, dialogue)));
  ASSERT_EQ(line_.waits().size(), 3U);
  EXPECT_NEAR(static_cast<double>(line_.waits()[0].count()), 1500, 50);
  EXPECT_NEAR(static_cast<double>(line_.waits()[1].count()), 700, 50);
  EXPECT_NEAR(static_cast<double>(line_.waits()[2].count()), 30, 50);
}

TEST_F(Converse, ListensForEverWithoutOverflow) {
  line_.answer("41");
  ListedDialogue dialogue({step::Listen(Milliseconds::max()), step::Finished(telegram("x"))});
  EXPECT_TRUE(loop_.run(converse(line_, dialogue)));
  EXPECT_GT(line_.waits().at(0), std::chrono::hours(1));
}

TEST_F(Converse, DrainsUntilItIsQuiet) {
  line_.answer("6c61").answer("7465").silence();
  ListedDialogue dialogue({step::Drain(Milliseconds(20)), step::Finished(telegram("x"))});
  ASSERT_TRUE(loop_.run(converse(line_, dialogue)));
  EXPECT_EQ(dialogue.heard, "");
  EXPECT_EQ(line_.complaint(), "");
}

TEST_F(Converse, PassesTheErrorOfTheDialogue) {
  ListedDialogue dialogue({listen(10)});
  const auto got = loop_.run(converse(line_, dialogue));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::no_frame);
  EXPECT_EQ(got.error().detail(), "the list is over; heard: <silence>");
}

TEST_F(Converse, PassesTheErrorOfTheLink) {
  line_.expect("3f").breaks("unplugged");
  ListedDialogue dialogue({send("?"), listen(10), step::Finished(telegram("x"))});
  const auto got = loop_.run(converse(line_, dialogue));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::io);
  EXPECT_EQ(got.error().detail(), "unplugged");
  EXPECT_EQ(dialogue.heard, "") << "a broken link is not a silent meter";
}

TEST_F(Converse, GoesOnWithAListenerAfterATelegram) {
  line_.answer(to_bytes("one\ntwo\nthr")).answer(to_bytes("ee\n")).silence();
  LineListener dialogue(Milliseconds(100));
  for (const auto* expected : {"one", "two", "three"}) {
    const auto got = loop_.run(converse(line_, dialogue));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->protocol, expected);
  }
  EXPECT_EQ(loop_.run(converse(line_, dialogue)).error().code(), Errc::timeout);
}

class ConverseOnAPort : public testing::Test {
 protected:
  ConverseOnAPort() {
    SerialOptions options;
    options.port = pty_.path();
    port_ = make_serial(loop_.executor(), options);
    const auto opened = loop_.run(port_->open());
    EXPECT_TRUE(opened);
  }

  // Cancels the conversation after some milliseconds and returns what came of it.
  Result<protocol::Telegram> cancelled_after(int milliseconds, protocol::Dialogue& dialogue) {
    asio::cancellation_signal stop;
    std::optional<Result<protocol::Telegram>> outcome;
    std::exception_ptr thrown;
    asio::co_spawn(
        loop_.context(), converse(*port_, dialogue),
        asio::bind_cancellation_slot(
            stop.slot(), [&](std::exception_ptr failure, Result<protocol::Telegram> result) {
              thrown = failure;
              outcome = std::move(result);
            }));
    asio::steady_timer soon(loop_.executor(), Milliseconds(milliseconds));
    soon.async_wait(
        [&](boost::system::error_code) { stop.emit(asio::cancellation_type::terminal); });
    loop_.until([&] { return outcome.has_value(); });
    EXPECT_FALSE(thrown) << "cancellation must be a return";
    return std::move(*outcome);
  }

  fakes::Loop loop_;
  fakes::PtyPair pty_;
  std::unique_ptr<Transport> port_;
};

TEST_F(ConverseOnAPort, ReturnsCancelledFromEveryStep) {
  const std::vector<Step> steps{listen(60'000), step::Pause(Milliseconds(60'000)),
                                step::Drain(Milliseconds(60'000)),
                                Step(step::Send(Bytes(1 << 20)))};
  for (const auto& what : steps) {
    ListedDialogue dialogue({what, step::Finished(telegram("x"))});
    const auto got = cancelled_after(10, dialogue);
    ASSERT_FALSE(got) << "step " << what.index();
    EXPECT_EQ(got.error().code(), Errc::cancelled)
        << "step " << what.index() << ": " << got.error().detail();
    EXPECT_EQ(dialogue.heard, "");
  }
}

TEST_F(ConverseOnAPort, EndsWithinTheWatchdogWhateverTheMeterDoes) {
  LineListener dialogue(Milliseconds(60'000));
  const auto got = loop_.run(under_watchdog(converse(*port_, dialogue), Milliseconds(30)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::watchdog);
  EXPECT_THAT(got.error().detail(), HasSubstr("30ms"));
  // The port is as good as before.
  ASSERT_TRUE(pty_.write("alive\n"));
  const auto next = loop_.run(under_watchdog(converse(*port_, dialogue), Milliseconds(5000)));
  ASSERT_TRUE(next) << next.error().detail();
  EXPECT_EQ(next->protocol, "alive");
}

TEST_F(ConverseOnAPort, LosesNoTelegramOfAFastMeter) {
  constexpr int telegrams = 3'000;
  std::thread meter([this] {
    std::string text;
    for (int i = 0; i < telegrams; ++i)
      text += std::to_string(i) + std::string(60, '.') + '\n';
    pollfd ready{pty_.descriptor(), POLLOUT, 0};
    for (std::size_t at = 0; at < text.size();) {
      const auto sent = ::write(pty_.descriptor(), text.data() + at,
                                std::min<std::size_t>(text.size() - at, 3000));
      if (sent > 0) {
        at += static_cast<std::size_t>(sent);
      } else if (poll(&ready, 1, 5000) != 1) {
        return;
      }
    }
  });
  const auto listener = [](Transport& port, int& count) -> asio::awaitable<std::string> {
    LineListener dialogue(Milliseconds(5000));
    while (count < telegrams) {
      const auto got = co_await under_watchdog(converse(port, dialogue), Milliseconds(10'000));
      if (!got) co_return got.error().detail();
      const auto expected = std::to_string(count) + '.';
      if (!got->protocol.starts_with(expected)) co_return "out of order: " + got->protocol;
      ++count;
    }
    co_return std::string();
  };
  int count = 0;
  EXPECT_EQ(loop_.run(listener(*port_, count), std::chrono::seconds(120)), "");
  EXPECT_EQ(count, telegrams);
  meter.join();
}

}  // namespace
}  // namespace meterbridge::io
