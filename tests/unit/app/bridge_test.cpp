// SPDX-License-Identifier: MIT
#include "unit/app/house.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::app {
namespace {

TEST_F(House, SaysOfflineUntilTheFirstReadingAndHasOnlyDiagnosticsUntilThen) {
  start({plan});
  EXPECT_EQ(last("meterbridge/status"), "online");
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  EXPECT_TRUE(payloads("meterbridge/house/state").empty());
  EXPECT_FALSE(Json::parse(last(document_topic))["cmps"].contains("energy_import"));
  deliver({energy(12345)});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("energy_import"));
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  EXPECT_EQ(last("meterbridge/house/state").substr(0, 24), R"({"energy_import":123.45,)");
}

TEST_F(House, AnnouncesAnEntityOnceAndAgainOnlyWhenItChanges) {
  start({plan});
  deliver({energy(12345)});
  const std::size_t documents = payloads(document_topic).size();
  deliver({energy(12346)});
  EXPECT_EQ(payloads(document_topic).size(), documents);
  deliver({energy(12346), power(230)});
  EXPECT_EQ(payloads(document_topic).size(), documents + 1);
}

TEST_F(House, KeepsLastGoodValuesAndDropsThoseThatAreThreePeriodsOld) {
  start({plan});
  deliver({energy(100), power(230)});
  for (int i = 0; i < 2; ++i) {
    pass(10);
    deliver({energy(100)});
  }
  EXPECT_EQ(Json::parse(last("meterbridge/house/state"))["power"], 230);
  pass(10);
  EXPECT_TRUE(Json::parse(last("meterbridge/house/state"))["power"].is_null());
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
}

TEST_F(House, P04GoesOfflineAfterThreePeriodsWithoutAReading) {
  start({plan});
  deliver({energy(100)});
  pass(29);
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  pass(1);
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  deliver({energy(100)});
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
}

TEST_F(House, P39_AMeterThatMissesTwoPollsOfThreeIsNeverShownAway) {
  start({plan});
  deliver({energy(100)});
  const std::size_t said = payloads("meterbridge/house/availability").size();
  for (int i = 0; i < 20; ++i) {
    pass(29);
    deliver({energy(101 + i)});
  }
  EXPECT_EQ(payloads("meterbridge/house/availability").size(), said);
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
}

TEST_F(House, AMessageWithoutAValueIsNoReading) {
  start({plan});
  deliver({});
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  deliver({energy(100)});
  const std::string state = last("meterbridge/house/state");
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(last("meterbridge/house/availability"), "online") << i;
    pass(1);
    deliver({});
    if (i < 29) {
      EXPECT_EQ(last("meterbridge/house/state"), state);
    }
  }
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  pass(60);
  EXPECT_EQ(Json::parse(last("meterbridge/house/health"))["state"], "not_understood");
  deliver({energy(100)});
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
}

TEST_F(House, ALostLinkTakesItsMetersWithIt) {
  start({plan});
  deliver({energy(100)});
  deliver({Reading(make_key(Quantity::gas), Value(Decimal(12345, -3)), Unit::m3)}, "gas_47");
  EXPECT_EQ(last("meterbridge/house_gas_47/availability"), "online");
  bridge->link_lost("house");
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  EXPECT_EQ(last("meterbridge/house_gas_47/availability"), "offline");
}

TEST_F(House, P39_ALinkThatFluttersTakesItsMetersOnlyWhenItStaysAway) {
  plan.settings.interval = 60s;
  start({plan});
  const auto shown = [&] { return payloads("meterbridge/house/availability").size(); };
  const auto flutter = [&] {
    deliver({energy(100)});
    pass(1);
    bridge->link_lost("house");
    pass(4);
  };
  for (int i = 0; i < 5; ++i) {
    flutter();
    EXPECT_EQ(last("meterbridge/house/availability"), "offline") << i;
  }
  deliver({energy(100)});
  const std::size_t before = shown();
  for (int i = 0; i < 10; ++i)
    flutter();
  EXPECT_EQ(shown(), before);
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  pass(5);                     // four have passed
  bridge->link_lost("house");  // again, which begins nothing anew
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  pass(1);
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  deliver({energy(100)});
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  pass(30);  // what was lost once is over: it is there
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  // A quiet quarter of an hour, and a loss counts at once again.
  for (int i = 0; i < 15; ++i) {
    deliver({energy(100)});
    pass(60);
  }
  bridge->link_lost("house");
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
}

