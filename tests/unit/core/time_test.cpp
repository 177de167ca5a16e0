// SPDX-License-Identifier: MIT
#include "core/time.hpp"

#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace meterbridge;
using namespace std::chrono_literals;

namespace {

// Sets the process zone for one test and puts the old one back.
class ZoneGuard {
 public:
  explicit ZoneGuard(const char* zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", zone, 1);
    tzset();
  }

  ~ZoneGuard() {
    if (before_) {
      setenv("TZ", before_->c_str(), 1);
    } else {
      unsetenv("TZ");
    }
    tzset();
  }

  ZoneGuard(const ZoneGuard&) = delete;
  ZoneGuard& operator=(const ZoneGuard&) = delete;

 private:
  std::optional<std::string> before_;
};

// Written out, so that the tests need no zone database.
constexpr const char* central_europe = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* new_york = "EST5EDT,M3.2.0,M11.1.0";
constexpr const char* lord_howe =
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";  // half an hour of summer time
constexpr const char* chatham = "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45";
constexpr const char* utc = "UTC0";
constexpr const char* kolkata = "IST-5:30";

const std::vector<const char*> zones = {central_europe, new_york, lord_howe, chatham, utc, kolkata};

LocalTime local(int year, int month, int day, int hour, int minute = 0, int second = 0) {
  const auto made = LocalTime::make(year, month, day, hour, minute, second);
  EXPECT_TRUE(made);
  return made ? *made : LocalTime{};
}

Seconds at(int year, int month, int day, int hour, int minute = 0, int second = 0) {
  return Seconds(local(year, month, day, hour, minute, second).at.time_since_epoch());
}

std::optional<Season> season_at(Seconds instant) {
  const auto seconds = static_cast<std::time_t>(instant.time_since_epoch().count());
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts.tm_isdst > 0 ? Season::summer : Season::winter;
}

// Every instant of 2026 in steps of a quarter of an hour, and second by second around each change.
std::vector<Seconds> instants_of_a_year() {
  std::vector<Seconds> all;
  for (Seconds t = at(2026, 1, 1, 0); t < at(2027, 1, 1, 0); t += 15min) {
    all.push_back(t);
    const auto offset = [](Seconds s) {
      return to_local(s).at.time_since_epoch() - s.time_since_epoch();
    };
    if (offset(t) == offset(t + 15min)) continue;
    for (Seconds s = t - 2h; s < t + 2h; s += 1s)
      all.push_back(s);
  }
  return all;
}

}  // namespace

TEST(LocalTime, HoldsOnlyDatesThatExist) {
  EXPECT_TRUE(LocalTime::make(2024, 2, 29, 23, 59, 59));
  EXPECT_FALSE(LocalTime::make(2023, 2, 29, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 2, 30, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 25, 1, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 0, 1, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 4, 31, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 1, 0, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 1, 1, 24, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 1, 1, 0, 60, 0));
  EXPECT_FALSE(LocalTime::make(2026, 1, 1, 0, 0, 60));
  EXPECT_FALSE(LocalTime::make(2026, 1, 1, -1, 0, 0));
  EXPECT_FALSE(LocalTime::make(2026, 1, -1, 0, 0, 0));
  EXPECT_FALSE(LocalTime::make(99999, 1, 1, 0, 0, 0));
  EXPECT_EQ(LocalTime::make(2026, 2, 30, 0, 0, 0).error().code(), Errc::malformed);
}

TEST(ToUtc, HonoursTheSeasonOfATelegram) {
  EXPECT_EQ(iso_utc(to_utc(local(2023, 7, 24, 15, 7, 30), 60min, Season::summer)),
            "2023-07-24T13:07:30Z");
  EXPECT_EQ(iso_utc(to_utc(local(2023, 1, 24, 15, 7, 30), 60min, Season::winter)),
            "2023-01-24T14:07:30Z");
  EXPECT_EQ(iso_utc(to_utc(local(2023, 1, 1, 0), 120min, Season::winter)), "2022-12-31T22:00:00Z");
  EXPECT_EQ(to_utc(local(2026, 10, 25, 2, 30), 60min, Season::winter) -
                to_utc(local(2026, 10, 25, 2, 30), 60min, Season::summer),
            1h);
}

