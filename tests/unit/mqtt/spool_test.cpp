// SPDX-License-Identifier: MIT
// What a bridge is made of beside its two connections: the queue on the disk, the memory of what
// was sent, the guard against circles.
#include "mqtt/spool.hpp"

#include "mqtt/traffic.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::mqtt {
namespace {

using namespace std::chrono_literals;

class SpoolTest : public testing::Test {
 public:
  SpoolTest(const SpoolTest&) = delete;
  SpoolTest& operator=(const SpoolTest&) = delete;

  SpoolTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spool-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) folder = pattern;
    path = folder / "queue";
  }

  ~SpoolTest() override { std::filesystem::remove_all(folder); }

 protected:
  Spool open() {
    return Spool(path.string(), [this](const std::string& line) { said.push_back(line); });
  }

  std::vector<std::string> left() {
    Spool spool(path.string(), [this](const std::string& line) { said.push_back(line); });
    std::vector<std::string> payloads;
    for (const auto& [id, message] : spool.load())
      payloads.push_back(message.payload);
    return payloads;
  }

  std::filesystem::path folder, path;
  std::vector<std::string> said;
};

Message event(const std::string& payload) {
  Message message("a/b", payload, false, 1);
  message.hops = 3;
  return message;
}

TEST_F(SpoolTest, WhatIsNotForgottenIsThereAgainInOrder) {
  const std::string bytes{"\0\xff\r\n", 4};
  {
    Spool spool = open();
    EXPECT_TRUE(spool.load().empty());
    const auto first = spool.keep(event("1"));
    (void)spool.keep(event("2"));
    (void)spool.keep(event(bytes));
    spool.forget(first);
  }
  Spool again = open();
  const auto messages = again.load();
  ASSERT_EQ(messages.size(), 2U);
  Message wanted = event("2");
  EXPECT_EQ(messages.begin()->second, wanted);
  EXPECT_EQ(messages.rbegin()->second.payload, bytes);
  EXPECT_GT(again.keep(event("3")), messages.rbegin()->first);
  EXPECT_TRUE(said.empty());
}

// A process that is killed while it writes leaves any part of the last record.
TEST_F(SpoolTest, AnyCutLosesNothingThatWasWrittenWhole) {
  std::vector<std::uintmax_t> ends;
  {
    Spool spool = open();
    (void)spool.load();
    for (int n = 0; n < 5; ++n) {
      (void)spool.keep(event(std::to_string(n)));
      ends.push_back(std::filesystem::file_size(path));
    }
  }
  std::ifstream whole_file(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(whole_file), {});
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, cut);
    std::size_t expected = 0;
    while (expected < ends.size() && ends[expected] <= cut)
      ++expected;
    ASSERT_EQ(left().size(), expected) << cut;
    // And what is kept afterwards is found behind it.
    Spool spool = open();
    (void)spool.load();
    EXPECT_NE(spool.keep(event("x")), 0U);
    ASSERT_EQ(left().size(), expected + 1) << cut;
  }
}

TEST_F(SpoolTest, ADamagedByteIsNeverSent) {
  {
    Spool spool = open();
    (void)spool.load();
    for (int n = 0; n < 3; ++n)
      (void)spool.keep(event("payload " + std::to_string(n)));
  }
  std::ifstream whole_file(path, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(whole_file), {});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(path, std::ios::binary) << damaged;
    said.clear();
    const auto payloads = left();
    EXPECT_LT(payloads.size(), 3U) << at;
    for (std::size_t n = 0; n < payloads.size(); ++n)
      EXPECT_EQ(payloads[n], "payload " + std::to_string(n)) << at;
    EXPECT_EQ(said.size(), 1U) << at;
  }
}

TEST_F(SpoolTest, TheFileStaysSmallWhateverPasses) {
  Spool spool = open();
  (void)spool.load();
  std::uint64_t stays = spool.keep(event("stays"));
  std::uint64_t largest = 0;
  for (int n = 0; n < 20000; ++n) {
    spool.forget(spool.keep(event(std::string(200, 'x'))));
    largest = std::max(largest, spool.size());
  }
  EXPECT_LT(largest, 600U * 1024);
  EXPECT_NE(stays, 0U);
  EXPECT_EQ(left(), std::vector<std::string>{"stays"});
}

TEST_F(SpoolTest, AFolderThatIsNotThereIsSaidOnce) {
  path = folder / "missing" / "queue";
  Spool spool = open();
  EXPECT_EQ(spool.keep(event("1")), 0U);
  EXPECT_EQ(spool.keep(event("2")), 0U);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said[0].find("memory only"), std::string::npos);
}

