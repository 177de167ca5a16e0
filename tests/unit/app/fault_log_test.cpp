// SPDX-License-Identifier: MIT
#include "app/fault_log.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

using namespace std::chrono_literals;
using Time = FaultLog::Time;

const Error checksum{Errc::checksum, "CRC is 99DA, the telegram says 1234"};
const Error silence{Errc::timeout, "not one byte for 30s"};

TEST(FaultLog, WritesOneLineWhenItBeginsAndOneWhenItIsOver) {
  FaultLog log;
  Time now{1h};
  EXPECT_FALSE(log.good(now));
  EXPECT_EQ(log.failed(now, silence), "no_bytes: not one byte for 30s");
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(log.failed(now += 10s, silence));
  EXPECT_EQ(log.good(now += 10s), "good again after 1m and 6 failures");
  EXPECT_FALSE(log.good(now += 10s));
}

TEST(FaultLog, NamesANewKindOfTroubleInsideTheOldOne) {
  FaultLog log;
  Time now{1h};
  EXPECT_TRUE(log.failed(now, silence));
  EXPECT_EQ(log.failed(now += 1s, checksum), "bad_checksum: CRC is 99DA, the telegram says 1234");
}

struct Hour {
  Hour() = default;
  int lines = 0;
  std::string text;
};

// One attempt a second for an hour, of which `percent` fail.
Hour play(int percent) {
  FaultLog log;
  Hour hour;
  std::minstd_rand random(7);
  const auto note = [&](const std::optional<std::string>& line) {
    if (!line) return;
    ++hour.lines;
    hour.text += *line + "\n";
  };
  Time now{1h};
  for (int second = 0; second < 3600; ++second, now += 1s) {
    const bool bad = static_cast<int>(random() % 100) < percent;
    note(bad ? log.failed(now, checksum) : log.good(now));
    note(log.tick(now));
  }
  return hour;
}

TEST(P22, AnHourOfConstantFailureIsAFewLinesWithTheRightHint) {
  const Hour hour = play(100);
  EXPECT_LT(hour.lines, 20);
  EXPECT_GE(hour.lines, 2);
  EXPECT_NE(hour.text.find("every one fails: check speed, parity"), std::string::npos) << hour.text;
}

TEST(P22, AnHourOfSporadicFailureIsAFewLinesWithTheRightHint) {
  const Hour hour = play(5);
  EXPECT_LT(hour.lines, 20) << hour.text;
  EXPECT_NE(hour.text.find("now and then: check the cable"), std::string::npos) << hour.text;
  EXPECT_EQ(hour.text.find("every one fails"), std::string::npos) << hour.text;
}

TEST(P54, ADayOfFlutterStaysBelowTwoHundredLines) {
  FaultLog log;
  int lines = 0;
  Time now{1h};
  for (int second = 0; second < 24 * 3600; ++second, now += 1s) {
    if (second % 2 == 0 ? log.failed(now, silence) : log.good(now)) ++lines;
    if (log.tick(now)) ++lines;
  }
  EXPECT_LT(lines, 200);
}

TEST(P54, EachFaultForADayStaysBelowTwentyLines) {
  for (const Errc code : {Errc::no_device, Errc::timeout, Errc::no_frame, Errc::checksum, Errc::key,
                          Errc::exception, Errc::refused}) {
    FaultLog log;
    int lines = 0;
    Time now{1h};
    for (int poll = 0; poll < 24 * 120; ++poll, now += 30s) {
      if (log.failed(now, Error(code, "it fails"))) ++lines;
      if (log.tick(now)) ++lines;
    }
    EXPECT_GE(lines, 3) << name(code);  // when it begins, and summaries
    EXPECT_LT(lines, 20) << name(code);
  }
}

struct Outage {
  int hour;  // of the week
  int minutes;
  Error error;
};

// A week at one poll in 30 s: one failure in a hundred, and outages. The soak test plays as many
// polls through the program, but not the hours that this log counts.
TEST(P54, AWeekWithOutagesIsLessThanFiftyLinesAndNamesEachOfThem) {
  const std::vector<Outage> outages{
      {5, 20, silence},
      {30, 3 * 60, Error(Errc::no_device, "/dev/ttyUSB0 is gone")},
      {55, 10, Error(Errc::no_frame, "117 bytes, but no whole answer")},
      {80, 90, checksum},
      {100, 8 * 60, Error(Errc::key, "the key does not fit")},
      {130, 5, silence},
      {150, 15, Error(Errc::exception, "the meter refuses")},
  };
  const Error sporadic(Errc::refused, "a value is held back");
  for (unsigned seed = 0; seed < 20; ++seed) {
    FaultLog log;
    std::minstd_rand random(seed + 1);
    std::vector<std::string> lines;
    const auto note = [&](const std::optional<std::string>& line) {
      if (line) lines.push_back(*line);
    };
    std::size_t named = 0;
    const Time begin{1h};
    for (Time now = begin; now < begin + 168h; now += 30s) {
      const auto out = std::find_if(outages.begin(), outages.end(), [&](const Outage& outage) {
        const Time from = begin + std::chrono::hours(outage.hour);
        return now >= from && now < from + std::chrono::minutes(outage.minutes);
      });
      if (out != outages.end()) {
        const std::size_t before = lines.size();
        note(log.failed(now, out->error));
        if (lines.size() > before && lines.back().find(out->error.detail()) != std::string::npos)
          ++named;
      } else {
        note(random() % 100 == 0 ? log.failed(now, sporadic) : log.good(now));
      }
      note(log.tick(now));
    }
    EXPECT_LT(lines.size(), 50U) << "seed " << seed;
    EXPECT_EQ(named, outages.size()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace meterbridge::app
