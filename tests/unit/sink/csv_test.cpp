// SPDX-License-Identifier: MIT
#include "protocol/registry.hpp"
#include "sink/csv/archive.hpp"
#include "sink/csv/layout.hpp"
#include "sink/csv/store.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace meterbridge::sink::csv {
namespace {

namespace fs = std::filesystem;
using journal::Entry;
using std::chrono::hours;
using std::chrono::seconds;

void set_zone(const char* zone) {
  ::setenv("TZ", zone, 1);
  ::tzset();
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::istringstream stream(content_of(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

Reading reading(const char* key, const char* number) {
  return {*ReadingKey::parse(key), *Decimal::parse(number)};
}

Entry entry(journal::Sequence sequence, Instant at, std::vector<Reading> readings,
            const std::string& meter = "house") {
  Entry made;
  made.sequence = sequence;
  made.sample.meter = meter;
  made.sample.at = at;
  made.sample.readings = std::move(readings);
  return made;
}

const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + hours(12);

class CsvFiles : public testing::Test {
 protected:
  void SetUp() override {
    set_zone("Europe/Budapest");
    std::string pattern = (fs::temp_directory_path() / "meterbridge-csv-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }

  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] StoreSetup setup(journal::Sequence newest = 0) const {
    StoreSetup setup;
    setup.options.directory = (folder_ / "out").string();
    setup.options.sync = hours(1);
    setup.state_file = (folder_ / "state/csv.sequence").string();
    setup.newest = newest;
    return setup;
  }

  static Result<> write(Store& store, const std::vector<Entry>& entries,
                        Layout layout = Layout::daily) {
    std::vector<Row> rows;
    for (const Entry& each : entries) {
      for (Row& row : rows_of(layout, each))
        rows.push_back(std::move(row));
    }
    const journal::Sequence last = entries.empty() ? 0 : entries.back().sequence;
    return store.write(rows, last);
  }

  static bool sync(Store& store) { return bool(store.sync(std::chrono::steady_clock::now())); }

  [[nodiscard]] fs::path out(const std::string& name) const { return folder_ / "out" / name; }

  fs::path folder_;
};

}  // namespace

TEST_F(CsvFiles, ALineForEachSampleAndANewFileForANewColumn) {
  Store store(setup());
  ASSERT_TRUE(write(store, {entry(1, noon, {reading("energy_import", "1.50")}),
                            entry(2, noon + seconds(1), {reading("power", "230")})}));
  ASSERT_TRUE(write(store, {entry(3, noon + seconds(2), {reading("energy_import", "1.60")}),
                            entry(4, noon + seconds(3), {reading("voltage_l1", "231")})}));
  EXPECT_EQ(content_of(out("house/2026-11-20.csv")),
            "time_utc,time_local,energy_import,power\n"
            "2026-11-20T12:00:00.000Z,2026-11-20T13:00:00.000+01:00,1.50,\n"
            "2026-11-20T12:00:01.000Z,2026-11-20T13:00:01.000+01:00,,230\n"
            "2026-11-20T12:00:02.000Z,2026-11-20T13:00:02.000+01:00,1.60,\n");
  EXPECT_EQ(content_of(out("house/2026-11-20-2.csv")),
            "time_utc,time_local,energy_import,power,voltage_l1\n"
            "2026-11-20T12:00:03.000Z,2026-11-20T13:00:03.000+01:00,,,231\n");

  struct stat facts {};

  ASSERT_EQ(::stat(out("house/2026-11-20.csv").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0640U);
  // After a restart it goes on in the newest file; after midnight with the columns that it has.
  ASSERT_TRUE(sync(store));
  Store again(setup(4));
  ASSERT_TRUE(write(again, {entry(5, noon + seconds(4), {reading("power", "1")}),
                            entry(6, noon + hours(12), {reading("power", "2")})}));
  EXPECT_EQ(lines_of(out("house/2026-11-20-2.csv")).size(), 3U);
  EXPECT_EQ(lines_of(out("house/2026-11-21.csv")).front(),
            "time_utc,time_local,energy_import,power,voltage_l1");
}

TEST_F(CsvFiles, AMonthIsOneFileAndOneThatWasTakenAwayBeginsAnew) {
  StoreSetup monthly = setup();
  Store store(monthly);
  ASSERT_TRUE(write(store, {entry(1, noon, {reading("power", "1")})}, Layout::monthly));
  ASSERT_TRUE(write(store, {entry(2, noon + hours(48), {reading("power", "2")})}, Layout::monthly));
  EXPECT_EQ(lines_of(out("house/2026-11.csv")).size(), 3U);
  fs::remove_all(out("house"));
  ASSERT_TRUE(write(store, {entry(3, noon + hours(49), {reading("power", "3")})}, Layout::monthly));
  EXPECT_EQ(lines_of(out("house/2026-11.csv")),
            (std::vector<std::string>{"time_utc,time_local,power",
                                      "2026-11-22T13:00:00.000Z,2026-11-22T14:00:00.000+01:00,3"}));
}

TEST_F(CsvFiles, HalfALineIsCutOffAtTheNextStart_P53) {
  const std::vector<std::string> tails{"2026-11-20T12:0", "x\n2026", std::string(300, '\0')};
  for (const std::string& tail : tails) {
    fs::remove_all(out(""));
    fs::remove_all(folder_ / "state");
    fs::create_directories(out("house"));
    std::ofstream(out("house/2026-11-20.csv"), std::ios::binary)
        << "time_utc,time_local,power\nfirst\n"
        << tail;
    Store store(setup());
    ASSERT_TRUE(write(store, {entry(1, noon + hours(24), {reading("power", "1")})}));
    const std::string text = content_of(out("house/2026-11-20.csv"));
    EXPECT_TRUE(text.ends_with("\n")) << text;
    EXPECT_TRUE(text.starts_with("time_utc,time_local,power\nfirst\n")) << text;
  }
  std::ofstream(out("house/2026-11-20.csv"), std::ios::binary) << "time_utc,time";
  Store store(setup());
  ASSERT_TRUE(write(store, {entry(1, noon, {reading("power", "1")})}));
  EXPECT_EQ(lines_of(out("house/2026-11-20.csv")).front(), "time_utc,time_local,power");
}

// SIGKILL leaves what was written; a power cut leaves any part of what was not synced; the
// journal's cursor may be older than what is on the disk. Sequence numbers are values, so that
// every line can be told from every other.
TEST_F(CsvFiles, NothingIsLostNorTwiceWhereverItBreaks_P47_P53) {
  const std::vector<std::string> keys{"power", "energy_import", "voltage_l1", "current_l1"};
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    fs::remove_all(out(""));
    fs::remove_all(folder_ / "state");
    std::mt19937 random(seed);
    const auto draw = [&random](std::size_t below) { return random() % below; };
    std::vector<Entry> all;
    Instant at = noon + hours(10);
    for (journal::Sequence sequence = 1; sequence <= 150; ++sequence) {
      at += seconds(draw(90));
      std::vector<Reading> readings;
      // Columns come to be known one after the other.
      const std::size_t known = 1 + std::min<std::size_t>(sequence / 40, keys.size() - 1);
      readings.push_back(reading(keys[draw(known)].c_str(), std::to_string(sequence).c_str()));
      all.push_back(entry(sequence, at, readings, draw(2) == 0 ? "a" : "b"));
    }
    std::size_t cursor = 0;  // entries that the journal knows to be done
    std::size_t newest = 0;  // entries that were ever handed over
    std::map<fs::path, std::uintmax_t> synced;
    journal::Sequence synced_to = 0;
    while (cursor < all.size()) {
      auto store = std::make_unique<Store>(setup(newest));
      std::size_t handed = cursor;
      for (std::size_t writes = 1 + draw(6); writes > 0 && handed < all.size(); --writes) {
        const std::size_t end = std::min(all.size(), handed + 1 + draw(25));
        // Everything from the cursor on comes again, as far as it was not taken.
        ASSERT_TRUE(write(*store, {all.begin() + static_cast<std::ptrdiff_t>(cursor),
                                   all.begin() + static_cast<std::ptrdiff_t>(end)}));
        handed = end;
        newest = std::max(newest, handed);
        if (draw(3) != 0) continue;
        ASSERT_TRUE(sync(*store));
        EXPECT_GE(store->remembered(), all[handed - 1].sequence);
        for (const auto& file : fs::recursive_directory_iterator(out("")))
          if (file.is_regular_file()) synced[file.path()] = file.file_size();
        synced_to = store->remembered();
        if (draw(2) == 0) cursor = handed;
      }
      const journal::Sequence remembered = store->remembered();
      store.reset();
      if (handed == all.size()) {
        Store last(setup(newest));
        ASSERT_TRUE(write(last, {all.begin() + static_cast<std::ptrdiff_t>(cursor), all.end()}));
        ASSERT_TRUE(sync(last));
        break;
      }
      // A power cut, unless a new column has synced since: then nobody here knows what is safe.
      if (draw(2) == 0 || remembered != synced_to || !fs::exists(out(""))) continue;
      for (const auto& file : fs::recursive_directory_iterator(out(""))) {
        if (!file.is_regular_file()) continue;
        const std::uintmax_t least = synced.contains(file.path()) ? synced[file.path()] : 0;
        fs::resize_file(file.path(), least + draw(file.file_size() - least + 1));
      }
    }
    std::vector<fs::path> files;
    for (const auto& file : fs::recursive_directory_iterator(out("")))
      if (file.is_regular_file()) files.push_back(file.path());
    std::map<int, int> seen;
    for (const fs::path& file : files) {
      EXPECT_TRUE(content_of(file).ends_with("\n")) << file;
      int before = 0;
      const auto lines = lines_of(file);
      const std::size_t columns = columns_of(lines.front()).size();
      for (std::size_t i = 1; i < lines.size(); ++i) {
        EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(lines[i], ',')) + 1, columns) << file;
        std::string value;
        const std::string cells = lines[i].substr(54);
        std::ranges::copy_if(cells, std::back_inserter(value), [](char c) { return c != ','; });
        const int number = std::stoi(value);
        EXPECT_GT(number, before) << file << " is in order";
        before = number;
        ++seen[number];
      }
    }
    EXPECT_EQ(seen.size(), all.size());
    for (const auto& [number, count] : seen)
      EXPECT_EQ(count, 1) << "sample " << number;
  }
}

// As it is without settings. What a card must bear are the moments at which a file is touched: each
// costs a file system several blocks (measured on one of its own: docs/journal.md). A page for each
// file and sync, two for what is remembered.
TEST_F(CsvFiles, ADayOfATenSecondMeterIsLessThanTwentyMegabytes_P52) {
  const SettingValues usual = default_settings(specs());
  StoreSetup files = setup();
  files.options.sync = usual.duration("sync");
  const auto flush = usual.duration("flush_interval");
  std::vector<Row> rows;
  Store store(files);
  std::size_t syncs = 0;
  std::set<std::string> remembered;
  auto now = std::chrono::steady_clock::now();
  auto write_at = now + flush;
  for (journal::Sequence sequence = 1; sequence <= 8640; ++sequence) {
    now += seconds(10);
    for (Row& row :
         rows_of(Layout::daily, entry(sequence, noon + seconds(10 * sequence),
                                      {reading("energy_import", "12345.678"),
                                       reading("power", "1234"), reading("voltage_l1", "231.5")})))
      rows.push_back(std::move(row));
    if (now < write_at) continue;
    write_at = now + flush;
    ASSERT_TRUE(store.write(rows, sequence));
    rows.clear();
    ASSERT_TRUE(store.sync_is_due(now)) << "one moment for both";
    ASSERT_TRUE(store.sync(now));
    ++syncs;
    remembered.insert(content_of(files.state_file));
  }
  const std::size_t bytes =
      fs::file_size(out("house/2026-11-20.csv")) + fs::file_size(out("house/2026-11-21.csv"));
  EXPECT_GT(bytes, 8640U * 70);
  EXPECT_EQ(syncs, 144U);
  EXPECT_LT(bytes + syncs * 4096 + remembered.size() * 8192, 3'000'000U);
}

TEST_F(CsvFiles, AFullDiskLosesNothingAndLeavesNoHalfLine) {
  fs::create_directories(out(""));
  if (::mount("tmpfs", out("").c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "mounting needs root";
  std::ofstream(out("ballast"), std::ios::binary) << std::string(32768, 'x');
  {
    Store store(setup());
    journal::Sequence sequence = 0;
    bool refused = false;
    std::vector<Entry> waiting;
    while (sequence < 3000) {
      ++sequence;
      waiting.push_back(entry(sequence, noon + seconds(sequence),
                              {reading("power", std::to_string(sequence).c_str())}));
      if (const auto written = write(store, waiting); written) {
        waiting.clear();
        continue;
      }
      EXPECT_TRUE(content_of(out("house/2026-11-20.csv")).ends_with("\n"));
      if (refused || waiting.size() < 50) continue;
      refused = true;
      fs::resize_file(out("ballast"), 0);
      ASSERT_EQ(::mount("tmpfs", out("").c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
    }
    EXPECT_TRUE(refused);
    EXPECT_TRUE(waiting.empty());
    const auto lines = lines_of(out("house/2026-11-20.csv"));
    ASSERT_EQ(lines.size(), 3001U);
    for (std::size_t i = 1; i < lines.size(); ++i)
      EXPECT_TRUE(lines[i].ends_with("," + std::to_string(i))) << lines[i];
    StoreSetup careful = setup();
    careful.options.min_free = 10'000'000;
    Store waits(careful);
    const auto written = write(waits, {entry(9000, noon, {reading("power", "1")})});
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().detail().find("min_free"), std::string::npos);
  }
  ::umount2(out("").c_str(), MNT_DETACH);
}

TEST_F(CsvFiles, FilesThatAreOverAreCompressedAndDeletedInTime) {
  fs::create_directories(out("house"));
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto day = [&](int ago) {
    return iso_local(to_local(now - hours(24 * ago))).substr(0, 10);
  };
  for (const std::string& name : {day(0), day(3), day(3) + "-2", day(40)})
    std::ofstream(out("house/" + name + ".csv")) << "time_utc,time_local,power\n" << name << "\n";
  std::ofstream(out("house/notes.csv")) << "mine\n";
  Options options = setup().options;
  options.gzip = true;
  options.keep = hours(24 * 30);
  tidy(options, {}, {});
  EXPECT_TRUE(fs::exists(out("house/" + day(0) + ".csv")));
  EXPECT_TRUE(fs::exists(out("house/notes.csv")));
  EXPECT_FALSE(fs::exists(out("house/" + day(40) + ".csv")));
  EXPECT_FALSE(fs::exists(out("house/" + day(3) + ".csv")));
  EXPECT_TRUE(fs::exists(out("house/" + day(3) + "-2.csv.gz")));
  const gzFile packed = ::gzopen(out("house/" + day(3) + ".csv.gz").c_str(), "rb");
  std::string text(1000, '\0');
  text.resize(static_cast<std::size_t>(::gzread(packed, text.data(), 1000)));
  ::gzclose(packed);
  EXPECT_EQ(text, "time_utc,time_local,power\n" + day(3) + "\n");
  // What comes late for such a day goes into a file of its own.
  Store store(setup());
  ASSERT_TRUE(write(store, {entry(1, now - hours(72), {reading("power", "1")})}));
  EXPECT_TRUE(fs::exists(out("house/" + day(3) + "-3.csv")));
  EXPECT_EQ(stem_of("2026-11-20-12.csv.gz", Layout::daily), "2026-11-20");
  EXPECT_EQ(stem_of("2026-11-20.txt", Layout::daily), std::nullopt);
  EXPECT_EQ(stem_of("2026-11-20.csv", Layout::monthly), std::nullopt);
  EXPECT_EQ(stem_of("2026-11-2.csv", Layout::monthly), "2026-11");
  EXPECT_EQ(stem_of("2026-11-20.txt", Layout::okosmero), "2026-11-20");
}

TEST_F(CsvFiles, OkosmeroFilesAreThoseOfTheVectorsByteForByte) {
  const fs::path shared = fs::path(METERBRIDGE_SHARED_VECTORS) / "p1";
  if (!fs::exists(shared)) GTEST_SKIP() << "no shared vectors here";
  set_zone("UTC");  // the meter's own date counts
  const protocol::Protocol& p1 = *protocol::find_protocol("p1");
  for (const auto& [name, date] : {std::pair("hu-eon-sagemcom", "2023-07-24"),
                                   std::pair("hu-sanxing-ff-message", "2023-08-17")}) {
    const std::string text = content_of(shared / (std::string(name) + ".txt"));
    const auto found = p1.decode(std::as_bytes(std::span(text)), default_settings(p1.settings));
    ASSERT_EQ(found.size(), 1U);
    const protocol::Telegram& telegram = found[0].telegram;
    Entry one = entry(1, noon, telegram.readings.front().readings, "p1");
    one.sample.document = *p1.layouts.front().write(telegram);
    StoreSetup files = setup();
    files.options.layout = Layout::okosmero;
    Store store(files);
    ASSERT_TRUE(write(store, {one}, Layout::okosmero));
    EXPECT_EQ(content_of(out(date + std::string(".csv"))),
              content_of(shared / (std::string(name) + ".csv")));
    std::string document = content_of(shared / (std::string(name) + ".mqtt.json"));
    if (!document.ends_with("\n")) document += "\n";
    EXPECT_EQ(content_of(out(date + std::string(".txt"))), document);
  }
}

}  // namespace meterbridge::sink::csv
