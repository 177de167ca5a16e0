// SPDX-License-Identifier: MIT
#include "app/bus_share.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

using namespace std::chrono_literals;
using Time = BusShare::Time;
using Span = BusShare::Span;

constexpr Time start{100h};

TEST(BusShare, P06SuspectsAfterThreeFailuresWhileOthersAnswer) {
  BusShare share;
  Time now = start;
  for (unsigned i = 1; i <= BusShare::patience; ++i) {
    share.answered("good", now += 1s);
    share.failed("dead", now, now + 5s);
    now += 5s;
    EXPECT_EQ(share.suspects("dead"), i == BusShare::patience) << i;
  }
  EXPECT_FALSE(share.suspects("good"));
  EXPECT_EQ(share.earliest("good"), Time{});
  // 5 s of 60: less than a tenth of the 55 s that are left to the others.
  EXPECT_EQ(share.earliest("dead"), now + 55s);
}

TEST(BusShare, P06TakesAMeterBackAfterOneAnswer) {
  BusShare share;
  Time now = start;
  for (int i = 0; i < 10; ++i) {
    share.answered("good", now += 1s);
    share.failed("dead", now, now + 5s);
    now += 5s;
  }
  ASSERT_TRUE(share.suspects("dead"));
  share.answered("dead", now += 1s);
  EXPECT_FALSE(share.suspects("dead"));
  EXPECT_EQ(share.earliest("dead"), Time{});
  share.failed("dead", now, now + 5s);
  EXPECT_FALSE(share.suspects("dead"));  // the count begins anew
}

TEST(BusShare, P06AloneOrAmongTheSilentNobodyIsSuspected) {
  BusShare share;
  Time now = start;
  for (int i = 0; i < 10; ++i) {
    share.failed("only", now, now + 5s);
    now += 5s;
  }
  EXPECT_FALSE(share.suspects("only"));
  // An answer of long ago proves nothing: the line may have died since.
  share.answered("other", now += 1s);
  share.failed("only", now, now + 5s);
  now += 5s;
  EXPECT_TRUE(share.suspects("only"));
  share.failed("other", now, now + 5s);
  now += 5s;
  share.failed("only", now, now + 5s);
  now += 5s;
  EXPECT_FALSE(share.suspects("only"));
}

TEST(BusShare, P06ALineThatWasAwayClearsEverybody) {
  BusShare share;
  Time now = start;
  for (int i = 0; i < 5; ++i) {
    share.answered("good", now += 1s);
    share.failed("dead", now, now + 5s);
    now += 5s;
  }
  share.forgive();
  EXPECT_FALSE(share.suspects("dead"));
  EXPECT_EQ(share.earliest("dead"), Time{});
}

TEST(BusShare, P06AMeterThatIsNotAskedAnyMoreTakesNoPart) {
  BusShare share;
  Time now = start;
  for (int i = 0; i < 5; ++i) {
    share.answered("good", now += 1s);
    share.failed("gone", now, now + 5s);
    share.failed("dead", now + 5s, now + 10s);
    now += 10s;
  }
  EXPECT_EQ(share.earliest("dead"), now + 110s);
  share.forget("gone");
  EXPECT_EQ(share.earliest("dead"), now + 55s);
}

// A line in virtual time: whoever is due first has it first, as the token of io::Line goes round.
struct Seat {
  std::string id;
  Span cost{};  // of a poll
  Span interval{};
  bool dead = false;
  Time due = start;
  int polls = 0;
};

// Polls of the living within `length`, after the time in which the dead are found out.
int play(std::vector<Seat>& seats, Span length, int percent) {
  BusShare share(percent);
  Time now = start;
  const Time counted = start + 10min;
  int living = 0;
  while (now < counted + length) {
    Seat& next = *std::min_element(seats.begin(), seats.end(),
                                   [](const Seat& a, const Seat& b) { return a.due < b.due; });
    now = std::max(now, next.due);
    if (const Time allowed = share.earliest(next.id); allowed > now) {
      next.due = allowed;
      continue;
    }
    const Time begin = now;
    now += next.cost;
    if (next.dead) {
      share.failed(next.id, begin, now);
    } else {
      share.answered(next.id, now);
    }
    next.due = std::max(now + next.interval, share.earliest(next.id));
    if (now < counted) continue;
    ++next.polls;
    if (!next.dead) ++living;
  }
  return living;
}

TEST(BusShare, P06ThreeDeadOfEightCostTheOthersNoMoreThanTheCeiling) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 dice(seed);
    const auto between = [&](int least, int most) {
      return std::chrono::milliseconds(
          least + static_cast<int>(dice() % static_cast<unsigned>(most - least + 1)));
    };
    const int percent = seed % 4 == 0 ? 5 : BusShare::default_percent;
    const Span interval = between(0, 3000);  // from a line without a pause to one with air
    std::vector<Seat> living;
    for (int i = 0; i < 5; ++i)
      living.push_back({"good " + std::to_string(i), between(300, 2000), interval});
    std::vector<Seat> all = living;
    for (int i = 0; i < 3; ++i)
      all.push_back({"dead " + std::to_string(i), between(100, 6000), interval, true});

    const Span length = 6h;
    const int alone = play(living, length, percent);
    const int shared = play(all, length, percent);
    const double growth = static_cast<double>(alone) / shared - 1;
    EXPECT_LE(growth, percent / 100.0 + 0.001) << "seed " << seed;
    for (const Seat& seat : all)
      EXPECT_GT(seat.polls, 50) << seat.id << ", seed " << seed;  // nobody is forgotten
  }
}

TEST(BusShare, P06AHigherCeilingIsTaken) {
  std::vector<Seat> living;
  for (int i = 0; i < 5; ++i)
    living.push_back({"good " + std::to_string(i), 1s, 0s});
  std::vector<Seat> all = living;
  for (int i = 0; i < 3; ++i)
    all.push_back({"dead " + std::to_string(i), 5s, 0s, true});
  EXPECT_GT(play(living, 1h, 100), 1.5 * play(all, 1h, 100));
}

}  // namespace
}  // namespace meterbridge::app
