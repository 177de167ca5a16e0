// SPDX-License-Identifier: MIT
// What both journals promise, and what the one on a disk promises beyond.
#include "journal/archive.hpp"
#include "journal/front.hpp"
#include "journal/memory.hpp"
#include "unit/journal/house.hpp"

namespace meterbridge::journal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// What a crash leaves.
void copy_files(const House& from, const House& to) {
  for (const char* tail : {"", "-wal", "-front"}) {
    if (fs::exists(from.options.path + tail))
      fs::copy(from.options.path + tail, to.options.path + tail);
  }
}

TEST(InMemoryJournal, CountsWhatItDrops) {
  const auto journal = in_memory(10);
  ASSERT_TRUE(journal->cursor("csv"));
  fill(*journal, 1, 4);
  ASSERT_TRUE(journal->advance("csv", 4));
  fill(*journal, 5, 10);
  EXPECT_EQ(numbers(*journal), range(5, 10));
  EXPECT_EQ(journal->status().dropped, 0U);
  fill(*journal, 15, 3);
  EXPECT_EQ(journal->status().dropped, 3U);
  EXPECT_EQ(journal->status().sinks.at(0).dropped, 3U);
  EXPECT_EQ(journal->oldest(), 8U);
}

TEST(InMemoryJournal, NumbersOfALaterRunAreHigher) {
  fakes::ManualClock clock(Instant(1'790'000'000'000ms));
  const auto first = in_memory(10, &clock);
  fill(*first, 1, 5);
  clock.advance(1s);
  const auto second = in_memory(10, &clock);
  fill(*second, 1, 1);
  EXPECT_GT(second->committed(), first->committed());
}

TEST(DiskJournal, P47_EverySampleIsThereAfterARestart) {
  House house;
  std::mt19937_64 random(5);
  std::vector<Sample> samples;
  samples.reserve(500);
  for (int i = 0; i < 500; ++i)
    samples.push_back(random_sample(random));
  Sequence last = 0;
  for (int run = 0; run < 5; ++run) {
    const auto journal = house.open();
    for (std::size_t i = 0; i < 100; ++i) {
      const auto given = journal->append(samples[static_cast<std::size_t>(run) * 100 + i]);
      ASSERT_TRUE(given);
      EXPECT_TRUE(last == 0 || *given == last + 1) << "in order, no number is skipped";
      last = *given;
    }
  }
  const auto journal = house.open();
  EXPECT_EQ(fs::status(house.options.path).permissions(), fs::perms(0640)) << "not for everybody";
  EXPECT_EQ(journal->committed(), last);
  EXPECT_EQ(journal->status().entries, 500U);
  const auto entries = journal->after(0, 1000);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 500U);
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_TRUE(same(samples[i], (*entries)[i].sample)) << i;
  EXPECT_TRUE(house.said.empty());
}

TEST(DiskJournal, SinksSeeOnlyWhatIsCommitted) {
  House house;
  const auto journal = house.open();
  fill(*journal, 1, 3);
  EXPECT_TRUE(numbers(*journal).empty());
  EXPECT_EQ(journal->status().waiting, 3U);
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(numbers(*journal), range(1, 3));
  EXPECT_EQ(journal->status().waiting, 0U);
  EXPECT_EQ(journal->committed() - journal->oldest(), 2U);
}

// A copy of the files while the journal is open is what a crash leaves.
TEST(DiskJournal, P53_NumbersThatACrashLostAreNeverGivenAgain) {
  House house;
  const auto journal = house.open();
  fill(*journal, 1, 10);
  ASSERT_TRUE(journal->commit());
  const Sequence committed = journal->committed();
  fill(*journal, 11, 7);
  const Sequence lost = *journal->append(sample_of(18));
  House after;
  copy_files(house, after);
  const auto again = after.open();
  EXPECT_EQ(again->committed(), committed);
  EXPECT_EQ(numbers(*again), range(1, 10));
  EXPECT_GT(*again->append(sample_of(19)), lost);
  ASSERT_TRUE(again->commit());
  EXPECT_EQ(numbers(*again).size(), 11U);
}

