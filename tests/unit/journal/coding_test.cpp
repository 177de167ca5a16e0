// SPDX-License-Identifier: MIT
#include "journal/coding.hpp"

#include "unit/journal/support.hpp"

#include <gtest/gtest.h>

namespace meterbridge::journal {
namespace {

TEST(Coding, WhatWasWrittenIsReadToTheLastDigit) {
  std::mt19937_64 random(1);
  Dictionary words;
  for (int i = 0; i < 11000; ++i) {
    const Sample sample = random_sample(random);
    const auto back = decode(*encode(sample, words), sample.at, words);
    ASSERT_TRUE(back) << back.error().detail();
    ASSERT_TRUE(same(sample, *back)) << i;
  }
  EXPECT_EQ(words.size(), Dictionary::most) << "the dictionary is bounded, and was filled";
}

TEST(Coding, TheDictionaryComesBackFromItsBytes) {
  std::mt19937_64 random(2);
  Dictionary words;
  std::vector<std::pair<Sample, std::string>> kept;
  for (int i = 0; i < 500; ++i) {
    Sample sample = random_sample(random);
    std::string body = *encode(sample, words);
    kept.emplace_back(std::move(sample), std::move(body));
  }
  Dictionary again;
  for (std::uint32_t number = 1; number <= words.size(); ++number)
    again.add(words.bytes(number));
  for (const auto& [sample, body] : kept) {
    const auto back = decode(body, sample.at, again);
    ASSERT_TRUE(back && same(sample, *back));
    EXPECT_EQ(*encode(sample, again), body);
  }
  EXPECT_TRUE(again.foreign().empty());
}

// A reading, a unit, a kind of value and a kind of word that only a later version has: the numbers
// of all other words stay what they are, and what is known of a sample is read.
TEST(Coding, WordsOfALaterVersionAreNamedAndPassedOver) {
  Dictionary later;
  Sample sample = sample_of(7);
  sample.readings.emplace_back(make_key(Quantity::voltage), Decimal(2301, -1), Unit::V);
  sample.readings.back().time = Seconds(std::chrono::seconds(1'790'000'000));
  sample.readings.emplace_back(make_key(Quantity::tariff), Value(std::string("0001")));
  const std::string body = *encode(sample, later);
  ASSERT_EQ(later.size(), 2U);
  std::string shape = later.bytes(2);
  const std::size_t at = shape.find("voltage");
  ASSERT_NE(at, std::string::npos);
  shape.replace(at, 7, "fluxion");
  Dictionary now;
  now.add(later.bytes(1));
  now.add(shape);
  now.add("Xof another kind");
  now.add(std::string("R\x01\x05power\x00\x7F\x00", 11));
  EXPECT_EQ(now.size(), 4U);
  EXPECT_EQ(now.foreign(), (std::vector<std::string>{"fluxion", "whole samples", "whole samples"}));
  EXPECT_EQ(now.bytes(3), "Xof another kind");
  const auto back = decode(body, sample.at, now);
  ASSERT_TRUE(back) << back.error().detail();
  Sample known = sample;
  known.readings.erase(known.readings.begin() + static_cast<std::ptrdiff_t>(known.readings.size()) -
                       2);
  EXPECT_TRUE(same(*back, known));
  // What we write does not take the place of what is foreign.
  Dictionary again = now;
  const auto written = encode(sample, again);
  ASSERT_TRUE(written);
  EXPECT_EQ(again.size(), 5U);
  EXPECT_TRUE(same(*decode(*written, sample.at, again), sample));
  EXPECT_FALSE(decode(std::string("\x01\x03\x00", 3), sample.at, now));
}

TEST(Coding, UnitsOfUsersComeBack) {
  Sample sample;
  sample.meter = "press";
  sample.readings.emplace_back(*ReadingKey::parse("value_1"), Value(Decimal(15, -1)),
                               *unit_of_user("bar"));
  Dictionary words;
  const std::string body = *encode(sample, words);
  Dictionary again;
  for (std::uint32_t number = 1; number <= words.size(); ++number)
    again.add(words.bytes(number));
  const auto back = decode(body, sample.at, again);
  ASSERT_TRUE(back) << back.error().detail();
  EXPECT_TRUE(same(sample, *back));
  EXPECT_EQ(symbol(back->readings.front().unit), "bar");
}

TEST(Coding, AnyCutAndAnyNoiseIsAnErrorOrASampleNeverACrash) {
  std::mt19937_64 random(3);
  Dictionary words;
  for (int i = 0; i < 150; ++i) {
    const Sample sample = random_sample(random);
    const std::string body = *encode(sample, words);
    for (std::size_t cut = 0; cut < body.size(); ++cut)
      EXPECT_FALSE(decode(body.substr(0, cut), sample.at, words));
    EXPECT_FALSE(decode(body + "x", sample.at, words));
    std::string noise(random() % 60, '\0');
    for (char& c : noise)
      c = static_cast<char>(random());
    (void)decode(noise, sample.at, words);
    (void)decode(std::string("\0", 1) + noise, sample.at, words);
    Dictionary other;
    other.add("R" + noise);
    other.add("S" + noise);
    EXPECT_EQ(other.size(), 2U);
  }
}

TEST(Coding, AFlippedBitIsSeenByTheCheckSum) {
  std::mt19937_64 random(4);
  Dictionary words;
  for (int i = 0; i < 50; ++i) {
    const Sample sample = random_sample(random);
    std::string body = *encode(sample, words);
    const std::int64_t at = sample.at.time_since_epoch().count();
    const std::uint32_t sum = check_sum(7, at, body);
    EXPECT_NE(check_sum(8, at, body), sum);
    EXPECT_NE(check_sum(7, at + 1, body), sum);
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      body[bit / 8] = static_cast<char>(static_cast<unsigned>(body[bit / 8]) ^ (1U << bit % 8));
      EXPECT_NE(check_sum(7, at, body), sum);
      body[bit / 8] = static_cast<char>(static_cast<unsigned>(body[bit / 8]) ^ (1U << bit % 8));
    }
  }
}

TEST(Coding, AKeyWithoutAMeaningIsRefusedWhenItIsWritten) {
  Sample sample = sample_of(1);
  sample.readings[0].key.quantity = static_cast<Quantity>(200);
  Dictionary words;
  EXPECT_FALSE(encode(sample, words));
}

// What the stated bytes a day rest on.
TEST(Coding, P52_ASampleOfAnUsualMeterIsSmall) {
  Sample sample = sample_of(2979640);
  for (int i = 0; i < 24; ++i)
    sample.readings.emplace_back(make_key(Quantity::power, Direction::none, Phase::none, i % 9),
                                 Decimal(230 + i * 37, -1), Unit::W);
  sample.identity.serial = "890082200002160";
  Dictionary words;
  (void)encode(sample, words);
  EXPECT_LE(encode(sample, words)->size(), 60U);
}

}  // namespace
}  // namespace meterbridge::journal
