// SPDX-License-Identifier: MIT
#include "journal/import.hpp"

#include "journal/archive.hpp"
#include "unit/journal/house.hpp"

namespace meterbridge::journal {
namespace {

std::vector<Entry> entries_of(const std::string& path) {
  const auto archive = open_archive(path);
  EXPECT_TRUE(archive);
  if (!archive) return {};
  const auto entries = (*archive)->after(0, Span(), 100'000);
  return entries ? *entries : std::vector<Entry>();
}

// How many were new.
int import(House& house, std::int64_t first, std::int64_t count, bool finish = true) {
  const auto into =
      begin_import(house.options.path, static_cast<std::uint64_t>(count), house.clock);
  EXPECT_TRUE(into) << into.error().detail();
  if (!into) return -1;
  int added = 0;
  for (std::int64_t i = first; i < first + count; ++i) {
    const auto verdict = (*into)->add(sample_of(i));
    EXPECT_TRUE(verdict) << verdict.error().detail();
    if (verdict && verdict->added) ++added;
  }
  if (finish) {
    EXPECT_TRUE((*into)->finish());
  }
  return added;
}

TEST(Import, ComesBeforeWhatIsThereAndNoSinkGetsIt) {
  House house;
  Sequence live = 0;
  {
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    fill(*journal, 1000, 3);
    ASSERT_TRUE(journal->commit());
    live = journal->committed();
  }
  EXPECT_EQ(import(house, 0, 500), 500);
  EXPECT_EQ(import(house, 0, 500), 0) << "nothing is added twice";
  EXPECT_EQ(import(house, 500, 10, false), 10);
  EXPECT_EQ(entries_of(house.options.path).size(), 503U) << "without the end nothing happened";
  const auto journal = house.open();
  EXPECT_EQ(journal->status().entries, 503U);
  EXPECT_EQ(journal->committed(), live);
  const auto cursor = journal->cursor("csv");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(numbers(*journal, *cursor), range(1000, 3));
  fill(*journal, 2000, 1);
  ASSERT_TRUE(journal->commit());
  EXPECT_GT(journal->committed(), live);
}

TEST(Import, IntoNothingAndThenTheServiceGoesOnAboveEveryNumber) {
  House house;
  EXPECT_EQ(import(house, 0, 100), 100);
  const Sequence imported = entries_of(house.options.path).back().sequence;
  const auto journal = house.open();
  const auto cursor = journal->cursor("csv");
  ASSERT_TRUE(cursor);
  fill(*journal, 1000, 1);
  ASSERT_TRUE(journal->commit());
  EXPECT_GT(journal->committed(), imported);
  EXPECT_GE(journal->committed(), first_sequence(house.clock.now()));
  EXPECT_EQ(numbers(*journal, *cursor), range(1000, 1)) << "a new sink begins behind the import";
}

TEST(Import, NumbersAreNeverGivenTwice) {
  House house;
  EXPECT_EQ(import(house, 0, 50), 50);
  const Sequence before = entries_of(house.options.path).front().sequence;
  EXPECT_EQ(import(house, 50, 50), 50);
  const auto entries = entries_of(house.options.path);
  ASSERT_EQ(entries.size(), 100U);
  EXPECT_LT(entries[49].sequence, before);
}

TEST(Import, WhatIsThereStaysAndOnlyMissingReadingsCome) {
  House house;
  EXPECT_EQ(import(house, 7, 1), 1);
  Sample other = sample_of(7);
  const Reading first = other.readings.front();
  other.readings.resize(1);
  other.readings.front().value = Decimal(123456);
  other.readings.emplace_back(make_key(Quantity::frequency), Decimal(500, -1), Unit::Hz);
  {
    const auto into = begin_import(house.options.path, 1, house.clock);
    ASSERT_TRUE(into);
    const auto verdict = (*into)->add(other);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->added);
    EXPECT_EQ(verdict->other, std::vector<std::string>{first.key.text()});
    ASSERT_TRUE((*into)->finish());
  }
  const auto entries = entries_of(house.options.path);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].sample.readings.size(), 1U) << "the later import stands before";
  EXPECT_EQ(entries[1].sample.readings.front().value, first.value);
}