TEST_F(SpoolTest, AnOutboxKeepsEventsUntilTheyAreAcknowledgedOrDropped) {
  {
    Spool spool = open();
    (void)spool.load();
    OutboxLimits limits;
    limits.events = 3;
    limits.keeper = &spool;
    Outbox outbox(limits);
    for (int n = 0; n < 5; ++n)
      outbox.put(event(std::to_string(n)));
    outbox.put(Message("state", "is with the broker", true));
    outbox.put(Message("fast", "may be lost", false, 0));  // drops "2"
    outbox.acknowledged(outbox.take()->ticket);
    EXPECT_EQ(outbox.dropped(), 3U);
    EXPECT_EQ(outbox.delivered(), 1U);
  }
  EXPECT_EQ(left(), std::vector<std::string>{"4"});
}

// P51: a process that is killed in an outage must not forget what is to be removed at the other
// side.
TEST_F(SpoolTest, RemovalsAreKeptAndReturnAsWhatTheyWere_P51) {
  {
    Spool spool = open();
    (void)spool.load();
    OutboxLimits limits;
    limits.keeper = &spool;
    Outbox outbox(limits);
    outbox.put(Message("gone", "", true));
    outbox.put(Message("back", "", true));
    outbox.put(Message("back", "again", true));  // is with the broker
    outbox.put(Message("twice", "", true));
    outbox.put(Message("twice", "", true));
    outbox.put(Message("set/poll", "", false));
  }
  Spool spool = open();
  OutboxLimits limits;
  limits.keeper = &spool;
  Outbox outbox(limits);
  for (auto& [id, message] : spool.load())
    outbox.restore(std::move(message), id);
  std::vector<std::string> found;
  while (const auto departure = outbox.take()) {
    found.push_back(departure->message.topic + (departure->message.retain ? " retained" : ""));
    outbox.acknowledged(departure->ticket);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"gone retained", "twice retained", "set/poll"}));
  EXPECT_TRUE(left().empty());
}

TEST(OutboxBytes, TheOldestEventsGoFirstThenTheOldestStates) {
  OutboxLimits limits;
  limits.bytes = std::size_t{10} * (200 + 1 + 100);
  Outbox outbox(limits);
  for (int n = 0; n < 5; ++n)
    outbox.put(Message(std::to_string(n), std::string(100, 's'), true));
  for (int n = 0; n < 20; ++n)
    outbox.put(Message("e", std::string(100, 'e'), false));
  EXPECT_EQ(outbox.dropped(), 15U);
  for (int n = 5; n < 10; ++n)
    outbox.put(Message(std::to_string(n), std::string(100, 's'), true));
  EXPECT_EQ(outbox.dropped(), 20U);
  outbox.put(Message("x", std::string(100, 's'), true));
  EXPECT_EQ(outbox.take()->message.topic, "1");
  EXPECT_LE(outbox.bytes(), limits.bytes);
  while (const auto departure = outbox.take())
    outbox.acknowledged(departure->ticket);
  outbox.connection_lost();
  while (const auto departure = outbox.take())
    outbox.acknowledged(departure->ticket);
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST(Echoes, EachOfOursIsRecognisedOnceAndNotForEver) {
  Echoes echoes;
  const TrafficTime start{1h};
  echoes.sent("a", "1", start);
  echoes.sent("a", "1", start);
  EXPECT_FALSE(echoes.recognise("a", "2", start));
  EXPECT_FALSE(echoes.recognise("a1", "", start));
  EXPECT_TRUE(echoes.recognise("a", "1", start));
  EXPECT_TRUE(echoes.recognise("a", "1", start));
  EXPECT_FALSE(echoes.recognise("a", "1", start));
  echoes.sent("a", "1", start);
  EXPECT_FALSE(echoes.recognise("a", "1", start + 1min));
  for (int n = 0; n < 100000; ++n)
    echoes.sent("flood", std::to_string(n), start + 1min);
  EXPECT_FALSE(echoes.recognise("flood", "1", start + 1min));
  EXPECT_TRUE(echoes.recognise("flood", "99999", start + 1min));
}

TEST(StormGuard, StopsACircleAndLetsABacklogPass) {
  const TrafficTime start{1h};
  StormGuard guard(100);
  for (int n = 0; n < 100; ++n)
    EXPECT_FALSE(guard.counts("a", "same", true, start + 1ms * n));
  EXPECT_TRUE(guard.counts("a", "same", true, start + 100ms));
  for (int n = 0; n < 5000; ++n)
    EXPECT_FALSE(guard.counts("backlog", std::to_string(n), true, start + 100ms));
  for (int n = 0; n < 100; ++n)
    EXPECT_FALSE(guard.counts("live", std::to_string(n), false, start + 200ms));
  EXPECT_TRUE(guard.counts("live", "x", false, start + 300ms));
  for (int n = 0; n < 1000; ++n)  // at half of the limit, for 20 s
    EXPECT_FALSE(guard.counts("steady", "same", false, start + 2s + 20ms * n));
  for (int n = 0; n < 5000; ++n)
    EXPECT_FALSE(guard.counts("topic " + std::to_string(n), "", false, start + 30s));
}

}  // namespace
}  // namespace meterbridge::mqtt
