// SPDX-License-Identifier: MIT
// P03 of the user pains: no reconnect storms.
#include "io/backoff.hpp"

#include <set>

#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

using std::chrono::seconds;

TEST(Backoff, P03DoublesToItsCeilingWithJitterBelowTheStep) {
  Backoff backoff(seconds(1), seconds(60), 42);
  for (const auto step : {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000}) {
    const auto delay = backoff.next();
    EXPECT_GE(delay.count(), step * 3 / 4);
    EXPECT_LE(delay.count(), step);
  }
}

TEST(Backoff, P03BeginsAgainAfterSuccess) {
  Backoff backoff(seconds(1), seconds(60), 1);
  for (int i = 0; i < 10; ++i)
    (void)backoff.next();
  backoff.reset();
  EXPECT_LE(backoff.next(), seconds(1));
}

TEST(Backoff, P03MakesFewerThanAHundredAttemptsAnHour) {
  Backoff backoff(Milliseconds(500), seconds(60), 3);
  int attempts = 0;
  for (Milliseconds passed{}; passed < std::chrono::hours(1); passed += backoff.next())
    ++attempts;
  EXPECT_LT(attempts, 100);
}

TEST(Backoff, DiffersBetweenBridges) {
  std::set<Milliseconds> delays;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Backoff backoff(seconds(45), seconds(45), seed * 7919);
    delays.insert(backoff.next());
  }
  EXPECT_GT(delays.size(), 10U);
}

TEST(Backoff, NeverExceedsACeilingBelowTheFirstStep) {
  Backoff backoff(seconds(10), seconds(3));
  EXPECT_LE(backoff.next(), seconds(3));
}

}  // namespace
}  // namespace meterbridge::io
