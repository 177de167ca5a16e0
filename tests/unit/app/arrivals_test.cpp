// SPDX-License-Identifier: MIT
#include "app/arrivals.hpp"

#include "core/json_writer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

using namespace std::chrono_literals;

constexpr Instant noon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h};

NumberedSample sample_of(std::uint64_t number, std::uint64_t previous, Instant at,
                         const std::string& journal = "a") {
  NumberedSample sample;
  sample.parent = "leaves";
  sample.meter = "leaves_site1_house";
  sample.at = at;
  sample.numbered.journal = journal;
  sample.numbered.number = number;
  sample.numbered.previous = previous;
  sample.numbered.topic = "site1/house";
  sample.readings.emplace_back(make_key(Quantity::power), Decimal(1), Unit::W);
  return sample;
}

NumberedSample word_of(std::uint64_t number, std::uint64_t previous, std::uint64_t newest,
                       const std::string& journal = "a") {
  NumberedSample word = sample_of(number, previous, noon, journal);
  word.readings.clear();
  word.numbered.newest = newest;
  return word;
}

// A leaf with one meter: its journal, and what it says.
struct Leaf {
  std::string journal = "a";
  std::vector<std::uint64_t> numbers;
  std::uint64_t last = 1000;
  std::uint64_t said = 0;  // the last in this run; 0: it knows of none
  Instant clock = noon;

  NumberedSample next(std::uint64_t leap) {
    last += 1 + leap;
    clock += 10s;
    // After a restart none is known to lie between two neighbours.
    NumberedSample sample = sample_of(last, said == 0 ? last - 1 : said, clock, journal);
    said = last;
    numbers.push_back(last);
    return sample;
  }

  [[nodiscard]] Instant time_of(std::uint64_t number) const {
    const auto at = std::ranges::find(numbers, number) - numbers.begin();
    return noon + 10s * (at + 1);
  }

  [[nodiscard]] std::vector<NumberedSample> answer(const std::string& payload,
                                                   std::size_t most) const {
    const auto json = nlohmann::json::parse(payload);
    const auto from = json["from"].get<std::uint64_t>();
    const auto newest = numbers.empty() ? 0 : numbers.back();
    const auto to =
        std::min(json.contains("to") ? json["to"].get<std::uint64_t>() : newest, newest);
    std::vector<NumberedSample> all;
    std::uint64_t previous = from - 1;
    for (const std::uint64_t number : numbers) {
      if (number < from || number > to || all.size() >= most) continue;
      all.push_back(sample_of(number, previous, time_of(number), journal));
      previous = number;
    }
    all.push_back(
        word_of(all.size() >= most ? previous : std::max(to, previous), previous, newest, journal));
    return all;
  }
};

std::vector<std::uint64_t> numbers_of(const std::vector<NumberedSample>& samples) {
  std::vector<std::uint64_t> numbers;
  for (const NumberedSample& sample : samples)
    numbers.push_back(sample.numbered.number);
  return numbers;
}

Arrivals::Now at(std::chrono::seconds since) {
  return {noon + since, Arrivals::Time(1h + since)};
}

TEST(Spans, AreTheSameSetInWhicheverOrderTheyCome) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::minstd_rand dice(seed + 1);
    Spans spans;
    std::set<std::uint64_t> all;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t after = dice() % 60;
      const std::uint64_t last = after + dice() % 6;
      spans.add({after, last});
      for (std::uint64_t n = after + 1; n <= last; ++n)
        all.insert(n);
    }
    for (std::uint64_t n = 1; n < 70; ++n)
      EXPECT_EQ(spans.holds(n), all.contains(n)) << seed << " " << n;
    for (auto it = spans.all().begin();
         it != spans.all().end() && std::next(it) != spans.all().end(); ++it)
      EXPECT_LT(it->second, std::next(it)->first) << "two that touch are one";
  }
}

