// SPDX-License-Identifier: MIT
#include "protocol/exchange_list.hpp"

#include "bytes_of.hpp"
#include "virtual_line.hpp"

#include <algorithm>

namespace meterbridge::protocol {
namespace {

using namespace std::chrono_literals;
using test::VirtualLine;

// A toy protocol: every frame is two characters, '.' is noise, '!' is a frame with a fault.
Cut toy_framer(ByteView arrived) {
  Cut cut;
  const char first = static_cast<char>(u8(arrived.front()));
  if (first == '.' || first == '!') {
    cut.drop = 1;
    if (first == '!') cut.broken = Error(Errc::checksum, "bang");
  } else if (arrived.size() >= 2) {
    cut.frame = 2;
  }
  return cut;
}

class ToyPoll {
 public:
  explicit ToyPoll(const ExchangeList::Timing& timing = {})
      : list_(timing, [this]() -> Result<Telegram> {
          Telegram telegram;
          telegram.protocol = heard;
          return telegram;
        }) {}

  // Asks "Xq", takes "Xa".
  Exchange question(char what) {
    Exchange exchange;
    exchange.what = std::string("value ") + what;
    exchange.request = to_bytes(std::string(1, what) + "q");
    exchange.framer = toy_framer;
    exchange.on_reply = [this, what](ByteView frame) -> Result<Verdict> {
      const std::string text = to_text(frame);
      if (text == std::string(1, what) + "a") {
        heard += what;
        return Verdict::taken();
      }
      if (text == "RR") return Verdict::repeat(Error(Errc::exception, "asked to repeat"));
      if (text == "EE") return Error(Errc::access, "locked");
      return Verdict::ignored("a stranger");
    };
    return exchange;
  }

  ExchangeList& list() { return list_; }

  std::string heard;

 private:
  ExchangeList list_;
};

std::vector<VirtualLine::Arrival> at(Milliseconds after, std::string_view text) {
  return {{after, to_bytes(text)}};
}

TEST(ExchangeList, AsksOneQuestionAfterTheOther) {
  ToyPoll poll;
  for (const char what : {'1', '2', '3'})
    poll.list().add(poll.question(what));
  VirtualLine line(
      [](const Bytes& request) { return at(10ms, to_text(request).substr(0, 1) + "a"); });
  const auto telegram = line.converse(poll.list());
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(telegram->protocol, "123");
  EXPECT_EQ(line.sent().size(), 3U);
  EXPECT_FALSE(poll.list().unsettled());
}

TEST(ExchangeList, WithoutQuestionsIsFinishedAtOnce) {
  ToyPoll poll;
  VirtualLine line([](const Bytes&) { return at(0ms, ""); });
  EXPECT_TRUE(line.converse(poll.list()));
  EXPECT_TRUE(line.sent().empty());
}

TEST(ExchangeList, SkipsItsOwnEcho) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  VirtualLine line([](const Bytes&) { return at(1ms, "1q1a"); });
  const auto telegram = line.converse(poll.list());
  ASSERT_TRUE(telegram);
  EXPECT_EQ(telegram->protocol, "1");
}

TEST(ExchangeList, AnEchoAloneIsNoAnswer) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  VirtualLine line([](const Bytes& request) { return at(1ms, to_text(request)); });
  const auto telegram = line.converse(poll.list());
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::timeout);
  EXPECT_EQ(line.sent().size(), 3U);
}

TEST(ExchangeList, ATimeoutSaysWhatWasAskedAndHowOften) {
  ToyPoll poll;
  poll.list().add(poll.question('7'));
  VirtualLine line([](const Bytes&) { return std::vector<VirtualLine::Arrival>{}; });
  const auto telegram = line.converse(poll.list());
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().detail(), "value 7: no answer within 1500ms (3 attempts)");
  EXPECT_TRUE(poll.list().unsettled());
}

TEST(ExchangeList, NamesTheRungOfTheLadderInItsError) {
  const auto failure = [](std::string_view answer) {
    ToyPoll poll;
    poll.list().add(poll.question('1'));
    VirtualLine line([&](const Bytes&) { return at(1ms, answer); });
    const auto telegram = line.converse(poll.list());
    return telegram ? Errc::bug : telegram.error().code();
  };
  EXPECT_EQ(failure("..."), Errc::no_frame);
  EXPECT_EQ(failure("1"), Errc::no_frame);
  EXPECT_EQ(failure("!"), Errc::checksum);
  EXPECT_EQ(failure("2a"), Errc::mismatch);
  EXPECT_EQ(failure("EE"), Errc::access);
  EXPECT_EQ(failure("RR"), Errc::exception);
}

TEST(ExchangeList, AnErrorOfTheJudgeIsNotRepeated) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  VirtualLine line([&](const Bytes&) { return at(1ms, "EE"); });
  EXPECT_FALSE(line.converse(poll.list()));
  EXPECT_EQ(line.sent().size(), 1U);
}

TEST(ExchangeList, WaitsForTheRightAnswerBehindWrongOnes) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  VirtualLine line([](const Bytes&) { return at(1ms, "..2a!9a.1a"); });
  EXPECT_TRUE(line.converse(poll.list()));
  EXPECT_EQ(line.sent().size(), 1U);
}

