// SPDX-License-Identifier: MIT
// What both journals promise, and what the one on a disk promises beyond.
#include "fakes/manual_clock.hpp"
#include "fakes/scratch.hpp"
#include "journal/archive.hpp"
#include "journal/disk.hpp"
#include "journal/memory.hpp"
#include "journal/sqlite.hpp"
#include "unit/journal/support.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

namespace meterbridge::journal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct House {
  fakes::Scratch scratch;
  fakes::ManualClock clock{Instant(1'790'000'000'000ms)};
  std::vector<std::string> said;
  DiskOptions options = [this] {
    DiskOptions wanted;
    wanted.path = (scratch.path() / "journal.db").string();
    wanted.log = [this](bool, const std::string& line) { said.push_back(line); };
    return wanted;
  }();

  std::unique_ptr<Journal> open() { return on_disk(options, clock); }
};

void fill(Journal& journal, std::int64_t first, std::int64_t count) {
  for (std::int64_t i = first; i < first + count; ++i)
    ASSERT_TRUE(journal.append(sample_of(i)));
}

// The digits of the first reading: what sample_of() was given.
std::vector<std::int64_t> numbers(Journal& journal, Sequence after = 0) {
  std::vector<std::int64_t> all;
  for (;;) {
    const auto entries = journal.after(after, 100);
    EXPECT_TRUE(entries) << entries.error().detail();
    if (!entries || entries->empty()) return all;
    for (const Entry& entry : *entries) {
      EXPECT_GT(entry.sequence, after);
      after = entry.sequence;
      all.push_back(std::get<Decimal>(entry.sample.readings.front().value).digits());
    }
  }
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = first; i < first + count; ++i)
    all.push_back(i);
  return all;
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
  for (const char* tail : {"", "-wal"})
    fs::copy(house.options.path + tail, after.options.path + tail);
  const auto again = after.open();
  EXPECT_EQ(again->committed(), committed);
  EXPECT_EQ(numbers(*again), range(1, 10));
  EXPECT_GT(*again->append(sample_of(19)), lost);
  ASSERT_TRUE(again->commit());
  EXPECT_EQ(numbers(*again).size(), 11U);
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

TEST(DiskJournal, P53_ADamagedFileIsMovedAsideAndTheNumbersGoOn) {
  House house;
  Sequence last = 0;
  {
    const auto journal = house.open();
    fill(*journal, 1, 10);
    ASSERT_TRUE(journal->commit());
    last = journal->committed();
  }
  std::ofstream(house.options.path, std::ios::binary) << "this is no database, but 34 bytes";
  house.clock.advance(1min);
  const auto journal = house.open();
  ASSERT_EQ(house.said.size(), 1U);
  EXPECT_NE(house.said[0].find("journal.db.damaged-2026-09-21T"), std::string::npos)
      << house.said[0];
  EXPECT_GT(*journal->append(sample_of(11)), last);
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(numbers(*journal), range(11, 1));
  int aside = 0;
  for (const auto& file : fs::directory_iterator(house.scratch.path()))
    aside += file.path().string().find(".damaged-") == std::string::npos ? 0 : 1;
  EXPECT_EQ(aside, 1);
}

// Pages full of noise, found only when somebody comes to them.
TEST(DiskJournal, P53_DamagedPagesNeverStopTheJournal) {
  for (int seed = 0; seed < 12; ++seed) {
    House house;
    {
      const auto journal = house.open();
      fill(*journal, 1, 300);
    }
    const auto size = fs::file_size(house.options.path);
    std::mt19937_64 random(static_cast<unsigned>(seed));
    {
      std::fstream file(house.options.path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(random() % (size / 1024) * 1024));
      for (int i = 0; i < 1024; ++i)
        file.put(static_cast<char>(random()));
    }
    const auto journal = house.open();
    for (int i = 0; i < 20; ++i) {
      fill(*journal, 301 + i, 1);
      (void)journal->after(0, 1000);
      ASSERT_TRUE(journal->commit()) << seed;
    }
    const auto entries = journal->after(0, 1000);
    ASSERT_TRUE(entries) << seed;
    std::vector<std::int64_t> newest;
    for (const Entry& entry : *entries) {
      const std::int64_t number = std::get<Decimal>(entry.sample.readings.front().value).digits();
      EXPECT_TRUE(newest.empty() || number > newest.back());
      newest.push_back(number);
    }
    ASSERT_GE(newest.size(), 20U) << seed;
    EXPECT_EQ(std::vector(newest.end() - 20, newest.end()), range(301, 20)) << seed;
    EXPECT_FALSE(house.said.empty() && newest.size() != 320U) << seed << ": lost in silence";
  }
}

