// SPDX-License-Identifier: MIT
#include "approved.hpp"
#include "facts.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// 2026-11-20T18:30:00.250Z
constexpr Instant evening{1795199400250ms};

StateFacts state_with(std::string_view key, Value value) {
  StateFacts state;
  state.values[entity(key).key] = std::move(value);
  state.time = evening;
  return state;
}

HealthFacts good_health() {
  HealthFacts health;
  health.fault = Fault::ok;
  health.last_frame = evening;
  health.last_reading = evening;
  health.polls = 1200;
  health.failures = 3;
  health.error_rate_percent = 2;
  health.recoveries = {{"flush", 2}, {"reopen", 1}};
  health.poll_time = 347ms;
  health.interval = 30s;
  return health;
}

TEST(State, CarriesTheDigitsOfTheMeterAndTheTimeLast) {
  StateFacts state;
  state.time = evening;
  state.values[entity("energy_import").key] = Value(Decimal(173640, -3));
  state.values[entity("energy_import_t1").key] = Value(Decimal(9007199254740993, -2));
  state.values[entity("power").key] = Value(Decimal(-105));
  state.values[entity("voltage_l1").key] = std::nullopt;
  state.values[entity("serial").key] = Value(std::string("00\"1"));
  state.values[entity("status").key] = Value(true);
  state.values[entity("clock").key] =
      Value(Seconds(std::chrono::floor<std::chrono::seconds>(evening)));
  const mqtt::Message message = state_document(bridge(), "house", state);
  EXPECT_EQ(message.topic, "meterbridge/house/state");
  EXPECT_TRUE(message.retain);
  EXPECT_EQ(
      message.payload,
      R"({"energy_import":173.640,"energy_import_t1":90071992547409.93,"power":-105,"voltage_l1":null,)"
      R"("serial":"00\"1","clock":"2026-11-20T18:30:00Z","status":true,"time":"2026-11-20T18:30:00.250Z"})");
}

TEST(State, BoundsAndCleansTextFromTheMeter) {
  const auto text = [](std::string value) {
    const auto message = state_document(bridge(), "house", state_with("message", std::move(value)));
    return json::parse(message.payload)["message"].get<std::string>();
  };
  EXPECT_EQ(text(std::string(1024, 'x')).size(), 255U);
  EXPECT_EQ(text("a\x01\x02\xff\xfe"
                 "b"),
            "ab");
}

TEST(State, WithoutReadingsHasOnlyItsTime) {
  StateFacts state;
  state.time = evening;
  EXPECT_EQ(state_document(bridge(), "house", state).payload,
            R"({"time":"2026-11-20T18:30:00.250Z"})");
}

TEST(Health, IsWhatWasApproved) {
  HealthFacts bad;
  bad.fault = Fault::no_bytes;
  bad.error = "no answer within 1500 ms";
  bad.interval = 500ms;
  bad.paused = true;
  const auto facts = facts_of(
      {health_document(bridge(), "house", good_health()), health_document(bridge(), "garage", bad),
       availability(bridge(), "house", true), availability(bridge(), "garage", false)});
  expect_approved("health", facts);
}

TEST(P41_Health, IsRoundedSoThatItDoesNotChangeWithEveryPoll) {
  HealthFacts health = good_health();
  const std::string before = health_document(bridge(), "house", health).payload;
  health.last_reading = evening + 700ms;
  health.last_frame = evening + 700ms;
  health.poll_time = 352ms;
  EXPECT_EQ(health_document(bridge(), "house", health).payload, before);
  EXPECT_EQ(json::parse(before)["poll_time"], 350);
}

TEST(Health, HasTheWordsOfTheFaultLadder) {
  for (int i = 0; i <= static_cast<int>(Fault::ok); ++i) {
    HealthFacts health;
    health.fault = static_cast<Fault>(i);
    const json document = json::parse(health_document(bridge(), "house", health).payload);
    EXPECT_EQ(document["state"], name(health.fault));
    EXPECT_EQ(document["text"], describe(health.fault));
    // Home Assistant ignores a state that is not among the options of the entity.
    const json components = json::parse(device_document(bridge(), polled_house()).payload)["cmps"];
    const json& options = components["fault"]["ops"];
    EXPECT_NE(std::find(options.begin(), options.end(), document["state"]), options.end());
  }
}

TEST(Health, SaysNothingWhereNothingIsKnown) {
  const json document = json::parse(health_document(bridge(), "house", HealthFacts{}).payload);
  for (const char* key : {"error", "last_frame", "last_reading", "poll_time", "interval"}) {
    EXPECT_TRUE(document.contains(key) && document[key].is_null()) << key;
  }
  EXPECT_EQ(document["recoveries"].size(), 6U);
}

TEST(Health, WritesTheIntervalInSecondsWithoutIdleZeros) {
  const auto interval = [](Milliseconds length) {
    HealthFacts health;
    health.interval = length;
    return json::parse(health_document(bridge(), "house", health).payload)["interval"].dump();
  };
  EXPECT_EQ(interval(30s), "30");
  EXPECT_EQ(interval(500ms), "0.5");
  EXPECT_EQ(interval(1250ms), "1.25");
  EXPECT_EQ(interval(1h), "3600");
}

TEST(Health, OfTheBridgeIsRounded) {
  BridgeHealthFacts health;
  health.uptime = 90s;
  health.memory_bytes = 6'300'000;
  health.queue = 2;
  health.run = "0123abcd";
  health.host = "pi";
  const mqtt::Message message = bridge_health_document(bridge(), health);
  EXPECT_EQ(message.topic, "meterbridge/bridge/health");
  EXPECT_EQ(message.payload, R"({"uptime":90,"version":"0.1.0","memory":6291456,"queue":2,)"
                             R"("run":"0123abcd","host":"pi"})");
}

TEST(Topics, FollowTheBaseAndThePrefix) {
  BridgeFacts facts = bridge();
  facts.base = "home/energy";
  facts.prefix = "ha";
  facts.qos = 0;
  EXPECT_EQ(status_topic(facts), "home/energy/status");
  EXPECT_EQ(device_topic(facts, "house"), "ha/device/meterbridge_house/config");
  const mqtt::Message message = availability(facts, "house", false);
  EXPECT_EQ(message, mqtt::Message("home/energy/house/availability", "offline", true, 0));
}

}  // namespace
}  // namespace meterbridge::homeassistant::test