// Messages are lost, doubled and overtaken, answers too; the hub is killed with what it had not
// committed, the leaf starts anew. At the end the hub has each sample once, in order.
TEST(Arrivals, TakeEachSampleOnceInOrderWhateverHappensBetween_P47) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::minstd_rand dice(seed + 1);
    const auto chance = [&](unsigned percent) { return dice() % 100 < percent; };
    Leaf leaf;
    auto hub = std::make_unique<Arrivals>();
    std::vector<NumberedSample> journal;  // of the hub, committed
    std::vector<NumberedSample> waiting;  // not committed yet
    std::string snapshot;                 // an old memory
    std::size_t snapshot_at = 0;
    std::deque<NumberedSample> way;
    std::chrono::seconds time{0};
    bool broker = true;
    const auto carry_out = [&](const Arrivals::Outcome& outcome, bool deaf) {
      waiting.insert(waiting.end(), outcome.samples.begin(), outcome.samples.end());
      for (const Arrivals::Ask& ask : outcome.asks) {
        EXPECT_EQ(ask.topic, "site1/house/set/resend");
        if (deaf || chance(10)) continue;
        for (NumberedSample& sample : leaf.answer(ask.payload, 20))
          if (!chance(5)) way.push_back(std::move(sample));
      }
    };
    const auto deliver = [&] {
      for (int most = 10'000; !way.empty(); --most) {
        ASSERT_GT(most, 0) << "they talk for ever";
        const std::size_t which = chance(20) ? dice() % std::min<std::size_t>(way.size(), 3) : 0;
        const NumberedSample sample = way[which];
        if (!chance(10)) way.erase(way.begin() + static_cast<std::ptrdiff_t>(which));
        carry_out(hub->take(sample, false, at(time)), false);
      }
    };
    const int steps = 300;
    for (int i = 0; i < steps; ++i) {
      time += 10s;
      const bool last = i >= steps - 3;
      if (i > 0 && chance(3)) {
        broker = !broker;
        if (broker) hub->connected();
      }
      if (last) broker = true;
      NumberedSample sample = leaf.next(chance(10) ? dice() % 50 : 0);
      if (broker && (last || i == 0 || !chance(15))) way.push_back(std::move(sample));
      if (chance(4)) leaf.said = 0;  // it was started anew
      deliver();
      if (i > 0 && chance(5)) {  // the hub is killed
        waiting.clear();
        hub = std::make_unique<Arrivals>();
        if (!snapshot.empty()) {
          EXPECT_TRUE(hub->restore(snapshot, false));
        }
        for (std::size_t j = snapshot_at; j < journal.size(); ++j)
          hub->recall(journal[j], false);
        hub->connected();
      } else if (i == 0 || chance(40)) {
        journal.insert(journal.end(), waiting.begin(), waiting.end());
        waiting.clear();
        if (chance(20)) {
          snapshot = hub->json(false);
          snapshot_at = journal.size();
        }
      }
      if (broker) carry_out(hub->tick(at(time)), false);
    }
    for (int i = 0; i < 100; ++i) {
      time += 30s;
      deliver();
      carry_out(hub->tick(at(time)), false);
      if (i % 10 == 0) way.push_back(leaf.next(0));
    }
    deliver();
    journal.insert(journal.end(), waiting.begin(), waiting.end());
    const auto got = numbers_of(journal);
    ASSERT_EQ(got, leaf.numbers) << "seed " << seed;
    EXPECT_EQ(hub->given_up(), 0U);
  }
}

TEST(Arrivals, HomeAssistantSeesTheNewestAndNothingOfTheOutage) {
  Leaf leaf;
  Arrivals hub;
  EXPECT_TRUE(hub.take(leaf.next(0), false, at(10s)).show);
  for (int i = 0; i < 8640; ++i)
    (void)leaf.next(0);
  const auto day = std::chrono::seconds(10 * 8642);
  const auto live = hub.take(leaf.next(0), false, at(day));
  ASSERT_TRUE(live.show) << "it does not wait for what is missing";
  EXPECT_TRUE(live.samples.empty()) << "the journal does";
  auto asks = hub.tick(at(day)).asks;
  std::vector<std::uint64_t> got;
  while (!asks.empty()) {
    ASSERT_EQ(asks.size(), 1U);
    const auto answer = leaf.answer(asks.front().payload, 2000);
    asks.clear();
    for (const NumberedSample& sample : answer) {
      const auto outcome = hub.take(sample, false, at(day));
      EXPECT_FALSE(outcome.show);
      for (const NumberedSample& taken : outcome.samples)
        got.push_back(taken.numbered.number);
      asks.insert(asks.end(), outcome.asks.begin(), outcome.asks.end());
    }
  }
  got.insert(got.begin(), leaf.numbers.front());
  EXPECT_EQ(got, leaf.numbers);
}

