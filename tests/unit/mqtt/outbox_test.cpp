// SPDX-License-Identifier: MIT
#include "mqtt/outbox.hpp"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::mqtt {
namespace {

Message state(const std::string& topic, const std::string& payload) {
  return Message(topic, payload, true);
}

Message event(const std::string& topic, const std::string& payload) {
  return Message(topic, payload, false);
}

std::vector<std::string> take_all(Outbox& outbox) {
  std::vector<std::string> payloads;
  while (const auto departure = outbox.take())
    payloads.push_back(departure->message.payload);
  return payloads;
}

TEST(Outbox, KeepsTheOrderOfArrival) {
  Outbox outbox;
  outbox.put(state("a", "1"));
  outbox.put(event("b", "2"));
  outbox.put(state("c", "3"));
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"1", "2", "3"}));
}

TEST(Outbox, TheNewestOfARetainedTopicTakesTheOldersPlace) {
  Outbox outbox;
  outbox.put(state("a", "old"));
  outbox.put(state("b", "2"));
  outbox.put(state("a", "new"));
  EXPECT_EQ(outbox.waiting(), 2U);
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"new", "2"}));
}

TEST(Outbox, EventsOfOneTopicAllQueue) {
  Outbox outbox;
  outbox.put(event("a", "1"));
  outbox.put(event("a", "2"));
  outbox.put(state("a", "3"));
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"1", "2", "3"}));
}

TEST(Outbox, DropsTheOldestEventsBeyondTheLimitAndNoStates) {
  Outbox outbox(3);
  outbox.put(state("s", "state"));
  for (int n = 0; n < 5; ++n)
    outbox.put(event("e", std::to_string(n)));
  EXPECT_EQ(outbox.dropped(), 2U);
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"state", "2", "3", "4"}));
}

TEST(Outbox, IsCrowdedByEventsOnlyAndOnlyWhileTheyWait) {
  Outbox outbox(4);
  for (int i = 0; i < 100; ++i)
    outbox.put(state("topic" + std::to_string(i), "1"));
  outbox.put(event("a", "1"));
  outbox.put(event("a", "2"));
  EXPECT_FALSE(outbox.crowded());
  outbox.put(event("a", "3"));
  EXPECT_TRUE(outbox.crowded());
  take_all(outbox);
  EXPECT_FALSE(outbox.crowded());
  outbox.connection_lost();
  EXPECT_TRUE(outbox.crowded());
}

TEST(Outbox, AMessageInFlightIsNotReplaced) {
  Outbox outbox;
  outbox.put(state("a", "old"));
  const auto first = outbox.take();
  ASSERT_TRUE(first);
  outbox.put(state("a", "new"));
  EXPECT_EQ(outbox.waiting(), 1U);
  EXPECT_EQ(outbox.in_flight(), 1U);
  outbox.acknowledged(first->ticket);
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"new"}));
}

TEST(Outbox, WhatWasInFlightGoesBackToTheFrontInItsOrder) {
  Outbox outbox;
  for (const char* text : {"1", "2", "3", "4"})
    outbox.put(event("e", text));
  outbox.put(state("s", "5"));
  const auto first = outbox.take();
  (void)outbox.take();
  (void)outbox.take();
  outbox.acknowledged(first->ticket);
  outbox.connection_lost();
  EXPECT_EQ(outbox.in_flight(), 0U);
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"2", "3", "4", "5"}));
}

TEST(Outbox, WhatWasInFlightYieldsToANewerMessageOfItsTopic) {
  Outbox outbox;
  outbox.put(state("a", "old"));
  (void)outbox.take();
  outbox.put(state("b", "other"));
  outbox.put(state("a", "new"));
  outbox.connection_lost();
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"other", "new"}));
}

TEST(Outbox, OfTwoInFlightForOneTopicTheNewerGoesBack) {
  Outbox outbox;
  outbox.put(state("a", "old"));
  (void)outbox.take();
  outbox.put(state("a", "new"));
  (void)outbox.take();
  outbox.connection_lost();
  EXPECT_EQ(take_all(outbox), (std::vector<std::string>{"new"}));
  EXPECT_EQ(outbox.waiting(), 0U);
}

TEST(Outbox, ALateAcknowledgementOfALostConnectionMeansNothing) {
  Outbox outbox;
  outbox.put(event("e", "1"));
  const auto before = outbox.take();
  outbox.connection_lost();
  const auto after = outbox.take();
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->ticket, after->ticket);
  outbox.acknowledged(before->ticket);
  EXPECT_EQ(outbox.in_flight(), 1U);
}

