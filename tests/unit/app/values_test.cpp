// SPDX-License-Identifier: MIT
// Which values go out and when: rates, guard, and what outlives a restart.
#include "unit/app/house.hpp"

namespace meterbridge::app {
namespace {

// A suite has one fixture class in the whole program.
struct HouseValues : House {};

Json state_of(const House& house) {
  return Json::parse(house.last("meterbridge/house/state"));
}

TEST_F(HouseValues, P41_AMeterThatSpeaksEachSecondIsShownAtItsRates) {
  plan.settings.interval = 1s;
  start({plan});
  said.clear();
  std::vector<double> powers;
  std::vector<double> energies;
  for (int second = 0; second < 3600; ++second) {
    deliver({energy(100000 + second), power(second % 97)});
    pass(1);
  }
  for (const std::string& payload : payloads("meterbridge/house/state")) {
    const Json state = Json::parse(payload);
    if (powers.empty() || powers.back() != state["power"]) powers.push_back(state["power"]);
    if (energies.empty() || energies.back() != state["energy_import"])
      energies.push_back(state["energy_import"]);
  }
  EXPECT_LE(powers.size(), 370U);
  EXPECT_GE(powers.size(), 340U);
  EXPECT_LE(energies.size(), 62U);
  EXPECT_GE(energies.size(), 58U);
  EXPECT_LE(payloads("meterbridge/house/state").size(), 400U);
}

TEST_F(HouseValues, P41_WhatStaysAsItWasIsNoMessageWithEverySample) {
  plan.settings.interval = 1s;
  start({plan});
  said.clear();
  const Reading serial(*ReadingKey::parse("serial"), std::string("4711"));
  const ReadingKey input = *ReadingKey::parse("input_1");
  for (int second = 0; second < 3600; ++second) {
    const bool open = second >= 1801;
    deliver({energy(100000 + second), power(second % 97), serial, Reading(input, open)});
    EXPECT_EQ(state_of(*this)["input_1"], open) << "what changes is said at once";
    pass(1);
  }
  EXPECT_LE(payloads("meterbridge/house/state").size(), 400U);
  EXPECT_GE(payloads("meterbridge/house/state").size(), 360U);
  // A meter that has nothing else still says of when it is.
  said.clear();
  for (int second = 0; second < 60; ++second) {
    deliver({serial});
    pass(1);
  }
  EXPECT_GE(payloads("meterbridge/house/state").size(), 5U);
}

TEST_F(HouseValues, P41_TheLastValueOfAnIntervalIsDelivered) {
  start({plan});
  deliver({power(1)});
  pass(2);
  deliver({power(2)});
  pass(2);
  deliver({power(3)});
  EXPECT_EQ(state_of(*this)["power"], 1);
  pass(6);
  EXPECT_EQ(state_of(*this)["power"], 3);
}

TEST_F(HouseValues, P41_WithADeadBandSmallChangesAreShownLateAndLargeOnesInTheirTurn) {
  const config::ReadingOptions options = [] {
    config::ReadingOptions made;
    made.dead_band = Decimal(25);
    return made;
  }();
  plan.settings.readings[make_key(Quantity::power)] = options;
  start({plan});
  deliver({power(1000)});
  const auto hear = [&](int seconds, int watts) {
    for (int i = 0; i < seconds; i += 10) {
      pass(10);
      deliver({energy(100), power(watts - 5 + i % 20)});  // noise
    }
  };
  said.clear();
  hear(280, 1010);
  EXPECT_EQ(state_of(*this)["power"], 1000);
  // After five minutes it is shown what it is, whatever the change.
  hear(20, 1010);
  EXPECT_GE(state_of(*this)["power"], 1005);
  EXPECT_LE(state_of(*this)["power"], 1015);
  hear(20, 1050);
  EXPECT_GE(state_of(*this)["power"], 1045);
  // Just the band is no smaller change, either way.
  deliver({power(900)});
  bridge->show_next("house");
  deliver({power(900)});
  pass(10);
  deliver({power(875)});
  EXPECT_EQ(state_of(*this)["power"], 875);
  pass(10);
  deliver({power(899)});
  EXPECT_EQ(state_of(*this)["power"], 875);
  pass(10);
  deliver({power(900)});
  EXPECT_EQ(state_of(*this)["power"], 900);
}

TEST_F(HouseValues, P41_EveryMeansEachSample) {
  plan.settings.publish.all = config::PublishRates::each;
  start({plan});
  said.clear();
  for (int i = 0; i < 50; ++i)
    deliver({power(i)});
  EXPECT_EQ(payloads("meterbridge/house/state").size(), 50U);
}

TEST_F(HouseValues, P41_APollByHandIsShownAtOnce) {
  start({plan});
  deliver({power(1)});
  deliver({power(2)});
  EXPECT_EQ(state_of(*this)["power"], 1);
  bridge->show_next("house");
  deliver({power(3)});
  EXPECT_EQ(state_of(*this)["power"], 3);
}

TEST_F(HouseValues, P15_ARefusedValueIsAnEventAFaultAndNeverAState) {
  start({plan});
  deliver({energy(297964), power(100)});
  pass(10);
  deliver({energy(0), power(200)});
  EXPECT_EQ(state_of(*this)["energy_import"], 2979.64);
  EXPECT_EQ(state_of(*this)["power"], 200);
  const Json event = Json::parse(last("meterbridge/house/event"));
  EXPECT_EQ(event["event_type"], "value_refused");
  pass(1);
  const Json health = Json::parse(last("meterbridge/house/health"));
  EXPECT_EQ(health["state"], "refused");
  EXPECT_EQ(health["refused"], 1);
  EXPECT_NE(health["error"].get<std::string>().find("energy_import"), std::string::npos);
  pass(10);
  deliver({energy(297970), power(200)});
  pass(61);
  EXPECT_EQ(Json::parse(last("meterbridge/house/health"))["state"], "ok");
  for (const std::string& payload : payloads("meterbridge/house/state"))
    EXPECT_NE(Json::parse(payload)["energy_import"], 0);
}

TEST_F(HouseValues, P54_AFlutteringCounterDoesNotFloodEventsNorLog) {
  start({plan});
  deliver({energy(297964)});
  said.clear();
  lines.clear();
  for (int i = 0; i < 8640; ++i) {
    pass(10);
    deliver({energy(i % 2 == 0 ? 0 : 297964 + i)});
  }
  // Ten at once and one in ten minutes.
  EXPECT_LE(payloads("meterbridge/house/event").size(), 10U + 144U);
  EXPECT_LT(lines.size(), 200U);
  const std::size_t before = payloads("meterbridge/house/event").size();
  deliver({energy(1)}, "", "4712");
  ASSERT_EQ(payloads("meterbridge/house/event").size(), before + 1);
  EXPECT_EQ(Json::parse(last("meterbridge/house/event"))["event_type"], "meter_replaced")
      << "the flutter did not use up what this has to say";
}

TEST_F(HouseValues, P41_WhatWaitedIsSaidBeforeItIsTooOld) {
  plan.settings.publish.all = 5min;
  start({plan});
  deliver({power(1)});
  pass(10);
  deliver({power(2)});
  EXPECT_EQ(state_of(*this)["power"], 1);
  said.clear();
  pass(30);
  const auto states = payloads("meterbridge/house/state");
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(Json::parse(states[0])["power"], 2);
  EXPECT_TRUE(Json::parse(states[1])["power"].is_null());
}

TEST_F(HouseValues, P38_AMeterThatComesBackIsShownAtOnce) {
  plan.settings.publish.all = 1h;
  start({plan});
  deliver({power(1)});
  pass(31);
  EXPECT_TRUE(state_of(*this)["power"].is_null());
  deliver({power(3)});
  EXPECT_EQ(state_of(*this)["power"], 3);
}

TEST_F(HouseValues, P15_AnotherMetersConfigurationLeavesWhatIsHeld) {
  MeterPlan other = plan;
  other.settings.id = "other";
  start({plan, other});
  deliver({energy(297964)});
  pass(10);
  deliver({energy(100)});
  bridge->configure(other);
  EXPECT_TRUE(bridge->accept("house", std::nullopt));
}

TEST_F(HouseValues, P15_AcceptAndReplaceAreHeard) {
  start({plan});
  EXPECT_FALSE(bridge->accept("house", std::nullopt));
  EXPECT_FALSE(bridge->replace("house", meter::Continuation::carry_on));
  EXPECT_FALSE(bridge->accept("nobody", std::nullopt));
  deliver({energy(297964)});
  pass(10);
  deliver({energy(100)});
  EXPECT_TRUE(bridge->accept("house", std::nullopt));
  EXPECT_TRUE(bridge->take_decided());
  EXPECT_FALSE(bridge->take_decided());
  bridge->show_next("house");
  deliver({energy(101)});
  EXPECT_EQ(state_of(*this)["energy_import"], 1.01);
}

// What a restart would do: the memory goes through its file.
Memory through_file(const Memory& memory) {
  auto again = Memory::parse(memory.json());
  EXPECT_TRUE(again);
  return again ? *again : Memory();
}

TEST_F(HouseValues, P15_CountersAreGuardedOverARestart) {
  start({plan});
  deliver({energy(297964)});
  memory = through_file(bridge->memory());
  clock.advance(60s);
  start({plan});
  deliver({energy(0), power(1)});
  EXPECT_FALSE(state_of(*this).contains("energy_import"));
  EXPECT_EQ(Json::parse(last("meterbridge/house/event"))["event_type"], "value_refused");
  deliver({energy(297965), power(1)});
  EXPECT_EQ(state_of(*this)["energy_import"], 2979.65);
}

TEST_F(HouseValues, P38_ASlowMeterIsNotUnknownAfterARestart) {
  plan.settings.interval = 1h;
  start({plan});
  deliver({energy(297964), power(1)});
  const std::string before = last("meterbridge/house/state");
  memory = through_file(bridge->memory());
  clock.advance(2h);
  start({plan});
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  EXPECT_EQ(last("meterbridge/house/state"), before) << "the same values of the same time";
  pass(3601);
  EXPECT_EQ(last("meterbridge/house/availability"), "offline") << "three periods old";
}

TEST_F(HouseValues, P38_OldMemoriesStayMemories) {
  plan.settings.interval = 1h;
  start({plan});
  deliver({energy(297964)});
  memory = through_file(bridge->memory());
  clock.advance(4h);
  start({plan});
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  EXPECT_TRUE(payloads("meterbridge/house/state").empty());
}

TEST_F(HouseValues, MemoryOfAnOlderBackupOnlyKnowsLess) {
  start({plan});
  deliver({energy(297964)});
  memory = through_file(bridge->memory());
  clock.advance(240h);
  deliver({energy(300000)});
  clock.advance(10s);
  start({plan});
  deliver({energy(300001)});
  EXPECT_EQ(state_of(*this)["energy_import"], 3000.01);
}

TEST(MemoryFile, KeepsDigitsKindsAndWhatIsHeld) {
  Memory memory;
  MeterMemory& meter = memory.meters["house"];
  const ReadingKey key = make_key(Quantity::energy, Direction::import);
  meter.values.emplace(key, RememberedValue(Decimal(1730640, -3), Instant(1795000000s)));
  meter.values.emplace(make_key(Quantity::message), RememberedValue(std::string("ä\n"), Instant()));
  meter.values.emplace(make_key(Quantity::input), RememberedValue(true, Instant()));
  meter.values.emplace(make_key(Quantity::clock), RememberedValue(Seconds(5s), Instant()));
  meter.guard.registers[key].value = Decimal(1730640, -3);
  meter.guard.registers[key].unit = Unit::kWh;
  meter.guard.registers[key].carried = Decimal(-12, -1);
  meter.guard.held[key].latest = Decimal(5);
  meter.guard.held[key].why = "lower";
  meter.guard.earlier = {"1", "2"};
  const auto again = Memory::parse(memory.json());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->json(), memory.json());
  const MeterMemory& read = again->meters.at("house");
  EXPECT_EQ(std::get<Decimal>(read.values.at(key).value).str(), "1730.640");
  EXPECT_EQ(read.guard.registers.at(key).carried.str(), "-1.2");
  EXPECT_EQ(read.guard.held.at(key).why, "lower");
  EXPECT_FALSE(Memory::parse("[]"));
  EXPECT_FALSE(Memory::parse("{\"format\":2}"));
  EXPECT_TRUE(Memory::parse(R"({"format":1,"meters":{"a":{"values":{"x":1,"power":{}}}}})"));
}

config::AlarmSettings over_100_watts() {
  config::AlarmSettings alarm;
  alarm.name = "overload";
  alarm.key = make_key(Quantity::power);
  alarm.above = Decimal(100);
  return alarm;
}

Json alarm_of(const House& house) {
  return Json::parse(house.last("meterbridge/house/health"))["alarms"]["overload"];
}

TEST_F(HouseValues, AlarmsAreToldAtOnceAndKeptOverARestart) {
  plan.settings.alarms = {over_100_watts()};
  clock.jump(Instant(1795000000s) - clock.now());  // set, so that it can be told since when
  start({plan});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("alarm_overload"));
  EXPECT_TRUE(alarm_of(*this)["active"].is_null());
  deliver({power(90)});
  pass(1);
  EXPECT_EQ(alarm_of(*this)["active"], false);
  deliver({power(130)});
  const Json event = Json::parse(last("meterbridge/house/event"));
  EXPECT_EQ(event["event_type"], "alarm_raised");
  EXPECT_EQ(event["alarm"], "overload");
  EXPECT_EQ(event["severity"], "warning");
  EXPECT_EQ(event["text"], "power 130 W above 100 W");
  EXPECT_TRUE(bridge->take_decided());
  pass(1);
  EXPECT_EQ(alarm_of(*this)["active"], true);
  EXPECT_EQ(alarm_of(*this)["text"], "power 130 W above 100 W");
  EXPECT_EQ(Json::parse(last("meterbridge/house/health"))["alarm"], "power 130 W above 100 W");
  memory = *Memory::parse(bridge->memory().json());
  clock.advance(20s);
  start({plan});
  EXPECT_TRUE(alarm_of(*this)["active"].is_null());
  EXPECT_EQ(alarm_of(*this)["text"], "power 130 W above 100 W");
  deliver({power(131)});
  EXPECT_TRUE(payloads("meterbridge/house/event").empty());
  deliver({power(100)});
  EXPECT_EQ(Json::parse(last("meterbridge/house/event"))["event_type"], "alarm_cleared");
  EXPECT_EQ(Json::parse(last("meterbridge/house/event"))["text"],
            "power 100 W, after 21s, was at 131");
}

