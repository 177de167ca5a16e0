// SPDX-License-Identifier: MIT
#include "iec62056_bench.hpp"

#include <random>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// Property: answers cut anywhere into pieces make the same telegram.
TEST_F(Iec62056Poll, AnyCutOfTheAnswersGivesTheSame) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  std::string whole;
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      std::vector<VirtualLine::Arrival> pieces;
      for (const auto& arrival : arrivals) {
        std::size_t at = 0;
        while (at < arrival.bytes.size()) {
          const std::size_t length =
              seed == 0 ? arrival.bytes.size() : 1 + random() % arrival.bytes.size();
          const std::size_t end = std::min(arrival.bytes.size(), at + length);
          VirtualLine::Arrival piece;
          piece.after = arrival.after + Milliseconds(static_cast<int>(at));
          piece.bytes.assign(arrival.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                             arrival.bytes.begin() + static_cast<std::ptrdiff_t>(end));
          pieces.push_back(std::move(piece));
          at = end;
        }
      }
      arrivals = std::move(pieces);
    });
    const auto telegram = poll(*driver_of(settings), line);
    ASSERT_TRUE(telegram) << seed << ": " << telegram.error().detail();
    const std::string json = telegram_json(*telegram);
    if (seed == 0) whole = json;
    EXPECT_EQ(json, whole) << seed;
  }
  EXPECT_NE(whole.find("energy_import_t4"), std::string::npos);
}

// P09: nothing that a disturbed line does makes a wrong value. The meter never changes, so every
// value that is read must be the one of the undisturbed poll.
TEST_F(Iec62056Poll, NoFaultOfTheLineMakesAWrongValueP09) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto calm = line_with(meters);
  const auto right = poll(*driver_of(settings), calm);
  ASSERT_TRUE(right);
  int good = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    Bytes before;
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      for (auto& arrival : arrivals) {
        const Bytes sent = arrival.bytes;
        switch (random() % 12) {
          case 0:
            arrival.bytes[random() % arrival.bytes.size()] ^=
                static_cast<std::byte>(1U << random() % 7);
            break;
          case 1:
            arrival.bytes.resize(random() % arrival.bytes.size());
            break;
          case 2:
            arrival.after += Milliseconds(2000);
            break;
          case 3:
            if (!before.empty()) arrival.bytes = before;
            break;
          case 4:
            arrival.bytes.insert(arrival.bytes.begin(), static_cast<std::byte>(random() % 128));
            break;
          default:
            break;
        }
        before = sent;
      }
      std::erase_if(arrivals, [](const auto& arrival) { return arrival.bytes.empty(); });
    });
    const auto driver = driver_of(settings);
    for (int i = 0; i < 4; ++i) {
      const auto telegram = poll(*driver, line);
      if (!telegram) continue;
      ++good;
      for (const Reading& one : telegram->readings.front().readings) {
        const std::string key = one.key.text();
        ASSERT_EQ(reading(*telegram, key), reading(*right, key)) << key << " seed " << seed;
      }
    }
  }
  EXPECT_GT(good, 200);
}

// Saiman answers without the code that was asked: an answer that comes after its time would fit the
// next question. However late it is, it is taken for its own question or for none.
TEST_F(Iec62056Poll, ALateAnswerWithoutItsCodeIsNeverTakenForAnotherP07P09) {
  const auto settings = saiman();
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto calm = line_with(meters);
  const auto right = poll(*driver_of(settings), calm);
  ASSERT_TRUE(right);
  int good = 0;
  int late = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](int limit) {
      return Milliseconds(static_cast<int>(random() % static_cast<unsigned>(limit)));
    };
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      for (std::size_t i = 0, count = arrivals.size(); i < count; ++i) {
        switch (random() % 10) {
          case 0:
            arrivals[i].after += below(3300);  // more than twice what is waited for
            ++late;
            break;
          case 1:
            arrivals[i].after += below(1500);
            break;
          case 2: {
            VirtualLine::Arrival again = arrivals[i];
            again.after += below(90);
            arrivals.push_back(std::move(again));
            break;
          }
          case 3:
            arrivals[i].bytes.clear();
            break;
          default:
            break;
        }
      }
      std::erase_if(arrivals, [](const auto& arrival) { return arrival.bytes.empty(); });
    });
    const auto driver = driver_of(settings);
    for (int i = 0; i < 3; ++i) {
      const auto telegram = poll(*driver, line);
      if (!telegram) continue;
      ++good;
      for (const Reading& one : telegram->readings.front().readings) {
        const std::string key = one.key.text();
        ASSERT_EQ(reading(*telegram, key), reading(*right, key)) << key << " seed " << seed;
      }
    }
  }
  EXPECT_GT(good, 600);
  EXPECT_GT(late, 500);
}

TEST_F(Iec62056Poll, AnotherMasterAndAForeignAnswerAreNotTakenP08) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  Mischief mischief;
  mischief.other_master = true;
  meters.front().misbehave(mischief);
  const auto telegram = poll(*driver_of(settings), line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "1891.880");
  mischief = {};
  mischief.foreign = true;
  meters.front().misbehave(mischief);
  const auto foreign = poll(*driver_of(settings), line);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code(), Errc::mismatch);
}

}  // namespace
}  // namespace meterbridge::protocol::iec62056_21