// A broker that loses connections at random moments, sometimes after it has taken a message and
// before its acknowledgement arrives. What it has at the end is compared with what was put in.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  void live(int steps) {
    for (int step = 0; step < steps; ++step) {
      switch (random_() % 8) {
        case 0:
        case 1:
          put_state();
          break;
        case 2:
        case 3:
          put_event();
          break;
        case 4:
        case 5:
          depart();
          break;
        case 6:
          acknowledge();
          break;
        default:
          if (random_() % 5 == 0) lose();
      }
    }
  }

  void finish() {
    depart_all();
    while (!flying_.empty())
      acknowledge();
  }

  void check() const {
    EXPECT_TRUE(outbox_.empty());
    EXPECT_EQ(broker_states_, newest_states_);
    // Each event arrived; twice only when an acknowledgement was cut off.
    for (int event = 0; event < events_; ++event) {
      const auto found = arrived_.find(event);
      ASSERT_NE(found, arrived_.end()) << "event " << event << " is lost";
      const auto cut = cut_off_.find(event);
      EXPECT_LE(found->second, 1 + (cut == cut_off_.end() ? 0 : cut->second));
    }
    EXPECT_EQ(outbox_.dropped(), 0U);
  }

 private:
  struct Flying {
    Outbox::Ticket ticket;
    Message message;
  };

  void put_state() {
    const std::string topic = std::to_string(random_() % 4);
    const std::string payload = std::to_string(++serial_);
    newest_states_[topic] = payload;
    outbox_.put(state(topic, payload));
  }

  void put_event() { outbox_.put(event("event", std::to_string(events_++))); }

  void depart() {
    if (auto departure = outbox_.take()) flying_.push_back({departure->ticket, departure->message});
  }

  void depart_all() {
    while (auto departure = outbox_.take())
      flying_.push_back({departure->ticket, departure->message});
  }

  // The broker takes messages in the order they were sent.
  void arrive(const Message& message) {
    if (message.retain) {
      broker_states_[message.topic] = message.payload;
      return;
    }
    const int number = std::stoi(message.payload);
    if (++arrived_[number] == 1) {
      EXPECT_GT(number, last_new_) << "events overtook each other";
      last_new_ = number;
    }
  }

  void acknowledge() {
    if (flying_.empty()) return;
    arrive(flying_.front().message);
    outbox_.acknowledged(flying_.front().ticket);
    flying_.erase(flying_.begin());
  }

  void lose() {
    // Some of what is in flight was taken, but the acknowledgement got lost.
    const std::size_t taken = flying_.empty() ? 0 : random_() % (flying_.size() + 1);
    for (std::size_t n = 0; n < taken; ++n) {
      arrive(flying_[n].message);
      if (!flying_[n].message.retain) ++cut_off_[std::stoi(flying_[n].message.payload)];
    }
    flying_.clear();
    outbox_.connection_lost();
  }

  std::minstd_rand random_;
  Outbox outbox_{100000};
  std::vector<Flying> flying_;
  std::map<std::string, std::string> newest_states_;
  std::map<std::string, std::string> broker_states_;
  std::map<int, int> arrived_;
  std::map<int, int> cut_off_;
  int serial_ = 0;
  int events_ = 0;
  int last_new_ = -1;
};

TEST(Outbox, LosesNothingAndDoublesOnlyWhatWasCutOff) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    World world(seed);
    world.live(400);
    world.finish();
    world.check();
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Outbox, StaysBoundedByTopicsAndEventsWhateverHappens) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::minstd_rand random(seed);
    Outbox outbox(10);
    std::size_t put = 0;
    std::size_t taken = 0;
    for (int step = 0; step < 500; ++step) {
      switch (random() % 4) {
        case 0:
          outbox.put(state(std::to_string(random() % 5), "s"));
          break;
        case 1:
          outbox.put(event("e", "e"));
          ++put;
          break;
        case 2:
          if (auto departure = outbox.take()) {
            outbox.acknowledged(departure->ticket);
            if (!departure->message.retain) ++taken;
          }
          break;
        default:
          (void)outbox.take();
          outbox.connection_lost();
      }
      ASSERT_LE(outbox.waiting(), 15U) << "seed " << seed;
    }
    while (const auto departure = outbox.take())
      if (!departure->message.retain) ++taken;
    EXPECT_EQ(put, taken + outbox.dropped()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace meterbridge::mqtt
