// SPDX-License-Identifier: MIT
// The journal on a disk, and everything that becomes of disks.
#include "journal/coding.hpp"
#include "journal/front.hpp"
#include "journal/hold.hpp"
#include "journal/sqlite.hpp"
#include "unit/journal/house.hpp"

#include <map>

#include <sys/mount.h>
#include <unistd.h>

namespace meterbridge::journal {
namespace {

// As the Supervisor's hot backup copies: one file, much is written, the other file.
TEST(DiskJournal, AHeldJournalIsCopiedFileAfterFile) {
  for (const bool log_first : {false, true}) {
    House house;
    house.options.path = (house.scratch.path() / "x.journal.db").string();
    const auto journal = house.open();
    std::int64_t next = 1;
    const auto write = [&](int commits) {
      for (int i = 0; i < commits; ++i, next += 20) {
        fill(*journal, next, 20);
        ASSERT_TRUE(journal->commit());
      }
    };
    write(50);
    const fs::path log = house.options.path + "-wal";
    const fs::path copy = house.scratch.path() / "copy.db";
    const auto take_front = [&] {
      fs::copy_file(Front::path_for(house.options.path), Front::path_for(copy.string()));
    };
    ASSERT_TRUE(hold(house.scratch.path().string()));
    EXPECT_TRUE(held(house.options.path));
    const auto before = fs::last_write_time(house.options.path);
    const auto take = [&](bool first) {
      const fs::path from = first == log_first ? log : fs::path(house.options.path);
      fs::copy_file(from, first == log_first ? fs::path(copy.string() + "-wal") : copy);
    };
    take(true);
    if (log_first) take_front();
    const std::int64_t safe = next;
    write(1000);
    EXPECT_GT(fs::file_size(log), 2U << 20U);  // long enough to be moved twice
    take(false);
    if (!log_first) take_front();
    EXPECT_EQ(fs::last_write_time(house.options.path), before);
    House other;
    other.options.path = copy.string();
    const auto opened = other.open();
    EXPECT_TRUE(other.said.empty()) << other.said.front();
    const auto found = numbers(*opened);
    ASSERT_GE(found.size(), static_cast<std::size_t>(safe - 1)) << log_first;
    EXPECT_EQ(found, range(1, static_cast<std::int64_t>(found.size()))) << log_first;
    ASSERT_TRUE(release(house.scratch.path().string()));
    EXPECT_FALSE(held(house.options.path));
  }
}

TEST(DiskJournal, AHoldThatIsForgottenEndsByItself) {
  House house;
  house.options.path = (house.scratch.path() / "x.journal.db").string();
  ASSERT_TRUE(hold(house.scratch.path().string()));
  const fs::path mark = house.scratch.path() / "journal.hold";
  fs::last_write_time(mark, fs::file_time_type::clock::now() - 11min);
  EXPECT_FALSE(held(house.options.path));
  EXPECT_TRUE(release(house.scratch.path().string()));
  EXPECT_TRUE(release(house.scratch.path().string()));
  EXPECT_FALSE(hold((house.scratch.path() / "nowhere").string()));
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
  EXPECT_EQ(aside, 2) << "the database and what lay before it";
}

// The library leaves out what follows a damaged place of the log: as if it had never been written.
TEST(DiskJournal, P53_NumbersThatADamagedLogLostAreNotGivenAgain) {
  House before;
  { fill(*before.open(), 1, 10); }
  before.clock.advance(1min);
  const auto journal = before.open();
  ASSERT_TRUE(journal->cursor("csv"));
  for (int i = 11; i < 111; ++i) {
    fill(*journal, i, 1);
    ASSERT_TRUE(journal->commit());
    ASSERT_TRUE(journal->advance("csv", journal->committed()));
  }
  const Sequence last = journal->committed();
  House after;
  after.clock.advance(2min);
  for (const char* tail : {"", "-wal", "-front"})
    fs::copy(before.options.path + tail, after.options.path + tail);
  {
    std::fstream log(after.options.path + "-wal", std::ios::binary | std::ios::in | std::ios::out);
    log.seekp(40);
    log << "noise in its first page";
  }
  const auto again = after.open();
  const auto place = again->cursor("csv");
  ASSERT_TRUE(place);
  const auto given = again->append(sample_of(111));
  ASSERT_TRUE(given);
  EXPECT_GT(*given, last);
  ASSERT_TRUE(again->commit());
  const auto entries = again->after(*place, 1000);
  ASSERT_TRUE(entries);
  ASSERT_FALSE(entries->empty()) << "the sink gets it";
  EXPECT_EQ(entries->back().sequence, *given);
}

// The clock may have been put back when a new file begins: what can be read of the old one counts.
TEST(DiskJournal, P53_NumbersGoOnAboveADamagedFileWhateverTheClockSays) {
  House house;
  {
    const auto journal = house.open();
    fill(*journal, 1, 300);
    ASSERT_TRUE(journal->cursor("csv"));
  }
  const Sequence last = house.open()->committed();
  {
    auto database = Database::open(house.options.path, Database::Mode::existing);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->run("UPDATE words SET word='noise' WHERE id=1"));
  }
  house.clock.jump(-1h);
  const auto journal = house.open();
  ASSERT_EQ(house.said.size(), 1U);
  EXPECT_GT(*journal->append(sample_of(301)), last);
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

// One bit, anywhere in the file: what is delivered is what was said.
TEST(DiskJournal, P53_AFlippedBitAnywhereChangesNoValue) {
  House house;
  {
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    fill(*journal, 0, 40);
    ASSERT_TRUE(journal->commit());
    ASSERT_TRUE(journal->advance("csv", journal->oldest() + 4));
  }
  std::ifstream stream(house.options.path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  std::mt19937 random(53);
  int silent = 0;
  for (int i = 0; i < 150; ++i) {
    House other;
    std::string broken = whole;
    const std::size_t at = random() % whole.size();
    broken[at] = static_cast<char>(static_cast<unsigned char>(broken[at]) ^ (1U << random() % 8));
    std::ofstream(other.options.path, std::ios::binary) << broken;
    const auto journal = other.open();
    const auto cursor = journal->cursor("csv");
    ASSERT_TRUE(cursor);
    std::map<Sequence, Sample> delivered;
    for (Sequence from = *cursor;;) {
      const auto entries = journal->after(from, 100);
      if (!entries || entries->empty()) break;
      for (const Entry& entry : *entries) {
        from = entry.sequence;
        delivered.emplace(entry.sequence, entry.sample);
      }
    }
    for (const auto& [sequence, sample] : delivered) {
      const std::int64_t number = std::get<Decimal>(sample.readings.front().value).digits();
      EXPECT_TRUE(same(sample, sample_of(number))) << "byte " << at;
    }
    silent += delivered.size() < 35 && other.said.empty() ? 1 : 0;
  }
  // SQLite's own lists of what is in a page have no check sum.
  EXPECT_LE(silent, 5);
}

TEST(DiskJournal, P53_AFileThatIsTakenAwayIsNoticedAndBegunAnew) {
  House house;
  {
    const auto journal = house.open();
    ASSERT_TRUE(journal->cursor("csv"));
    fill(*journal, 0, 10);
    ASSERT_TRUE(journal->commit());
    for (const char* tail : {"", "-wal", "-shm"})
      fs::remove(house.options.path + tail);
    house.clock.advance(1min);
    fill(*journal, 10, 10);
    ASSERT_TRUE(journal->commit());
    EXPECT_EQ(numbers(*journal), range(10, 10));
    ASSERT_EQ(house.said.size(), 1U);
    EXPECT_NE(house.said[0].find("was taken away"), std::string::npos) << house.said[0];
    EXPECT_EQ(journal->status().dropped, 10U);
  }
  EXPECT_EQ(numbers(*house.open()), range(10, 10)) << "what came after is on the disk";
}

// A reading that only a later version knows: after a downgrade the rest is delivered.
TEST(DiskJournal, WhatALaterVersionWroteIsNamedAndTheRestIsDelivered) {
  House house;
  { fill(*house.open(), 0, 10); }
  {
    auto database = Database::open(house.options.path, Database::Mode::write);
    ASSERT_TRUE(database);
    const std::string word = "Qof a later version";
    auto insert = database->prepare("INSERT INTO words(id, sum, word) VALUES(3, ?, ?)");
    ASSERT_TRUE(insert);
    ASSERT_TRUE(insert->bind(1, std::int64_t{check_sum(3, 0, word)}).bind_blob(2, word).run());
  }
  const auto journal = house.open();
  EXPECT_EQ(numbers(*journal), range(0, 10));
  ASSERT_EQ(house.said.size(), 1U);
  EXPECT_NE(house.said[0].find("a later version"), std::string::npos) << house.said[0];
  ASSERT_TRUE(journal->append(sample_of(10, "cellar"))) << "a new word behind the foreign one";
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(numbers(*journal), range(0, 11));
}

TEST(DiskJournal, NothingIsKeptForASinkThatIsGoneAndItsPlaceStays) {
  House house;
  house.options.keep = 1h;
  const auto journal = house.open();
  ASSERT_TRUE(journal->cursor("csv"));
  fill(*journal, 0, 10);
  ASSERT_TRUE(journal->commit());
  const Sequence third = journal->oldest() + 2;
  ASSERT_TRUE(journal->advance("csv", third));
  journal->release("csv");
  EXPECT_TRUE(journal->status().sinks.empty());
  house.clock.advance(24h);
  fill(*journal, 10, 1);
  ASSERT_TRUE(journal->commit());
  EXPECT_EQ(journal->status().dropped, 0U);
  EXPECT_EQ(*journal->cursor("csv"), third);
}

}  // namespace
}  // namespace meterbridge::journal