TEST(Arrivals, WhatIsGoneIsSaidAndNotWaitedFor) {
  Arrivals hub;
  (void)hub.take(sample_of(10, 9, noon), false, at(1s));
  (void)hub.take(sample_of(50, 40, noon + 40s), false, at(40s));
  EXPECT_EQ(hub.tick(at(40s)).asks.size(), 1U);
  EXPECT_TRUE(hub.tick(at(45s)).asks.empty()) << "an answer has its time";
  NumberedSample gone = word_of(40, 10, 50);
  gone.numbered.missing = "the leaf does not keep samples before number 41 any more";
  const auto outcome = hub.take(gone, false, at(46s));
  EXPECT_EQ(numbers_of(outcome.samples), std::vector<std::uint64_t>{50});
  ASSERT_EQ(outcome.words.size(), 1U);
  EXPECT_NE(outcome.words.front().find("before number 41"), std::string::npos);
  EXPECT_TRUE(hub.tick(at(2h)).asks.empty());
}

TEST(Arrivals, ALeafThatIsAwayIsWaitedForAndOneThatNeverAnswersIsNot) {
  for (const bool speaks : {false, true}) {
    Arrivals hub;
    (void)hub.take(sample_of(10, 9, noon), false, at(1s));
    (void)hub.take(sample_of(50, 40, noon + 40s), false, at(40s));
    std::size_t asked = 0;
    std::vector<std::string> words;
    std::uint64_t number = 50;
    for (auto time = 40s; time < 3h; time += 1s) {
      const auto outcome = hub.tick(at(time));
      asked += outcome.asks.size();
      words.insert(words.end(), outcome.words.begin(), outcome.words.end());
      if (speaks && time.count() % 10 == 0) {
        (void)hub.take(sample_of(number + 1, number, noon + time), false, at(time));
        ++number;
      }
    }
    EXPECT_EQ(hub.given_up(), speaks ? 1U : 0U);
    EXPECT_EQ(words.size(), speaks ? 1U : 0U);
    EXPECT_LT(asked, 60U) << "later and later";
    if (speaks) {
      EXPECT_NE(words.front().find("numbers 11 to 40"), std::string::npos) << words.front();
      EXPECT_LT(asked, 10U);
    }
  }
}

NumberedSample sample_from(const std::string& leaf, std::uint64_t number, std::uint64_t previous,
                           Instant at) {
  NumberedSample sample = sample_of(number, previous, at);
  sample.meter = "leaves_" + leaf + "_house";
  sample.numbered.topic = leaf + "/house";
  return sample;
}

// Of a thousand leaves some are always away: whoever can answer has his turn nevertheless, and is
// asked until he did, whether he speaks every second or not.
TEST(Arrivals, LeavesThatAreAwayDoNotKeepTheOthersWaiting) {
  Arrivals hub;
  std::map<std::string, int> asked;
  const auto count = [&](const Arrivals::Outcome& outcome) {
    for (const Arrivals::Ask& ask : outcome.asks)
      ++asked[ask.topic];
  };
  for (int i = 100; i < 300; ++i)
    count(hub.take(sample_from("a" + std::to_string(i), 10, 9, noon), false, at(1s)));
  count(hub.take(sample_from("z", 10, 9, noon), false, at(1s)));
  hub.connected();
  for (auto time = 2s; time < 1h; time += 1s)
    count(hub.tick(at(time)));
  EXPECT_EQ(asked.size(), 201U) << "each has his turn";
  asked.clear();
  std::uint64_t number = 20;
  for (auto time = 3600s; time < 3700s; time += 1s) {
    count(hub.take(sample_from("z", number + 1, number, noon + time), false, at(time)));
    ++number;
    count(hub.tick(at(time)));
  }
  EXPECT_GE(asked["z/house/set/resend"], 2) << "who speaks comes first";
  EXPECT_LE(asked["z/house/set/resend"], 6);
}

