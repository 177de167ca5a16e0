// SPDX-License-Identifier: MIT
#include "fakes/scratch.hpp"
#include "sink/csv/archive.hpp"
#include "sink/csv/layout.hpp"
#include "sink/csv/options.hpp"
#include "sink/csv/store.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace meterbridge::sink::csv {
namespace {

using journal::Entry;
using std::chrono::hours;
using std::chrono::seconds;

void set_zone(const char* zone) {
  ::setenv("TZ", zone, 1);
  ::tzset();
}

Reading reading(const char* key, const char* number) {
  return {*ReadingKey::parse(key), *Decimal::parse(number)};
}

Entry entry(Instant at, std::vector<Reading> readings, const std::string& meter) {
  Entry made;
  made.sequence = 1;
  made.sample.meter = meter;
  made.sample.at = at;
  made.sample.readings = std::move(readings);
  return made;
}

const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + hours(12);

// Changes of the zone's offset within a year, to the hour.
std::vector<Seconds> changes_in(int year) {
  std::vector<Seconds> changes;
  const auto offset = [](Seconds at) {
    return to_local(at).at.time_since_epoch() - at.time_since_epoch();
  };
  const Seconds begin = std::chrono::sys_days(std::chrono::year(year) / 1 / 1);
  for (Seconds at = begin; at < begin + hours(24 * 365); at += hours(1)) {
    if (offset(at) != offset(at + hours(1))) changes.push_back(at + hours(1));
  }
  return changes;
}

}  // namespace

TEST(CsvLayout, EveryLineHasUtcAndLocalTimeWithOffsetOverAYear_P28) {
  for (const char* zone : {"Europe/Budapest", "America/St_Johns", "Australia/Lord_Howe"}) {
    SCOPED_TRACE(zone);
    set_zone(zone);
    const auto changes = changes_in(2026);
    ASSERT_EQ(changes.size(), 2U);
    std::map<std::string, std::set<std::string>> offsets;  // by local second
    std::map<std::string, int> seconds_of_day;
    const auto check = [&](Seconds at) {
      const std::string text = local_with_offset(at + Milliseconds(7));
      ASSERT_EQ(text.size(), 29U) << text;
      EXPECT_EQ(text.substr(19, 4), ".007");
      const int sign = text[23] == '-' ? -1 : 1;
      const auto offset = sign * (hours(std::stoi(text.substr(24, 2))) +
                                  std::chrono::minutes(std::stoi(text.substr(27, 2))));
      const std::string local = text.substr(0, 19);
      EXPECT_EQ(iso_utc(at + offset), local + "Z");
      offsets[local].insert(text.substr(23));
      ++seconds_of_day[text.substr(0, 10)];
    };
    std::set<std::string> days;
    for (const Seconds change : changes) {
      days.insert(iso_local(to_local(change)).substr(0, 10));
      for (Seconds at = change - hours(27); at < change + hours(27); at += seconds(1))
        check(at);
    }
    const auto twice =
        std::ranges::count_if(offsets, [](const auto& o) { return o.second.size() == 2; });
    EXPECT_EQ(twice, std::string_view(zone).ends_with("Howe") ? 1800 : 3600);
    int uneven = 0;
    for (const std::string& day : days) {
      const int count = seconds_of_day[day];
      EXPECT_TRUE(count == 82800 || count == 90000 || count == 84600 || count == 88200) << count;
      uneven += count < 86400 ? 1 : 2;
    }
    EXPECT_EQ(uneven, 3) << "one short day and one long one";
    const Seconds begin = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
    for (Seconds at = begin; at < begin + hours(24 * 365); at += std::chrono::minutes(47))
      check(at);
  }
}

TEST(CsvLayout, QuotesAfterRfc4180AndKeepsASampleOnOneLine) {
  EXPECT_EQ(in_quotes("plain"), "plain");
  EXPECT_EQ(in_quotes("a,b"), "\"a,b\"");
  EXPECT_EQ(in_quotes("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(in_quotes("two\r\nlines"), "two  lines");
  set_zone("UTC");
  Entry one = entry(noon, {reading("voltage_l2", "230.10"), reading("energy_import", "1.0")},
                    "house_gas_../../etc");
  one.sample.readings.emplace_back(*ReadingKey::parse("message"), std::string("a,b"));
  one.sample.readings.emplace_back(*ReadingKey::parse("input_7"), true);
  const auto rows = rows_of(Layout::monthly, one);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].folder, "house_gas_.._.._etc");
  EXPECT_EQ(rows[0].stem, "2026-11");
  EXPECT_EQ(rows[0].keys,
            (std::vector<std::string>{"energy_import", "voltage_l2", "message", "input_7"}));
  EXPECT_EQ(rows[0].cells, (std::vector<std::string>{"1.0", "230.10", "\"a,b\"", "on"}));
  EXPECT_EQ(rows[0].head, "2026-11-20T12:00:00.000Z,2026-11-20T12:00:00.000+00:00");
}