TEST_F(HouseValues, AnAlarmThatFluttersIsCountedOutAndItsEntityGoesOn) {
  plan.settings.alarms = {over_100_watts()};
  start({plan});
  for (int i = 0; i < 600; ++i) {
    deliver({power(i % 2 == 0 ? 130 : 70)});
    pass(1);
  }
  EXPECT_GE(payloads("meterbridge/house/event").size(), 10U);
  EXPECT_LE(payloads("meterbridge/house/event").size(), 12U);
  EXPECT_LE(payloads("meterbridge/house/health").size(), 120U);
  pass(10);
  EXPECT_EQ(alarm_of(*this)["active"], false);
}

TEST_F(HouseValues, AlarmsSeeWhatIsPublishedAndTheJournalWhatWasSaid) {
  plan.settings.alarms = {over_100_watts()};
  plan.settings.readings[make_key(Quantity::power)].median = 3;
  plan.settings.publish.all = config::PublishRates::each;
  start({plan});
  std::vector<std::string> kept;
  bridge->on_sample = [&](const Sample& sample, const protocol::Telegram&) {
    kept.push_back(std::get<Decimal>(sample.readings.front().value).str());
  };
  for (const int watts : {50, 51, 9999, 52})
    deliver({power(watts)});
  EXPECT_TRUE(payloads("meterbridge/house/event").empty());
  EXPECT_EQ(state_of(*this)["power"], 52);
  EXPECT_EQ(kept, (std::vector<std::string>{"50", "51", "9999", "52"}));
}

TEST_F(HouseValues, AnomaliesAreEntitiesOnceTheyCouldBeJudged) {
  config::AlarmSettings sign;
  sign.name = "sign";
  sign.kind = config::AlarmKind::sign;
  sign.automatic = true;
  plan.settings.alarms = {sign};
  start({plan});
  deliver({power(1)});
  EXPECT_FALSE(Json::parse(last(document_topic))["cmps"].contains("alarm_sign"));
  deliver({Reading(make_key(Quantity::power, Direction::import), Value(Decimal(5)), Unit::W)});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("alarm_sign"));
  memory = *Memory::parse(bridge->memory().json());
  start({plan});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("alarm_sign"));
}

}  // namespace
}  // namespace meterbridge::app
