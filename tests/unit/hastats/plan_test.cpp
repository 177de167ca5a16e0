// SPDX-License-Identifier: MIT
#include "hastats/plan.hpp"

#include <random>

#include <gtest/gtest.h>

namespace meterbridge::hastats {
namespace {

constexpr Seconds begin{std::chrono::seconds(1'790'000'000 / 3600 * 3600)};

Decimal number(const char* text) {
  const auto parsed = Decimal::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Decimal();
}

Row row(int hour, const char* state, const char* sum) {
  Row made;
  made.start = begin + std::chrono::hours(hour);
  made.state = number(state);
  made.sum = number(sum);
  return made;
}

std::vector<std::string> words(const Result<Plan>& plan) {
  if (!plan) return {plan.error().detail()};
  std::vector<std::string> out;
  for (const Step& step : plan->steps)
    out.push_back(std::to_string((step.row.start - begin) / std::chrono::hours(1)) + " " +
                  step.row.state.str() + " " + step.row.sum.str() +
                  (step.before ? " was " + step.before->state.str() : ""));
  for (const Shift& shift : plan->shifts)
    out.push_back("shift " + std::to_string((shift.from - begin) / std::chrono::hours(1)) + " " +
                  shift.by.str());
  return out;
}

using Words = std::vector<std::string>;

Hours known(std::initializer_list<std::pair<int, const char*>> list) {
  Hours found;
  for (const auto& [hour, state] : list)
    found.emplace(begin + std::chrono::hours(hour), number(state));
  return found;
}

TEST(Statistics, P40_MissingHoursAreFilledAndTheOneInWhichTheGapBeganIsMadeWhole) {
  const std::vector<Row> there{row(0, "100.0", "5.0"), row(1, "100.4", "5.4"),
                               row(4, "103.0", "8.0")};
  const Hours counted =
      known({{0, "100.0"}, {1, "100.9"}, {2, "101.5"}, {3, "102.5"}, {4, "103.0"}});
  EXPECT_EQ(words(make_plan(there, counted, Range())),
            (Words{"1 100.9 5.9 was 100.4", "2 101.5 6.5", "3 102.5 7.5"}));
}

TEST(Statistics, P40_WhatIsWholeIsLeftAlone) {
  const std::vector<Row> there{row(0, "100.0", "5.0"), row(1, "100.4", "5.4")};
  EXPECT_EQ(words(make_plan(there, known({{0, "100.1"}, {1, "100.9"}}), Range())), Words{})
      << "rates of publication make small differences in every hour";
  EXPECT_EQ(words(make_plan({}, known({{0, "1"}}), Range())), Words{});
}

TEST(Statistics, P40_AHourThatStoodStillIsMadeRightWhenItIsNamed) {
  const std::vector<Row> there{row(0, "100.0", "5.0"), row(1, "100.0", "5.0"),
                               row(2, "103.0", "8.0")};
  const Hours counted = known({{0, "100.0"}, {1, "101.0"}, {2, "103.0"}});
  Range range;
  range.from = begin;
  EXPECT_EQ(words(make_plan(there, counted, range)), (Words{"1 101.0 6.0 was 100.0"}));
  range.to = begin + std::chrono::hours(1);
  EXPECT_EQ(words(make_plan(there, counted, range)), Words{});
}

TEST(Statistics, P40_HoursInWhichHomeAssistantWasOffStoodStillAndAreMadeRight) {
  // Off from the middle of hour 1 until hour 4; hour 6 is one in which nothing was used.
  const std::vector<Row> there{row(0, "100.0", "5.0"),  row(1, "100.4", "5.4"),
                               row(2, "100.4", "5.4"),  row(3, "100.4", "5.4"),
                               row(4, "104.0", "9.0"),  row(5, "105.0", "10.0"),
                               row(6, "105.0", "10.0"), row(7, "106.0", "11.0")};
  const Hours counted = known({{0, "100.0"},
                               {1, "101.0"},
                               {2, "102.0"},
                               {3, "103.0"},
                               {4, "104.0"},
                               {5, "105.0"},
                               {6, "105.0"},
                               {7, "106.0"}});
  EXPECT_EQ(words(make_plan(there, counted, Range())),
            (Words{"1 101.0 6.0 was 100.4", "2 102.0 7.0 was 100.4", "3 103.0 8.0 was 100.4"}));
  // Both were off: of the hours without a journal nothing is known, and what was made up stays.
  EXPECT_EQ(words(make_plan({row(0, "100.0", "5.0"), row(1, "100.0", "5.0"), row(2, "100.0", "5.0"),
                             row(3, "104.0", "9.0")},
                            known({{0, "100.0"}, {1, "100.1"}, {3, "104.0"}}), Range())),
            Words{});
  // It is still off, or was until now.
  EXPECT_EQ(words(make_plan({row(0, "100.0", "5.0"), row(1, "100.0", "5.0")},
                            known({{0, "100.0"}, {1, "101.0"}}), Range())),
            (Words{"1 101.0 6.0 was 100.0"}));
}

TEST(Statistics, P40_ASumThatBeganAnewIsMovedOnRequest) {
  const std::vector<Row> there{row(0, "100.0", "5.0"), row(2, "102.0", "0.0"),
                               row(4, "104.0", "2.0")};
  const Hours counted = known({{1, "101.0"}, {3, "103.0"}});
  EXPECT_EQ(words(make_plan(there, counted, Range())),
            (Words{"1 101.0 6.0", "3 103.0 8.0", "shift 2 7.0"}));
}

TEST(Statistics, P40_HoursBeforeTheFirstGoOnBackwards) {
  Range range;
  range.from = begin;
  EXPECT_EQ(words(make_plan({row(2, "102.0", "1.0")}, known({{0, "100.5"}, {1, "101.0"}}), range)),
            (Words{"0 100.5 -0.5", "1 101.0 0.0"}));
}

TEST(Statistics, P40_AFallIsRefused) {
  const std::vector<Row> there{row(0, "100.0", "5.0"), row(3, "103.0", "8.0")};
  for (const Hours& counted :
       {known({{1, "99.0"}}), known({{1, "102.0"}, {2, "101.0"}}), known({{1, "104.0"}})}) {
    const auto plan = make_plan(there, counted, Range());
    ASSERT_FALSE(plan);
    EXPECT_TRUE(plan.error().detail().starts_with("the counter falls from "))
        << plan.error().detail();
  }
}

// Whatever is missing: afterwards every sum is the counter less what it began with.
TEST(Statistics, P40_AnyGapsLeaveEverySumRight) {
  std::mt19937 random(40);
  for (int round = 0; round < 200; ++round) {
    std::vector<Row> there;
    Hours counted;
    std::int64_t counter = 100'000;
    for (int hour = 0; hour < 60; ++hour) {
      counter += random() % 3000;
      const Seconds at = begin + std::chrono::hours(hour);
      counted.emplace(at, Decimal(counter, -3));
      Row made;
      made.start = at;
      made.state = Decimal(counter, -3);
      made.sum = Decimal(counter - 90'000, -3);
      if (hour == 0 || hour == 59 || random() % 2 == 0) there.push_back(made);
    }
    const auto plan = make_plan(there, counted, Range());
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->steps.size() + there.size(), 60U);
    EXPECT_TRUE(plan->shifts.empty());
    for (const Step& step : plan->steps) {
      const auto begun = step.row.state.minus(step.row.sum);
      ASSERT_TRUE(begun);
      EXPECT_EQ(*begun, Decimal(90));
    }
  }
}

}  // namespace
}  // namespace meterbridge::hastats