TEST(CsvOptions, SizesAreReadAndRefusedInWords) {
  EXPECT_EQ(*parse_size("100MB"), 100'000'000U);
  EXPECT_EQ(*parse_size("1.5 GB"), 1'500'000'000U);
  EXPECT_EQ(*parse_size("64KiB"), 65536U);
  for (const char* wrong : {"", "100", "MB", "-1MB", "1 PB", "99999999999GB"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  SettingValues values = default_settings(specs());
  EXPECT_FALSE(options_of(values));
  values.set("directory", std::string("/x/"));
  EXPECT_EQ(options_of(values)->directory, "/x");
  values.set("keep", Milliseconds(1000));
  EXPECT_FALSE(options_of(values));
}

TEST(Okosmero, MembersAreFoundInWholeAndInTornDocuments) {
  constexpr std::string_view text =
      R"({"a":{"x":[1,{"Time":"no"}]}"Message":"say \"x\", {", "n":1.50 ,"list":[2,3], "last":"z"})";
  EXPECT_EQ(member_of(text, "n"), "1.50");
  EXPECT_EQ(member_of(text, "list"), "[2,3]");
  EXPECT_EQ(member_of(text, "last"), "\"z\"");
  EXPECT_EQ(member_of(text, "Time"), std::nullopt);
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    (void)member_of(text.substr(0, cut), "last");
  for (const std::string_view odd : {"", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":}", "{,,}"})
    EXPECT_FALSE(member_of(odd, "b")) << odd;
}

TEST(Okosmero, WhatTheGuardHeldBackIsNotInTheTable) {
  set_zone("Europe/Budapest");
  Entry one = entry(noon, {reading("power_import", "69")}, "p1");
  one.sample.document =
      R"({"MeterID":"12","Time":"261020150730S","ImportPower":7.000,"CurrentImport":0.069,"CurrentExport":1.000})";
  auto rows = rows_of(Layout::okosmero, one);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].head, "12,2026-10-20 15:07:30,S,0.069,,,");
  // Without a usable clock of the meter ours counts, and a number may stand bare.
  one.sample.readings.push_back(reading("energy_import", "7.000"));
  one.sample.document = R"({"MeterID":"12","Time":"632525252525W","ImportPower":7.000})";
  one.sample.at = std::chrono::sys_days(std::chrono::year(2026) / 7 / 1);
  rows = rows_of(Layout::okosmero, one);
  EXPECT_EQ(rows[0].head, "12,2026-07-01 02:00:00,S,69,,7.0,");
  EXPECT_EQ(rows[0].stem, "2026-07-01");
}

namespace {

struct Place {
  fakes::Scratch scratch;
  StoreSetup setup = [this] {
    StoreSetup wanted;
    wanted.options.directory = (scratch.path() / "out").string();
    wanted.options.sync = hours(1);
    wanted.state_file = (scratch.path() / "csv.sequence").string();
    return wanted;
  }();

  [[nodiscard]] bool write(Store& store, const std::vector<Entry>& entries) const {
    std::vector<Row> rows;
    for (const Entry& each : entries) {
      for (Row& row : rows_of(setup.options.layout, each))
        rows.push_back(std::move(row));
    }
    return bool(store.write(rows, entries.back().sequence));
  }

  // Times each line is there, headers left out, over all files.
  [[nodiscard]] std::map<std::string, int> lines(const std::string& extension) const {
    std::map<std::string, int> seen;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(setup.options.directory)) {
      const std::string path = file.path().string();
      if (path.find(extension) == std::string::npos) continue;
      EXPECT_TRUE(for_each_line(path, [&](std::string_view line) {
        if (!line.starts_with("time_utc") && !line.starts_with("MeterId"))
          ++seen[std::string(line.substr(0, line.find(',')))];
      }));
    }
    return seen;
  }
};

}  // namespace