TEST(ExchangeList, EndlessNoiseEndsTheAttempt) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  ExchangeList& list = poll.list();
  int steps = 0;
  const Bytes block = to_bytes("..........");
  Result<Step> step = list.next();
  for (; step && steps < 5000; ++steps) {
    if (std::holds_alternative<step::Listen>(*step)) list.received(block);
    step = list.next();
  }
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Errc::no_frame);
  EXPECT_LT(steps, 500);
}

TEST(ExchangeList, LateAnswersNeverAnswerTheNextQuestion) {
  // A protocol whose answers do not say what was asked: both questions take the same frame.
  std::string order;
  ExchangeList list({}, [] { return Result<Telegram>(Telegram()); });
  for (const char what : {'1', '2'}) {
    Exchange exchange;
    exchange.what = what;
    exchange.request = to_bytes(std::string(1, what) + "q");
    exchange.framer = toy_framer;
    exchange.on_reply = [&order, what](ByteView frame) -> Result<Verdict> {
      order += std::string(1, what) + to_text(frame) + " ";
      return Verdict::taken();
    };
    list.add(std::move(exchange));
  }
  // Every answer to question 1 takes three seconds: two of them are on their way when the first is
  // taken.
  VirtualLine line([](const Bytes& request) {
    const char what = to_text(request)[0];
    return at(what == '1' ? 3000ms : 100ms, std::string("=") + what);
  });
  ASSERT_TRUE(line.converse(list));
  EXPECT_EQ(order, "1=1 2=2 ");
}

TEST(ExchangeList, DrainsForLongAfterAnAnswerThatCameTwice) {
  ToyPoll poll;
  poll.list().add(poll.question('1'));
  poll.list().add(poll.question('2'));
  ExchangeList& list = poll.list();
  ASSERT_TRUE(std::holds_alternative<step::Drain>(*list.next()));
  ASSERT_TRUE(std::holds_alternative<step::Send>(*list.next()));
  list.received(to_bytes("1a1a"));
  const auto step = list.next();
  ASSERT_TRUE(std::holds_alternative<step::Drain>(*step));
  EXPECT_GE(std::get<step::Drain>(*step).quiet, 3000ms);
}

TEST(ExchangeList, BeginsUnsettledWithALongDrain) {
  ExchangeList::Timing timing;
  const auto first = [&] {
    ExchangeList list(timing, [] { return Result<Telegram>(Telegram()); });
    const auto step = list.next();
    return std::get<step::Drain>(*step).quiet;
  };
  EXPECT_EQ(first(), timing.pause);
  timing.unsettled = true;
  EXPECT_GE(first(), 2 * timing.response);
}

TEST(ExchangeList, GoesOnWithoutALostAnswerWhereTheQuestionAllowsIt) {
  ToyPoll poll;
  Exchange optional = poll.question('1');
  optional.on_lost = [](const Error&) { return Result<>(); };
  poll.list().add(std::move(optional));
  poll.list().add(poll.question('2'));
  VirtualLine line([](const Bytes& request) {
    return to_text(request) == "2q" ? at(1ms, "2a") : std::vector<VirtualLine::Arrival>{};
  });
  const auto telegram = line.converse(poll.list());
  ASSERT_TRUE(telegram);
  EXPECT_EQ(telegram->protocol, "2");
}

TEST(ExchangeList, AnAnswerMayAddAndDropQuestions) {
  ToyPoll poll;
  ExchangeList& list = poll.list();
  Exchange first = poll.question('1');
  first.on_reply = [&](ByteView) -> Result<Verdict> {
    list.clear();
    list.add(poll.question('3'));
    return Verdict::taken();
  };
  list.add(std::move(first));
  list.add(poll.question('2'));
  VirtualLine line(
      [](const Bytes& request) { return at(1ms, to_text(request).substr(0, 1) + "a"); });
  const auto telegram = line.converse(list);
  ASSERT_TRUE(telegram);
  EXPECT_EQ(telegram->protocol, "3");
}

TEST(ExchangeList, IgnoresBytesThatNobodyAskedFor) {
  ToyPoll poll;
  ExchangeList& list = poll.list();
  list.add(poll.question('1'));
  list.received(to_bytes("1a"));
  list.silence();
  ASSERT_TRUE(std::holds_alternative<step::Drain>(*list.next()));
  list.received(to_bytes("1a"));
  ASSERT_TRUE(std::holds_alternative<step::Send>(*list.next()));
  EXPECT_TRUE(std::holds_alternative<step::Listen>(*list.next()));
  EXPECT_EQ(poll.heard, "");
}

TEST(ExchangeList, IsABugToAskAfterTheEnd) {
  ToyPoll poll;
  VirtualLine line([](const Bytes&) { return at(0ms, ""); });
  ASSERT_TRUE(line.converse(poll.list()));
  EXPECT_EQ(poll.list().next().error().code(), Errc::bug);
}

}  // namespace
}  // namespace meterbridge::protocol