TEST(Arrivals, ANameHasOnePlaceAndOneLeaf) {
  Arrivals hub;
  (void)hub.take(sample_of(10, 9, noon), false, at(1s));
  NumberedSample other = sample_of(700, 699, noon + 20s, "b");
  other.numbered.topic = "site2/house";
  const auto refused = hub.take(other, false, at(20s));
  EXPECT_TRUE(refused.samples.empty());
  EXPECT_FALSE(refused.show) << "values of two meters are not mixed";
  ASSERT_EQ(refused.words.size(), 1U);
  EXPECT_NE(refused.words.front().find("site2/house/sample"), std::string::npos);
  EXPECT_TRUE(hub.take(other, false, at(30s)).words.empty()) << "said once";
  EXPECT_EQ(hub.take(sample_of(11, 10, noon + 40s), false, at(40s)).samples.size(), 1U);
  // The same leaf below another base topic, and one that took its place for good.
  NumberedSample moved = sample_of(12, 11, noon + 50s);
  moved.numbered.topic = "site3/house";
  EXPECT_EQ(hub.take(moved, false, at(50s)).samples.size(), 1U);
  other.at = noon + 2h;
  EXPECT_EQ(hub.take(other, false, at(2h)).words.size(), 1U) << "it has a new journal";
  EXPECT_EQ(hub.tick(at(2h)).asks.size(), 1U);
  // Two at one place are named.
  std::vector<std::string> words;
  for (std::uint64_t i = 1; i < 4; ++i) {
    for (const auto& [journal, number] : {std::pair("c", 100 + i), std::pair("d", 200 + i)}) {
      const auto time = noon + 3h + std::chrono::seconds(1000 * i + number);
      const auto sample = sample_of(number, i == 1 ? 0 : number - 1, time, journal);
      const auto outcome = hub.take(sample, false, at(3h));
      words.insert(words.end(), outcome.words.begin(), outcome.words.end());
    }
  }
  EXPECT_EQ(std::ranges::count_if(words,
                                  [](const std::string& line) {
                                    return line.find("two leaves") != std::string::npos;
                                  }),
            1);
}