TEST_F(House, P39_AMeterThatIsSilentAgainAndAgainIsShownAwayOnlyWhenItStaysSilent) {
  plan.settings.interval = 2s;
  start({plan});
  const auto shown = [&] { return payloads("meterbridge/house/availability").size(); };
  for (int i = 0; i < 5; ++i) {
    deliver({energy(100), power(100)});
    pass(6);
    EXPECT_EQ(last("meterbridge/house/availability"), "offline") << i;
    EXPECT_TRUE(Json::parse(last("meterbridge/house/state"))["power"].is_null());
  }
  deliver({energy(100), power(200)});
  const std::size_t before = shown();
  for (int i = 0; i < 5; ++i) {
    pass(10);
    EXPECT_EQ(Json::parse(last("meterbridge/house/state"))["power"], 200 + i);
    deliver({energy(100), power(201 + i)});
  }
  EXPECT_EQ(shown(), before);
  pass(6 + 9);
  EXPECT_EQ(last("meterbridge/house/availability"), "online");
  EXPECT_EQ(Json::parse(last("meterbridge/house/state"))["power"], 205);
  pass(1);
  EXPECT_EQ(last("meterbridge/house/availability"), "offline");
  EXPECT_TRUE(Json::parse(last("meterbridge/house/state"))["power"].is_null());
}

TEST_F(House, P26TwoSubMetersOfOneTypeAreTwoDevices) {
  start({plan});
  const Reading gas(make_key(Quantity::gas), Value(Decimal(1, 0)), Unit::m3);
  deliver({gas}, "gas_47", "G47");
  deliver({gas}, "gas_48", "G48");
  EXPECT_EQ(Json::parse(last("homeassistant/device/meterbridge_house_gas_47/config"))["dev"]["sn"],
            "G47");
  EXPECT_EQ(Json::parse(last("homeassistant/device/meterbridge_house_gas_48/config"))["dev"]["sn"],
            "G48");
}

TEST_F(House, P26ASubMeterKeepsItsParentOverRestarts) {
  const Reading gas(make_key(Quantity::gas), Value(Decimal(1, 0)), Unit::m3);
  start({plan});
  deliver({gas}, "gas_47", "G47");
  for (int restarts = 0; restarts < 3; ++restarts) {
    start({plan});
    ASSERT_NE(bridge->state("house_gas_47"), nullptr);
    EXPECT_EQ(bridge->state("house_gas_47")->facts.parent, "house");
    EXPECT_EQ(known.meters["house_gas_47"].parent, "house");
    EXPECT_TRUE(payloads("meterbridge/house_gas_47/health").empty());
    EXPECT_TRUE(
        Json::parse(last("homeassistant/device/meterbridge_house_gas_47/config"))["cmps"].contains(
            "gas"));
  }
  start({});
  EXPECT_EQ(last("homeassistant/device/meterbridge_house_gas_47/config"), "");
}

TEST_F(House, P37ConnectingAgainSaysEverythingInOrder) {
  start({plan});
  deliver({energy(100)});
  said.clear();
  bridge->disconnected();
  deliver({energy(101)});
  EXPECT_TRUE(said.empty()) << "retained messages wait for the connection";
  bridge->connected();
  std::vector<std::string> topics;
  for (const mqtt::Message& message : said)
    topics.push_back(message.topic);
  const auto at = [&](const std::string& topic) {
    return std::find(topics.begin(), topics.end(), topic) - topics.begin();
  };
  EXPECT_LT(at(document_topic), at("meterbridge/house/availability"));
  EXPECT_LT(at("meterbridge/house/availability"), at("meterbridge/house/state"));
  EXPECT_LT(at("meterbridge/house/state"), static_cast<std::ptrdiff_t>(topics.size()));
  EXPECT_EQ(Json::parse(last("meterbridge/house/state"))["energy_import"], 1.01);
}