TEST(DiskJournal, AChangedBitInAnEntryIsLeftOutAndCounted) {
  House house;
  { fill(*house.open(), 1, 50); }
  {
    auto database = Database::open(house.options.path, Database::Mode::write);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run("UPDATE samples SET at=at+1 WHERE sequence%10=5"));
  }
  const auto journal = house.open();
  EXPECT_EQ(numbers(*journal).size(), 45U);
  EXPECT_EQ(house.said.size(), 1U);
  EXPECT_GE(journal->status().damaged, 5U);
}

TEST(DiskJournal, P47_WithoutADiskMemoryServesAndWhatWaitedIsWrittenLater) {
  House house;
  const fs::path place = house.scratch.path() / "absent";
  house.options.path = (place / "journal.db").string();
  // A file where the folder should be: nobody, not even root, can write below it.
  std::ofstream(place) << "in the way";
  const auto journal = house.open();
  ASSERT_TRUE(journal->cursor("csv"));
  fill(*journal, 1, 10);
  EXPECT_FALSE(journal->commit());
  EXPECT_FALSE(journal->commit());
  EXPECT_EQ(house.said.size(), 1U) << "said once";
  EXPECT_FALSE(journal->status().trouble.empty());
  EXPECT_EQ(numbers(*journal), range(1, 10)) << "sinks go on";
  const Sequence last = journal->committed();
  fs::remove(place);
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(house.said.size(), 2U);
  EXPECT_EQ(numbers(*journal), range(1, 10));
  EXPECT_GT(*journal->append(sample_of(11)), last);
  EXPECT_TRUE(journal->status().trouble.empty());
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
}

TEST(DiskJournal, P55_WhatWaitsIsBoundedAndTheLossIsCounted) {
  House house;
  const fs::path place = house.scratch.path() / "absent";
  house.options.path = (place / "journal.db").string();
  house.options.waiting = 10'000;
  std::ofstream(place) << "in the way";
  const auto journal = house.open();
  fill(*journal, 1, 1000);
  EXPECT_FALSE(journal->commit());
  const Status status = journal->status();
  EXPECT_LT(status.waiting, 220U);
  EXPECT_EQ(status.waiting + status.dropped, 1000U);
}

TEST(DiskJournal, P47_AFullDiskLosesNothingThatMemoryHolds) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root for a small file system";
  House house;
  const fs::path place = house.scratch.path() / "small";
  fs::create_directory(place);
  if (::mount("tmpfs", place.c_str(), "tmpfs", 0, "size=400k") != 0)
    GTEST_SKIP() << "no file system can be mounted here";
  house.options.path = (place / "journal.db").string();
  {
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    std::ofstream(place / "ballast") << std::string(330'000, 'x');
    std::int64_t given = 0;
    while (journal->status().trouble.empty() && given < 20'000) {
      fill(*journal, given, 100);
      given += 100;
      (void)journal->commit();
    }
    EXPECT_FALSE(journal->status().trouble.empty()) << "the disk was never full";
    fill(*journal, given, 100);
    given += 100;
    (void)journal->commit();
    EXPECT_EQ(numbers(*journal), range(0, given)) << "from disk and memory";
    fs::remove(place / "ballast");
    ASSERT_TRUE(journal->commit());
    EXPECT_EQ(journal->status().dropped, 0U);
    EXPECT_EQ(numbers(*journal), range(0, given));
    EXPECT_EQ(house.said.size(), 2U);
  }
  EXPECT_EQ(::umount(place.c_str()), 0);
}

}  // namespace
}  // namespace meterbridge::journal