Sample counted(std::int64_t minute, std::int64_t value) {
  Sample sample = sample_of(minute * 60);
  sample.readings.assign(
      1, Reading(make_key(Quantity::energy, Direction::import), Decimal(value), Unit::kWh));
  return sample;
}

TEST(Import, CountersThatFallAmongNeighboursAreFound) {
  House house;
  const auto falls_of = [&](const std::vector<Sample>& samples, std::size_t second_file,
                            bool finish) {
    std::vector<std::string> told;
    const auto into = begin_import(house.options.path, samples.size(), house.clock);
    EXPECT_TRUE(into);
    for (std::size_t i = 0; into && i < samples.size(); ++i) {
      if (i == second_file) (*into)->next_file();
      EXPECT_TRUE((*into)->add(samples[i]));
    }
    const auto count = (*into)->falls([&](const Fall& fall) {
      told.push_back(fall.from.value.str() + (fall.from.imported ? "i " : " ") +
                     fall.to.value.str() + (fall.to.imported ? "i" : ""));
    });
    EXPECT_TRUE(count && *count == told.size());
    if (finish) {
      EXPECT_TRUE((*into)->finish());
    }
    return told;
  };
  using Told = std::vector<std::string>;
  EXPECT_EQ(falls_of({counted(10, 100), counted(11, 101), counted(20, 110)}, 9, true), Told());
  EXPECT_EQ(falls_of({counted(5, 99), counted(6, 101)}, 9, false), Told{"101i 100"});
  EXPECT_EQ(falls_of({counted(30, 109), counted(31, 120)}, 9, false), Told{"110 109i"});
  EXPECT_EQ(falls_of({counted(12, 102), counted(15, 111)}, 9, false), Told{"111i 110"});
  EXPECT_EQ(falls_of({counted(13, 105), counted(12, 106)}, 9, false), Told{"106i 105i"})
      << "backwards";
  EXPECT_EQ(falls_of({counted(30, 112), counted(31, 111)}, 1, false), Told{"112i 111i"})
      << "two files";
  EXPECT_EQ(falls_of({counted(30, 112), counted(31, 111)}, 9, false), Told())
      << "of one file: its reader told it";
  Sample power = counted(15, 1);
  power.readings.front() = Reading(make_key(Quantity::power), Decimal(1), Unit::W);
  EXPECT_EQ(falls_of({counted(12, 111), power}, 9, false), Told{"111i 110"})
      << "one without counters between";
  const auto archive = open_archive(house.options.path);
  ASSERT_TRUE(archive);
}

TEST(Import, OldestAndNewestAreThoseOfTheTime) {
  House house;
  EXPECT_EQ(import(house, 100, 5), 5);
  {
    const auto into = begin_import(house.options.path, 2, house.clock);
    ASSERT_TRUE(into);
    ASSERT_TRUE((*into)->add(sample_of(500)));
    ASSERT_TRUE((*into)->add(sample_of(1)));
    ASSERT_TRUE((*into)->finish());
  }
  const auto archive = open_archive(house.options.path);
  ASSERT_TRUE(archive);
  const auto overview = (*archive)->overview();
  ASSERT_TRUE(overview && overview->oldest && overview->newest);
  EXPECT_EQ(overview->oldest->at, sample_of(1).at);
  EXPECT_EQ(overview->newest->at, sample_of(500).at);
}

TEST(Import, AForeignFileIsRefusedAndStaysWhereItIs) {
  House house;
  std::ofstream(house.options.path) << "this is no journal, but it is long enough to be looked at";
  EXPECT_FALSE(begin_import(house.options.path, 1, house.clock));
  EXPECT_TRUE(fs::exists(house.options.path));
}

}  // namespace
}  // namespace meterbridge::journal