TEST_F(House, P36RemovesAMeterThatIsNoLongerConfigured) {
  start({plan});
  deliver({energy(100)});
  start({});
  EXPECT_EQ(last(document_topic), "");
  pass(4);
  EXPECT_TRUE(payloads("meterbridge/house/state").empty())
      << "Home Assistant still listens with the entity's template";
  pass(1);
  for (const auto* topic :
       {"meterbridge/house/availability", "meterbridge/house/state", "meterbridge/house/health"}) {
    EXPECT_EQ(last(topic), "") << topic;
  }
  EXPECT_TRUE(known.meters.empty());
}

TEST_F(House, P36WhatAnEarlierRunOnlyBeganToRemoveIsRemovedAtOnce) {
  start({plan});
  deliver({energy(100)});
  start({});
  ASSERT_FALSE(known.meters.empty());
  const auto again = Known::parse(known.json());
  ASSERT_TRUE(again);
  known = *again;
  start({});
  EXPECT_EQ(last("meterbridge/house/state"), "");
  EXPECT_TRUE(known.meters.empty());
  EXPECT_TRUE(lines.empty()) << "it was said";
}

TEST_F(House, P36AMeterThatReturnsWhileItLeavesStays) {
  start({plan});
  deliver({energy(100)});
  bridge->remove("house");
  bridge->configure(plan);
  deliver({energy(101)});
  said.clear();
  pass(6);
  EXPECT_TRUE(payloads(document_topic).empty());
  for (const std::string& payload : payloads("meterbridge/house/state"))
    EXPECT_NE(payload, "");
  EXPECT_TRUE(known.meters.contains("house"));
}

TEST_F(House, AReadingThatIsHiddenNowLosesItsEntity) {
  start({plan});
  deliver({energy(100), power(230)});
  plan.settings.readings[make_key(Quantity::power)].hidden = true;
  start({plan});
  const auto documents = payloads(document_topic);
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(Json::parse(documents[0])["cmps"]["power"], Json({{"p", "sensor"}}));
  EXPECT_FALSE(Json::parse(documents[1])["cmps"].contains("power"));
  deliver({energy(100), power(230)});
  EXPECT_FALSE(Json::parse(last("meterbridge/house/state")).contains("power"));
}

// What a table named, and does not name any more, would stay "unknown" for ever.
TEST_F(House, P36_AReadingThatIsTakenOutOfTheTableLosesItsEntity) {
  static constexpr std::array<std::string_view, 1> key{"key"};
  static constexpr std::array columns{SettingSpec{.name = "key", .help = ""}};
  static constexpr std::array tables{
      TableSpec{.name = "fields", .help = "", .columns = columns, .identity = key}};
  plan.tables = tables;
  const auto restart_naming = [&](const std::vector<std::string>& keys) {
    std::vector<SettingValues> rows(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
      rows[i].set("key", keys[i]);
    plan.settings.protocol = SettingValues();
    plan.settings.protocol.add_rows(tables.front(), rows);
    known = *Known::parse(known.json());
    start({plan});
  };
  const Reading serial(make_key(Quantity::serial), Value(std::string("4711")));
  restart_naming({"energy_import", "power"});
  deliver({energy(100), power(230), serial});
  restart_naming({"energy_import"});
  const auto documents = payloads(document_topic);
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(Json::parse(documents[0])["cmps"]["power"], Json({{"p", "sensor"}}));
  const Json left = Json::parse(documents[1])["cmps"];
  EXPECT_FALSE(left.contains("power"));
  EXPECT_TRUE(left.contains("energy_import") && left.contains("serial")) << "no table named it";
  // Another kind of meter in its place: what both say must not leave in between.
  plan.settings.profile = "another";
  restart_naming({"power"});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("energy_import"));
}