// What was committed is there after a crash at any moment, once, wherever it lay; with the sinks'
// places. Without what lay in memory, after a power cut, the end is missing and nothing else.
TEST(DiskJournal, P52_WhatLiesBeforeTheDatabaseSurvivesACrash) {
  std::mt19937 random(52);
  for (int run = 0; run < 8; ++run) {
    House house;
    const bool quick = run % 4 > 1;
    const bool power_cut = run % 4 == 3;
    if (quick) house.options.quick = house.scratch.path().string();
    house.options.sync = 2min;
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    std::int64_t next = 0;
    const int commits = static_cast<int>(random() % 800);
    std::vector<std::int64_t> ends;
    for (int i = 0; i < commits; ++i) {
      const std::int64_t count = 1 + static_cast<std::int64_t>(random() % (run % 3 == 0 ? 30 : 3));
      fill(*journal, next, count);
      next += count;
      ends.push_back(next);
      ASSERT_TRUE(journal->commit());
      ASSERT_TRUE(journal->advance("csv", journal->committed()));
      house.clock.advance(30s);
    }
    const Sequence last = journal->committed();
    EXPECT_EQ(journal->status().entries, static_cast<std::uint64_t>(next));
    House after;
    after.clock.advance(12h);
    copy_files(house, after);
    after.options.quick = house.options.quick.empty() ? "" : after.scratch.path().string();
    if (quick && !power_cut) {
      for (const auto& file : fs::directory_iterator(house.scratch.path())) {
        if (file.path().extension() == ".journal")
          fs::copy(file.path(), after.scratch.path() / file.path().filename());
      }
    }
    const auto again = after.open();
    auto found = numbers(*again);
    const auto there = static_cast<std::int64_t>(found.size());
    EXPECT_EQ(found, range(0, there));
    if (power_cut) {
      ASSERT_GE(ends.size(), 6U);
      EXPECT_GE(there, ends[ends.size() - 6]) << "the last two minutes";
    } else {
      EXPECT_EQ(there, next);
      EXPECT_EQ(again->committed(), last);
    }
    EXPECT_EQ(again->status().entries, static_cast<std::uint64_t>(there));
    EXPECT_LT(again->behind(*again->cursor("csv")), 400U) << "five minutes of commits";
    fill(*again, there, 1);
    ASSERT_TRUE(again->commit());
    EXPECT_EQ(numbers(*again), range(0, there + 1));
    EXPECT_EQ(numbers(*journal), range(0, next)) << "the journal itself goes on";
    EXPECT_TRUE(after.said.empty());
  }
}