// A day in three files, two of them compressed: each is looked into, whatever its columns.
TEST(CsvReplay, NothingComesTwiceIntoADayOfSeveralFiles_P48) {
  set_zone("Europe/Budapest");
  Place place;
  std::vector<Entry> all;
  const std::vector<const char*> keys{"power", "voltage_l1", "current_l1"};
  for (std::size_t i = 0; i < 90; ++i) {
    Entry one = entry(noon + seconds(i), {reading(keys[i / 30], "1")}, "house");
    one.sequence = i + 1;
    all.push_back(std::move(one));
  }
  {
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, {all.begin(), all.begin() + 30}));
    ASSERT_TRUE(place.write(store, {all.begin() + 30, all.begin() + 60}));
    // The last five were lost.
    ASSERT_TRUE(place.write(store, {all.begin() + 60, all.end() - 5}));
    ASSERT_TRUE(store.sync(std::chrono::steady_clock::now()));
  }
  const std::string folder = place.setup.options.directory + "/house/2026-11-20";
  ASSERT_TRUE(compress(folder + ".csv"));
  ASSERT_TRUE(compress(folder + "-2.csv"));
  for (int time = 0; time < 2; ++time) {
    place.setup.replay = true;
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, {all.begin(), all.begin() + 40}));
    ASSERT_TRUE(place.write(store, {all.begin() + 40, all.end()}));
    ASSERT_TRUE(store.sync(std::chrono::steady_clock::now(), true));
    const auto seen = place.lines(".csv");
    EXPECT_EQ(seen.size(), 90U);
    for (const auto& [line, count] : seen)
      EXPECT_EQ(count, 1) << line;
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "-4.csv"));
}

// One day of a month's file is remembered at a time, also where days alternate; lines of one moment
// are as many as they were.
TEST(CsvReplay, FilesOfAMonthAreFilledUpDayByDay_P48) {
  set_zone("UTC");
  Place place;
  place.setup.options.layout = Layout::monthly;
  std::vector<Entry> all;
  for (std::size_t i = 0; i < 60; ++i) {
    Entry one =
        entry(noon + hours(24 * ((i / 10) % 2)) + seconds(i), {reading("power", "1")}, "house");
    if (i == 7) one.sample.at -= seconds(1);
    one.sequence = i + 1;
    all.push_back(std::move(one));
  }
  std::vector<Entry> half;
  for (std::size_t i = 0; i < all.size(); i += 2)
    half.push_back(all[i]);
  {
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, half));
    ASSERT_TRUE(store.sync(std::chrono::steady_clock::now()));
  }
  place.setup.replay = true;
  for (int time = 0; time < 2; ++time) {
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, all));
    ASSERT_TRUE(store.sync(std::chrono::steady_clock::now(), true));
    const auto seen = place.lines(".csv");
    EXPECT_EQ(seen.size(), 59U);
    for (const auto& [line, count] : seen)
      EXPECT_EQ(count, line == "2026-11-20T12:00:06.000Z" ? 2 : 1) << line;
  }
  EXPECT_FALSE(std::filesystem::exists(place.setup.options.directory + "/house/2026-11-2.csv"));
}

// Killed while a full batch of whole telegrams was written: more than any usual end of a file.
TEST(CsvReplay, LongLinesAreNotWrittenTwiceAfterACrash_P53) {
  set_zone("Europe/Budapest");
  Place place;
  place.setup.options.layout = Layout::okosmero;
  std::vector<Entry> all;
  for (std::size_t i = 0; i < 900; ++i) {
    Entry one = entry(noon + seconds(i), {reading("power_import", "69")}, "p1");
    one.sequence = i + 1;
    one.sample.document = R"({"MeterID":"12","Number":)" + std::to_string(i) + R"(,"Message":")" +
                          std::string(1500, 'x') + "\"}";
    all.push_back(std::move(one));
  }
  {
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, {all.begin(), all.begin() + 450}));
    ASSERT_TRUE(store.sync(std::chrono::steady_clock::now()));
    ASSERT_TRUE(place.write(store, {all.begin() + 450, all.end()}));
  }
  place.setup.newest = 900;
  std::filesystem::remove(place.setup.state_file);
  Store store(place.setup);
  ASSERT_TRUE(place.write(store, {all.begin(), all.begin() + 450}));
  ASSERT_TRUE(place.write(store, {all.begin() + 450, all.end()}));
  std::size_t count = 0;
  ASSERT_TRUE(for_each_line(place.setup.options.directory + "/2026-11-20.txt",
                            [&](std::string_view) { ++count; }));
  EXPECT_EQ(count, 900U);
}

// A power cut may leave more zeros than anybody reads of an end.
TEST(CsvReplay, ManyZerosAtTheEndAreCutOff_P53) {
  set_zone("Europe/Budapest");
  Place place;
  Entry first = entry(noon, {reading("power", "1")}, "house");
  {
    Store store(place.setup);
    ASSERT_TRUE(place.write(store, {first}));
  }
  const std::string file = place.setup.options.directory + "/house/2026-11-20.csv";
  std::ofstream(file, std::ios::app | std::ios::binary) << "2026-11" << std::string(900'000, '\0');
  Entry second = entry(noon + seconds(1), {reading("power", "2")}, "house");
  second.sequence = 2;
  place.setup.newest = 1;
  Store store(place.setup);
  ASSERT_TRUE(place.write(store, {first, second}));
  EXPECT_EQ(place.lines(".csv").size(), 2U);
  EXPECT_LT(std::filesystem::file_size(file), 300U);
}

}  // namespace meterbridge::sink::csv