TEST(Arrivals, AHostileLeafFillsNoMemory) {
  Arrivals hub;
  std::size_t words = 0;
  for (int i = 0; i < 30'000; ++i)
    words +=
        hub.take(sample_from("x" + std::to_string(i), 10, 9, noon), false, at(1s)).words.size();
  EXPECT_EQ(words, 1U);
  Arrivals sharing;
  words = 0;
  for (std::uint64_t i = 1; i < 6000; ++i)
    words += sharing.take(sample_of(i * 10, i * 10 - 1, noon), true, at(1s)).words.size();
  EXPECT_GT(words, 900U) << "gaps without end";
  EXPECT_LT(sharing.json(true).size(), 200'000U);
}

TEST(Arrivals, ALeafWithANewJournalIsTakenFromItsFirstSampleOn) {
  Arrivals hub;
  (void)hub.take(sample_of(1000, 999, noon), false, at(1s));
  const auto fresh = hub.take(sample_of(7, 6, noon + 60s, "b"), false, at(60s));
  ASSERT_EQ(fresh.words.size(), 1U);
  EXPECT_TRUE(fresh.show);
  const auto asks = hub.tick(at(61s)).asks;
  ASSERT_EQ(asks.size(), 1U);
  EXPECT_EQ(asks.front().payload, R"({"journal":"b","from":1,"to":6})");
  // What is late of the old one is known.
  EXPECT_TRUE(hub.take(sample_of(1000, 999, noon), false, at(61s)).samples.empty());
  const auto rest = hub.take(sample_of(3, 0, noon + 20s, "b"), false, at(62s));
  EXPECT_EQ(numbers_of(rest.samples), std::vector<std::uint64_t>{3});
  EXPECT_EQ(numbers_of(hub.take(word_of(6, 3, 7, "b"), false, at(62s)).samples),
            std::vector<std::uint64_t>{7});
}

// What a script, or a hub that remembers wrongly, asks for in journals that never were.
TEST(Arrivals, AnswersAboutForeignJournalsMakeNothingForgotten) {
  Arrivals hub;
  for (std::uint64_t n = 10; n < 20; ++n)
    (void)hub.take(sample_of(n, n - 1, noon + std::chrono::seconds(n)), false, at(20s));
  for (int i = 0; i < 7; ++i) {
    const auto outcome = hub.take(word_of(9, 0, 0, "none" + std::to_string(i)), false, at(21s));
    EXPECT_TRUE(outcome.words.empty());
  }
  EXPECT_TRUE(hub.take(sample_of(15, 14, noon + 15s), false, at(22s)).samples.empty());
  const auto live = hub.take(sample_of(20, 19, noon + 23s), false, at(23s));
  EXPECT_EQ(live.samples.size(), 1U);
  EXPECT_TRUE(live.show);
  // Real ones: what the first had is known, though it is not remembered any more.
  for (const char* journal : {"b", "c", "d", "e"})
    (void)hub.take(sample_of(5, 4, noon + 60s, journal), false, at(60s));
  EXPECT_TRUE(hub.take(sample_of(2, 0, noon + 12s, "e"), false, at(61s)).samples.empty());
}

TEST(Arrivals, TheOldBoardThatIsBackIsShown) {
  Arrivals hub;
  (void)hub.take(sample_of(1000, 999, noon), false, at(0s));
  EXPECT_TRUE(hub.take(sample_of(7, 0, noon + 10s, "b"), false, at(10s)).show);
  // As long as both speak they are two leaves.
  const auto beside = hub.take(sample_of(1001, 1000, noon + 30s), false, at(30s));
  EXPECT_EQ(beside.samples.size(), 1U);
  EXPECT_FALSE(beside.show);
  const auto back = hub.take(sample_of(1002, 1001, noon + 80s), false, at(80s));
  EXPECT_EQ(back.samples.size(), 1U);
  ASSERT_TRUE(back.show);
  EXPECT_EQ(back.show->numbered.number, 1002U);
  EXPECT_TRUE(hub.take(sample_of(1003, 1002, noon + 90s), false, at(90s)).show);
  hub.connected();
  const auto asks = hub.tick(at(91s)).asks;
  EXPECT_TRUE(std::ranges::any_of(asks, [](const Arrivals::Ask& ask) {
    return ask.payload == R"({"journal":"a","from":1004})";
  })) << "what came while there was no connection is the old board's";
}

// A leaf that answers with what was not asked for is asked again later and later, and given up.
TEST(Arrivals, AnAnswerThatBringsNothingIsNotTheNextQuestion) {
  Arrivals hub;
  (void)hub.take(sample_of(10, 9, noon), false, at(1s));
  (void)hub.take(sample_of(50, 40, noon + 40s), false, at(40s));
  std::size_t asked = 0;
  for (auto time = 41s; time < 3h; time += 1s) {
    auto outcome = hub.tick(at(time));
    for (int more = 0; more < 10 && !outcome.asks.empty(); ++more) {
      ++asked;
      outcome =
          hub.take(more % 2 == 0 ? word_of(999, 998, 50) : word_of(10, 9, 50), false, at(time));
    }
  }
  EXPECT_LT(asked, 10U);
  EXPECT_EQ(hub.given_up(), 1U);
}

TEST(Arrivals, AJournalFromABackupGivesItsNumbersAgain) {
  Arrivals hub;
  for (std::uint64_t n = 10; n < 20; ++n)
    (void)hub.take(sample_of(n, n - 1, noon + std::chrono::seconds(n)), false, at(20s));
  EXPECT_TRUE(hub.take(sample_of(15, 14, noon + 15s), false, at(21s)).samples.empty());
  const auto again = hub.take(sample_of(15, 14, noon + 60s), false, at(60s));
  EXPECT_EQ(again.samples.size(), 1U);
  EXPECT_EQ(again.words.size(), 1U);
  EXPECT_EQ(hub.take(sample_of(16, 15, noon + 70s), false, at(70s)).samples.size(), 1U);
}

// The broker deals messages out among hubs, and changes its mind; one of them is killed now and
// then. What both have together is everything, and hardly anything twice.
TEST(Arrivals, HubsThatShareMissNothing_P47) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::minstd_rand dice(seed + 1);
    const auto chance = [&](unsigned percent) { return dice() % 100 < percent; };
    Leaf leaf;

    struct Hub {
      std::unique_ptr<Arrivals> arrivals = std::make_unique<Arrivals>();
      std::vector<NumberedSample> journal;
      std::vector<NumberedSample> waiting;
    };

    std::vector<Hub> hubs(2);
    std::chrono::seconds time{0};
    // Both know the meter before anything is lost, or one hears of it only behind an outage.
    const bool late = seed % 2 == 1;
    for (Hub& hub : hubs) {
      auto outcome = hub.arrivals->take(leaf.next(0), true, at(time));
      hub.journal = outcome.samples;
      for (int lost = 0; late && &hub == hubs.data() && lost < 20; ++lost)
        (void)leaf.next(0);
    }
    const auto said = [&](Hub& from) {
      const std::string text = from.arrivals->json(true);
      for (Hub& hub : hubs) {
        if (&hub == &from) continue;
        EXPECT_TRUE(hub.arrivals->restore(text, true));
      }
    };
    std::deque<NumberedSample> way;
    const auto act = [&](Hub& hub, const Arrivals::Outcome& outcome) {
      hub.waiting.insert(hub.waiting.end(), outcome.samples.begin(), outcome.samples.end());
      for (const auto& ask : outcome.asks)
        for (NumberedSample& sample : leaf.answer(ask.payload, 20))
          way.push_back(std::move(sample));
    };
    for (int i = 0; i < 400; ++i) {
      time += 10s;
      const bool quiet = i > 300;
      NumberedSample sample = leaf.next(0);
      if (quiet || !chance(10)) way.push_back(std::move(sample));
      while (!way.empty()) {
        Hub& hub = hubs[dice() % 2];
        act(hub, hub.arrivals->take(way.front(), true, at(time)));
        way.pop_front();
      }
      Hub& victim = hubs[dice() % 2];
      if (!quiet && chance(3)) {  // with what it had not committed
        victim.waiting.clear();
        Arrivals fresh;
        for (const NumberedSample& kept : victim.journal)
          fresh.recall(kept, true);
        victim.arrivals = std::make_unique<Arrivals>();
        EXPECT_TRUE(victim.arrivals->restore(fresh.json(false), false));
        for (Hub& hub : hubs)
          if (&hub != &victim) said(hub);
      }
      for (Hub& hub : hubs) {
        hub.journal.insert(hub.journal.end(), hub.waiting.begin(), hub.waiting.end());
        hub.waiting.clear();
        said(hub);
        act(hub, hub.arrivals->tick(at(time)));
      }
    }
    std::vector<std::uint64_t> all;
    for (Hub& hub : hubs) {
      const auto part = numbers_of(hub.journal);
      EXPECT_GT(part.size(), 100U);
      all.insert(all.end(), part.begin(), part.end());
    }
    std::ranges::sort(all);
    std::vector<std::uint64_t> missing;
    std::ranges::set_difference(leaf.numbers, all, std::back_inserter(missing));
    ASSERT_EQ(missing, std::vector<std::uint64_t>{}) << "seed " << seed;
    // What was on its way when one was killed may be with both.
    EXPECT_LE(all.size() - leaf.numbers.size(), leaf.numbers.size() / 50) << "seed " << seed;
  }
}

}  // namespace
}  // namespace meterbridge::app