// A torn end is no record, damage in between costs what it hit, and no bit becomes a value.
TEST(DiskJournal, P53_ADamagedFrontCostsOnlyWhatWasHit) {
  House house;
  const auto journal = house.open();
  fill(*journal, 0, 1);
  ASSERT_TRUE(journal->commit());
  for (int i = 1; i < 60; ++i) {
    fill(*journal, i, 1);
    ASSERT_TRUE(journal->commit());
  }
  std::mt19937 random(53);
  for (int run = 0; run < 30; ++run) {
    House after;
    copy_files(house, after);
    const std::string front = Front::path_for(after.options.path);
    std::fstream file(front, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>(random() % 2000);
    const bool torn = run % 2 == 0;
    file.seekg(at);
    const auto was = static_cast<unsigned char>(file.get());
    file.seekp(at);
    for (int i = 0; i < (torn ? 3000 : 1); ++i)
      file.put(torn ? '\0' : static_cast<char>(was ^ (1U << random() % 8)));
    file.close();
    const auto again = after.open();
    auto found = numbers(*again);
    const auto whole = range(0, 60);
    EXPECT_TRUE(std::includes(whole.begin(), whole.end(), found.begin(), found.end()));
    if (torn) {
      EXPECT_EQ(found, range(0, static_cast<std::int64_t>(found.size()))) << at;
    } else {
      EXPECT_TRUE(found.size() >= 59 || at < 32) << at << ": " << found.size();
      EXPECT_TRUE(found.size() == 60 || at < 32 || again->status().damaged == 1 ||
                  found.back() == 58);
    }
  }
}

TEST(DiskJournal, ASinkGoesOnWhereItWasAndANewOneBeginsNow) {
  House house;
  Sequence third = 0;
  {
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    fill(*journal, 1, 5);
    ASSERT_TRUE(journal->commit());
    const auto entries = journal->after(0, 3);
    third = entries->back().sequence;
    ASSERT_TRUE(journal->advance("csv", third));
  }
  const auto journal = house.open();
  EXPECT_EQ(*journal->cursor("csv"), third);
  EXPECT_EQ(numbers(*journal, third), range(4, 2));
  EXPECT_EQ(journal->behind(third), 2U);
  EXPECT_EQ(journal->behind(0), 5U);
  EXPECT_EQ(*journal->cursor("influxdb"), journal->committed());
}

TEST(DiskJournal, WhatIsOldLeavesUnlessASinkStillWantsIt) {
  House house;
  house.options.keep = 24h;
  const auto journal = house.open();
  ASSERT_TRUE(journal->cursor("csv"));
  fill(*journal, 0, 100);
  ASSERT_TRUE(journal->commit());
  const auto entries = journal->after(0, 100);
  house.clock.advance(25h);
  ASSERT_TRUE(journal->append(sample_of(90'000)));
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(journal->status().entries, 101U) << "the sink has none of them";
  ASSERT_TRUE(journal->advance("csv", (*entries)[59].sequence));
  house.clock.advance(11min);
  ASSERT_TRUE(journal->append(sample_of(90'001)));
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(journal->status().entries, 42U);
  EXPECT_EQ(journal->oldest(), (*entries)[60].sequence);
  EXPECT_EQ(journal->status().dropped, 0U);
}

TEST(DiskJournal, TheSizeIsTheCeilingAndWhatItDropsIsCounted) {
  House house;
  house.options.size = 100'000;
  const auto journal = house.open();
  ASSERT_TRUE(journal->cursor("csv"));
  std::uint64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    fill(*journal, std::int64_t{100} * i, 100);
    ASSERT_TRUE(journal->commit());
    most = std::max(most, journal->status().bytes);
  }
  const Status status = journal->status();
  EXPECT_LE(most, 115'000U);
  EXPECT_GT(status.entries, 1000U);
  EXPECT_EQ(status.entries + status.dropped, 20'000U);
  EXPECT_EQ(status.sinks.at(0).dropped, status.dropped);
  EXPECT_EQ(numbers(*journal).size(), status.entries);
  EXPECT_EQ(numbers(*journal).back(), 19'999);
}

TEST(Archive, ReadsBesideTheJournalThatIsWritten) {
  House house;
  EXPECT_EQ(open_archive(house.options.path).error().code(), Errc::not_found);
  const auto journal = house.open();
  ASSERT_TRUE(journal->cursor("csv"));
  fill(*journal, 0, 2500);
  while (journal->status().waiting > 0)
    ASSERT_TRUE(journal->commit());
  const auto archive = open_archive(house.options.path);
  ASSERT_TRUE(archive) << archive.error().detail();
  // Words that it did not know when it was opened.
  ASSERT_TRUE(journal->append(sample_of(2500, "cellar")));
  ASSERT_TRUE(journal->commit());
  const auto overview = (*archive)->overview();
  ASSERT_TRUE(overview);
  EXPECT_EQ(overview->entries, 2501U);
  EXPECT_EQ(overview->oldest->at, sample_of(0).at);
  EXPECT_EQ(overview->newest->at, sample_of(2500).at);
  ASSERT_EQ(overview->sinks.size(), 1U);
  EXPECT_EQ(overview->sinks[0].lag, 2501U);
  Span span;
  span.from = sample_of(2400).at;
  span.to = sample_of(2500).at;
  EXPECT_EQ(*(*archive)->count(span), 100U);
  const auto entries = (*archive)->after(0, span, 1000);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 100U);
  EXPECT_EQ(entries->front().sample.at, span.from);
  const auto rest = (*archive)->after(entries->back().sequence, Span(), 1000);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front().sample.meter, "cellar");
  EXPECT_EQ((*archive)->damaged(), 0U);
  // What a slow house wrote lies before the database.
  for (int i = 0; i < 3; ++i) {
    fill(*journal, 2501 + i, 1);
    ASSERT_TRUE(journal->commit());
  }
  const auto later = open_archive(house.options.path);
  ASSERT_TRUE(later);
  EXPECT_EQ((*later)->overview()->entries, 2504U);
  EXPECT_EQ((*later)->overview()->newest->at, sample_of(2503).at);
  EXPECT_EQ(*(*later)->count(Span()), 2504U);
  EXPECT_EQ((*later)->after(0, Span(), 5000)->size(), 2504U);
  EXPECT_EQ((*later)->after(journal->committed() - 1, Span(), 5000)->size(), 1U);
}

}  // namespace
}  // namespace meterbridge::journal