TEST_F(House, P36EntitiesAreRememberedOverARestartAndValuesAreNot) {
  start({plan});
  deliver({energy(100)});
  const auto again = Known::parse(known.json());
  ASSERT_TRUE(again);
  known = *again;
  start({plan});
  EXPECT_TRUE(Json::parse(last(document_topic))["cmps"].contains("energy_import"));
  EXPECT_EQ(Json::parse(last(document_topic))["dev"]["sn"], "4711");
  EXPECT_TRUE(payloads("meterbridge/house/state").empty())
      << "nothing is published that was not read";
}

TEST_F(House, TheNewestFaultIsShownSoonAndFlutterOnlyOnceAMinute) {
  start({plan});
  pass(2);
  bridge->report("house", Error(Errc::no_device, "/dev/ttyUSB0: No such file or directory"));
  pass(1);
  EXPECT_EQ(Json::parse(last("meterbridge/house/health"))["state"], "no_device");
  said.clear();
  for (int i = 0; i < 600; ++i) {
    if (i % 2 == 0) {
      deliver({energy(100)});
    } else {
      bridge->report("house", Error(Errc::checksum, "CRC wrong"));
    }
    pass(1);
  }
  EXPECT_LE(payloads("meterbridge/house/health").size(), 25U);
  EXPECT_EQ(Json::parse(last("meterbridge/house/health"))["error_rate"], 50);
}

TEST_F(House, ARefusedPasswordIsRememberedOverARestartUntilItIsChanged) {
  known.client_id = "meterbridge-0123abcd";
  plan.settings.protocol.set("password", Secret("777777"));
  start({plan});
  EXPECT_FALSE(bridge->refusal("house"));
  bridge->report("house", Error(Errc::access, "the meter refused the password"));
  EXPECT_TRUE(bridge->refusal("house"));
  EXPECT_EQ(known.json().find("777777"), std::string::npos);
  EXPECT_TRUE(bridge->take_known_changed());
  bridge->report("house", Error(Errc::access, "it is not tried again"));
  EXPECT_FALSE(bridge->take_known_changed()) << "not a write to the flash with every poll";
  const auto again = Known::parse(known.json());
  ASSERT_TRUE(again);
  known = *again;
  start({plan});
  EXPECT_TRUE(bridge->refusal("house"));
  plan.settings.protocol.set("password", Secret("0"));
  start({plan});
  EXPECT_FALSE(bridge->refusal("house"));
}

TEST_F(House, AChangedSerialNumberRaisesAnEvent) {
  start({plan});
  deliver({energy(100)});
  deliver({energy(3)}, "", "4712");
  const Json event = Json::parse(last("meterbridge/house/event"));
  EXPECT_EQ(event["event_type"], "meter_replaced");
}

TEST_F(House, DeviceAndComponentDiscoveryHandOverToEachOther) {
  start({plan});
  deliver({energy(100)});
  settings.homeassistant.discovery = config::Discovery::component;
  start({plan});
  const auto old = payloads(document_topic);
  ASSERT_EQ(old.size(), 2U);
  EXPECT_EQ(old[0], R"({"migrate_discovery":true})");
  EXPECT_EQ(old[1], "");
  const auto emptied = std::find_if(said.begin(), said.end(), [&](const mqtt::Message& m) {
    return m.topic == document_topic && m.payload.empty();
  });
  const auto fresh = std::find_if(said.begin(), said.end(), [](const mqtt::Message& m) {
    return m.topic == "homeassistant/sensor/meterbridge_house/energy_import/config";
  });
  ASSERT_NE(fresh, said.end());
  EXPECT_LT(emptied, fresh)
      << "the other way round each entity is a warning in Home Assistant's log";
  settings.homeassistant.discovery = config::Discovery::off;
  start({plan});
  EXPECT_TRUE(payloads(document_topic).empty());
  EXPECT_TRUE(std::all_of(said.begin(), said.end(), [](const mqtt::Message& m) {
    return !m.topic.starts_with("homeassistant/") || m.payload.empty();
  }));
}

}  // namespace
}  // namespace meterbridge::app
