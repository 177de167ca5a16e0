// SPDX-License-Identifier: MIT
// A line that is shared: gaps, another master, registers that do not fit.
#include "ce102_bench.hpp"
#include "protocol/registers.hpp"

#include <algorithm>

namespace meterbridge::protocol::ce102 {
namespace {

using protocol::test::hex;
using protocol::test::reading;
using namespace test;
using Arrivals = std::optional<std::vector<VirtualLine::Arrival>>;

Bytes request_of_another(std::uint16_t meter, std::string_view data) {
  Station other;
  other.meter = meter;
  other.bridge = 1;
  return *build_request(other, Query::energy, hex(data));
}

Bytes energy_answer(const Frame& request, std::string_view count) {
  Frame reply;
  reply.to = request.from;
  reply.from = request.to;
  reply.command = request.command;
  reply.data = hex("001126" + std::string(count));
  return build_reply(reply);
}

// The registers as the bench's meter has them.
constexpr std::string_view sum = "46420f00";   // 10000.06
constexpr std::string_view part = "a1860100";  // 1000.01

TEST(Ce102Line, P07EachMeterHasItsOwnGaps) {
  const auto first_quiet = [](Set settings) {
    const auto driver = *ce102_protocol.driver(settings_of(ce102_protocol, settings));
    const auto dialogue = driver->begin();
    const auto step = dialogue->next();
    return step ? std::get<step::Drain>(*step).quiet : Milliseconds(-1);
  };
  EXPECT_EQ(first_quiet({{"address", "1"}}), 50ms);
  EXPECT_EQ(first_quiet({{"address", "1"}, {"gap", "20ms"}, {"address_gap", "300ms"}}), 320ms);
  EXPECT_FALSE(
      ce102_protocol.driver(settings_of(ce102_protocol, {{"address", "1"}, {"gap", "11s"}})));
}

TEST(Ce102Line, P08NamesAnotherMasterThatIsHeardBetweenTwoPolls) {
  Bench bench(ce307_meter, ce307_meter);
  bench.line().inject(10ms, request_of_another(13463, "0001"));
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(bench.driver().remark(),
            "another master is talking on the line: it asks the address 13463 as 1");
  bench.line().wait(1000ms);
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.driver().remark(), "");
}

TEST(Ce102Line, P08NamesAnotherMasterThatIsHeardBeforeAnAnswer) {
  Bench bench(ce307_meter, ce307_meter);
  Mischief mischief;
  mischief.other_master = true;
  bench.responder().misbehave(mischief);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.06");
  EXPECT_NE(bench.driver().remark().find("another master is talking"), std::string::npos);
}

TEST(Ce102Line, P08AFailureSaysThatAnotherMasterWasHeard) {
  Bench bench(ce307_meter, ce307_meter);
  bench.twist = [](const Frame&) -> Arrivals {
    return std::vector<VirtualLine::Arrival>{{20ms, request_of_another(13463, "0001")}};
  };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::mismatch);
  EXPECT_NE(telegram.error().detail().find("another master is talking on the line"),
            std::string::npos)
      << telegram.error().detail();
}