TEST(ToUtc, FindsEveryInstantOfAYearAgainFromItsLocalTimeAndSeason) {
  for (const char* zone : zones) {
    const ZoneGuard guard(zone);
    for (const Seconds instant : instants_of_a_year()) {
      const auto back = to_utc(to_local(instant), season_at(instant));
      ASSERT_TRUE(back) << zone << " " << iso_utc(instant);
      ASSERT_EQ(*back, instant) << zone << " " << iso_utc(instant);
    }
  }
}

// A time_t of 32 bits ends in January of 2038: cmake/time.cmake.
TEST(ToUtc, KnowsTheZoneAlsoAfter2038) {
  const ZoneGuard guard(central_europe);
  EXPECT_EQ(to_local(at(2045, 7, 1, 10)).at, local(2045, 7, 1, 12).at);
  EXPECT_EQ(*to_utc(local(2045, 7, 1, 12)), at(2045, 7, 1, 10));
}

TEST(ToUtc, FindsTheInstantNotAfterTheArrivalWithoutASeason) {
  for (const char* zone : zones) {
    const ZoneGuard guard(zone);
    for (const Seconds instant : instants_of_a_year()) {
      const auto back = to_utc(to_local(instant), {}, instant);
      ASSERT_TRUE(back) << zone << " " << iso_utc(instant);
      ASSERT_EQ(*back, instant) << zone << " " << iso_utc(instant);
    }
  }
}

TEST(ToUtc, RefusesExactlyTheLocalTimesThatNoInstantShows) {
  for (const char* zone : zones) {
    const ZoneGuard guard(zone);
    std::map<std::chrono::local_seconds, int> shown;
    for (Seconds t = at(2025, 12, 30, 0); t < at(2027, 1, 3, 0); t += 15min)
      ++shown[to_local(t).at];
    int skipped = 0;
    int doubled = 0;
    for (LocalTime clock = local(2026, 1, 1, 0); clock.at < local(2027, 1, 1, 0).at;
         clock.at += 15min) {
      const auto found = shown.find(clock.at);
      const auto instant = to_utc(clock);
      ASSERT_EQ(static_cast<bool>(instant), found != shown.end())
          << zone << " " << iso_local(clock);
      if (!instant) {
        EXPECT_EQ(instant.error().code(), Errc::malformed);
        ++skipped;
      } else if (found->second == 2) {
        ++doubled;
      }
    }
    const bool has_summer = zone != utc && zone != kolkata;
    EXPECT_EQ(skipped > 0, has_summer) << zone;
    EXPECT_EQ(doubled, skipped) << zone;
  }
}

TEST(ToUtc, TakesTheDoubledHourAsAsked) {
  const ZoneGuard guard(central_europe);
  const LocalTime doubled = local(2026, 10, 25, 2, 30);
  const Seconds first = at(2026, 10, 25, 0, 30);
  const Seconds second = at(2026, 10, 25, 1, 30);
  EXPECT_EQ(*to_utc(doubled), first) << "without a hint the first";
  EXPECT_EQ(*to_utc(doubled, Season::summer), first);
  EXPECT_EQ(*to_utc(doubled, Season::winter), second);
  EXPECT_EQ(*to_utc(doubled, {}, first - 1s), first) << "both lie ahead: the clock runs fast";
  EXPECT_EQ(*to_utc(doubled, {}, first), first);
  EXPECT_EQ(*to_utc(doubled, {}, second - 1s), first);
  EXPECT_EQ(*to_utc(doubled, {}, second), second);
  EXPECT_EQ(*to_utc(doubled, Season::summer, second), first)
      << "the season is sure, the arrival a guess";
}

