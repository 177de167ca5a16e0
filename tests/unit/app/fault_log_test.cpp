// SPDX-License-Identifier: MIT
#include "app/fault_log.hpp"

#include <random>

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

}  // namespace
}  // namespace meterbridge::app