// Both masters ask the same meter: the answer to the other's question comes first.
TEST(Ce102Line, P08AnAnswerToAnothersQuestionIsNotTaken) {
  Bench bench(ce307_meter, ce307_meter);
  int collisions = 0;
  bench.twist = [&](const Frame& request) -> Arrivals {
    if (request.command != 0x0130 || u8(request.data[1]) != 1 || collisions++ > 0)
      return std::nullopt;
    std::vector<VirtualLine::Arrival> arrivals{{20ms, request_of_another(13462, "0002")},
                                               {150ms, energy_answer(request, "42420f00")}};
    arrivals.push_back({300ms, energy_answer(request, part)});
    return arrivals;
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(collisions, 2);
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01");
}

TEST(Ce102Line, P09RegistersThatDoNotAddUpAreReadOnceMore) {
  Bench bench(ce307_meter, ce307_meter);
  int wrong = 1;
  bench.twist = [&](const Frame& request) -> Arrivals {
    if (request.command != 0x0130 || u8(request.data[1]) != 2 || wrong-- <= 0) return std::nullopt;
    return std::vector<VirtualLine::Arrival>{{200ms, energy_answer(request, part)}};
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import_t2"), "2000.02");
  EXPECT_EQ(bench.asked().size(), 15U);
  std::size_t energies = 0;
  for (const Reading& r : telegram->readings.front().readings)
    energies += r.key.quantity == Quantity::energy ? 1 : 0;
  EXPECT_EQ(energies, 5U);  // each once
}

TEST(Ce102Line, P09TwoTariffsThatChangePlacesAreNoticedByTheirFall) {
  Bench bench(ce307_meter, ce307_meter);
  ASSERT_TRUE(bench.poll());
  bench.asked();
  int swapped = 2;
  bench.twist = [&](const Frame& request) -> Arrivals {
    if (request.command != 0x0130 || u8(request.data[1]) == 0 || u8(request.data[1]) > 2 ||
        swapped-- <= 0)
      return std::nullopt;
    const bool first = u8(request.data[1]) == 1;  // T1 gets 2000.02, T2 gets 1000.01
    return std::vector<VirtualLine::Arrival>{
        {200ms, energy_answer(request, first ? "420d0300" : part)}};
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01");
  EXPECT_EQ(reading(*telegram, "energy_import_t2"), "2000.02");
}

TEST(Ce102Line, P09WhatContradictsItselfTwiceIsAnError) {
  Bench bench(ce307_meter, ce307_meter);
  int count = 0;
  bench.twist = [&](const Frame& request) -> Arrivals {
    if (request.command != 0x0130 || u8(request.data[1]) != 2) return std::nullopt;
    return std::vector<VirtualLine::Arrival>{
        {200ms, energy_answer(request, count++ == 0 ? part : sum)}};
  };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::mismatch);
  EXPECT_NE(telegram.error().detail().find("contradict"), std::string::npos);
}

// A gateway that is one answer behind says the same wrong things every time, in the same order.
TEST(Ce102Line, P09AnswersThatAreAllOneBehindAreNeverBelieved) {
  for (const bool single : {false, true}) {
    Bench bench(ce307_meter, ce307_meter);
    if (single) {
      MeterFace one = face();
      one.energy_import = {Decimal(1000010), Decimal(0), Decimal(0), Decimal(0)};
      bench.responder().show(one);
    }
    Bytes behind = energy_answer(*parse_request(request_of_another(13462, "0000")), part);
    bench.twist = [&](const Frame&) -> Arrivals {
      const auto answers = bench.responder().received(bench.line().sent().back());
      return std::vector<VirtualLine::Arrival>{{200ms, std::exchange(behind, answers.front())}};
    };
    for (int i = 0; i < 20; ++i)
      EXPECT_FALSE(bench.poll()) << i;
  }
}

// With two of its four tariffs asked for, nothing ever adds up: that is read three times once, not
// in every poll.
TEST(Ce102Line, P09AMeterThatMeansItIsBelieved) {
  Bench bench(ce307_meter, {{"address", "13462"}, {"family", "ce307"}, {"tariffs", "2"}});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.06");
  const auto first = bench.asked();
  EXPECT_EQ(std::ranges::count(first, "0130 0000"), 3);
  ASSERT_TRUE(bench.poll());
  const auto second = bench.asked();
  EXPECT_EQ(std::ranges::count(second, "0130 0000"), 1);
}

TEST(Ce102Registers, AddUpWithinWhatIsUsedWhileTheyAreRead) {
  const auto all = [](std::int64_t total, std::int64_t t1, std::int64_t t2) {
    return Registers{{0, Decimal(total, -2)}, {1, Decimal(t1, -2)}, {2, Decimal(t2, -2)}};
  };
  EXPECT_TRUE(adds_up(all(3000, 1000, 2000), 2));
  EXPECT_TRUE(adds_up(all(3000, 1000, 2013), 2));  // 0.1 kWh and a digit for each register
  EXPECT_TRUE(adds_up(all(3013, 1000, 2000), 2));
  EXPECT_FALSE(adds_up(all(3000, 1000, 2014), 2));
  EXPECT_FALSE(adds_up(all(3014, 1000, 2000), 2));
  EXPECT_FALSE(adds_up(all(0, 1000, 2000), 2));
  // Without decimals each register may be cut by nearly 1 kWh.
  EXPECT_TRUE(adds_up({{0, Decimal(3003)}, {1, Decimal(1000)}, {2, Decimal(2000)}}, 0));
  EXPECT_FALSE(adds_up({{0, Decimal(3004)}, {1, Decimal(1000)}, {2, Decimal(2000)}}, 0));
  EXPECT_TRUE(adds_up({{0, Decimal(3004)}}, 0));
  EXPECT_TRUE(adds_up({}, 0));
}

TEST(Ce102Line, P06KnockingGivesUpAfterOneQuestionUnlessItIsAnswered) {
  Bench bench(ce307_meter, ce307_meter);
  int silent = 1;
  bench.twist = [&](const Frame&) -> Arrivals {
    if (silent-- > 0) return std::vector<VirtualLine::Arrival>{};
    return std::nullopt;
  };
  const auto away = bench.driver().knock();
  const auto nothing = bench.line().converse(*away);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code(), Errc::timeout);
  EXPECT_EQ(bench.asked().size(), 1U);
  // Who answers is given all attempts for the rest.
  int questions = 0;
  bench.twist = [&](const Frame&) -> Arrivals {
    if (++questions == 2) return std::vector<VirtualLine::Arrival>{};
    return std::nullopt;
  };
  const auto back = bench.driver().knock();
  EXPECT_TRUE(bench.line().converse(*back));
}

// What the sum cannot see where not all tariffs are asked for.
TEST(Ce102Line, P09ATariffThatGrowsMoreThanTheSumIsReadOnceMore) {
  Bench bench(ce307_meter, {{"address", "13462"}, {"family", "ce307"}, {"tariffs", "2"}});
  ASSERT_TRUE(bench.poll());
  int wrong = 1;
  bench.twist = [&](const Frame& request) -> Arrivals {
    if (request.command != 0x0130 || u8(request.data[1]) != 2 || wrong-- <= 0) return std::nullopt;
    return std::vector<VirtualLine::Arrival>{{200ms, energy_answer(request, sum)}};
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import_t2"), "2000.02");
}

TEST(Ce102Registers, FollowOneAnother) {
  const Registers before{{0, Decimal(30000, -2)}, {1, Decimal(10000, -2)}};
  const Registers after{{0, Decimal(30100, -2)}, {1, Decimal(10100, -2)}};
  EXPECT_TRUE(follows(after, before, 2));
  EXPECT_FALSE(follows(before, after, 2));
  EXPECT_TRUE(follows(after, {}, 2));
  EXPECT_TRUE(follows({{0, Decimal(30000, -2)}, {1, Decimal(10012, -2)}}, before, 2));
  EXPECT_FALSE(follows({{0, Decimal(30000, -2)}, {1, Decimal(10013, -2)}}, before, 2));
  EXPECT_TRUE(follows({{1, Decimal(20000, -2)}}, before, 2));
}

TEST(Ce102Registers, AgreeWhenLittleWasUsedInBetween) {
  const Registers before{{0, Decimal(300)}, {1, Decimal(100)}};
  const Registers after{{0, Decimal(301)}, {1, Decimal(100)}};
  EXPECT_TRUE(agrees(before, after));
  EXPECT_FALSE(agrees(after, before));
  EXPECT_FALSE(agrees(before, {{0, Decimal(302)}, {1, Decimal(100)}}));
  EXPECT_FALSE(agrees(before, {{0, Decimal(300)}}));
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