TEST(ToUtc, RefusesTheSkippedHour) {
  const ZoneGuard guard(central_europe);
  EXPECT_EQ(*to_utc(local(2026, 3, 29, 1, 59, 59)), at(2026, 3, 29, 0, 59, 59));
  EXPECT_FALSE(to_utc(local(2026, 3, 29, 2, 0)));
  EXPECT_FALSE(to_utc(local(2026, 3, 29, 2, 59, 59)));
  EXPECT_FALSE(to_utc(local(2026, 3, 29, 2, 30), Season::summer));
  EXPECT_EQ(*to_utc(local(2026, 3, 29, 3, 0)), at(2026, 3, 29, 1, 0));
}

TEST(ToUtc, TakesASeasonThatTheZoneDoesNotKnowForTheTimeOfDay) {
  const ZoneGuard guard(utc);
  EXPECT_EQ(*to_utc(local(2026, 7, 1, 12), Season::summer), at(2026, 7, 1, 12));
}

TEST(ToUtc, WorksFarFromTheEpoch) {
  const ZoneGuard guard(central_europe);
  EXPECT_EQ(*to_utc(local(1970, 1, 1, 1)), at(1970, 1, 1, 0));
  EXPECT_EQ(*to_utc(local(2069, 7, 1, 2)), at(2069, 7, 1, 0))
      << "a meter whose clock was never set";
  EXPECT_EQ(*to_utc(local(2000, 1, 1, 0)), at(1999, 12, 31, 23));
}

TEST(ToLocal, IsTheWallClock) {
  const Seconds instant = at(2026, 7, 24, 13, 7, 30);
  {
    const ZoneGuard guard(central_europe);
    EXPECT_EQ(iso_local(to_local(instant)), "2026-07-24T15:07:30");
  }
  {
    const ZoneGuard guard(kolkata);
    EXPECT_EQ(iso_local(to_local(instant)), "2026-07-24T18:37:30");
  }
}

TEST(Iso, AgreesWithTheCLibrary) {
  std::mt19937_64 random(1);
  for (int seed = 0; seed < 20000; ++seed) {
    const auto seconds = static_cast<std::time_t>(random() % 8'000'000'000ULL) - 1'000'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[40];
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &parts);
    EXPECT_EQ(iso_utc(Seconds(std::chrono::seconds(seconds))), expected);
  }
}

TEST(Iso, HasThreeDigitsOfMilliseconds) {
  EXPECT_EQ(iso_utc(Instant(1795199400000ms)), "2026-11-20T18:30:00.000Z");
  EXPECT_EQ(iso_utc(Instant(1795199400007ms)), "2026-11-20T18:30:00.007Z");
  EXPECT_EQ(iso_utc(Instant(-1ms)), "1969-12-31T23:59:59.999Z");
}

TEST(Duration, ReadsNumberAndUnit) {
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("1h"), 1h);
  EXPECT_EQ(*parse_duration("30d"), 720h);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}

TEST(Duration, RefusesBareNumbersAndNonsenseInWords) {
  for (const char* text :
       {"", "30", "s", "-5s", "+5s", "5 s", " 5s", "1.5s", "5S", "5min", "5sec", "1h30m", "0x5s",
        "99999999999999999999s", "9223372036854775807h", "100000h"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code(), Errc::invalid);
    EXPECT_NE(duration.error().detail().find("30s"), std::string::npos) << "an example helps";
  }
  EXPECT_NE(parse_duration("30").error().detail().find("no unit"), std::string::npos);
}

TEST(Duration, SurvivesItsShortestText) {
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(300s), "5m");
  EXPECT_EQ(duration_text(3600s), "1h");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
  EXPECT_EQ(duration_text(0ms), "0s");
  std::mt19937 random(2);
  for (int seed = 0; seed < 5000; ++seed) {
    const Milliseconds duration(static_cast<std::int64_t>(random()) * (seed % 4 == 0 ? 60 : 1));
    const auto back = parse_duration(duration_text(duration));
    ASSERT_TRUE(back) << duration_text(duration);
    EXPECT_EQ(*back, duration);
  }
}

TEST(SystemClock, ShowsTheTimeOfTheSystem) {
  const SystemClock clock;
  const auto before = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  const Instant now = clock.now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::system_clock::now());
  const auto steady = clock.steady();
  EXPECT_LE(steady, std::chrono::steady_clock::now());
}
