// SPDX-License-Identifier: MIT
#include "approved.hpp"
#include "facts.hpp"
#include "rules.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;
using testing::IsEmpty;

json parsed(const mqtt::Message& message) {
  return json::parse(message.payload);
}

json component(const MeterFacts& meter, const std::string& key) {
  return parsed(device_document(bridge(), meter))["cmps"][key];
}

MeterFacts meter_with(std::vector<EntityFacts> entities) {
  MeterFacts meter;
  meter.id = "m";
  meter.name = "Cellar";
  meter.entities = std::move(entities);
  return meter;
}

TEST(Discovery, IsWhatWasApproved) {
  expect_approved("bridge_device", facts_of(bridge_document(bridge())));
  expect_approved("polled_device", facts_of(device_document(bridge(), polled_house())));
  expect_approved("p1_device", facts_of(device_document(bridge(), pushing_p1())));
  expect_approved("gas_device", facts_of(device_document(bridge(), gas_behind_p1())));
  expect_approved("bridge_components", facts_of(bridge_component_documents(bridge())));
  expect_approved("polled_components", facts_of(component_documents(bridge(), polled_house())));
  expect_approved("gas_components", facts_of(component_documents(bridge(), gas_behind_p1())));
}

TEST(Discovery, AlarmsAreEntitiesOfTheirMeterAndWords) {
  MeterFacts press = meter_with({entity("power")});
  press.alarms.resize(3);
  press.alarms[0].name = "main_overload";
  press.alarms[1].name = "away";
  press.alarms[1].label = "Press is away";
  press.alarms[1].of_values = false;
  press.alarms[2].name = "lost_phase";
  EXPECT_THAT(complaints_of_device(device_document(bridge(), press)), IsEmpty());
  expect_approved("alarms_device", facts_of(device_document(bridge(), press)));
  for (const mqtt::Message& message : component_documents(bridge(), press))
    EXPECT_THAT(complaints_of_component(message), IsEmpty()) << message.topic;
}

TEST(P31_Discovery, HasAnEntityForEveryDeliveredReadingOfEveryMeter) {
  for (const MeterFacts& meter : all_meters()) {
    const json components = parsed(device_document(bridge(), meter))["cmps"];
    const auto single = component_documents(bridge(), meter);
    for (const EntityFacts& facts : meter.entities) {
      const std::string key = facts.key.text();
      EXPECT_TRUE(components.contains(key)) << meter.id << " " << key;
      const std::string platform = facts.kind == Kind::flag ? "binary_sensor" : "sensor";
      const std::string topic = component_topic(bridge(), meter.id, platform, key);
      EXPECT_TRUE(std::any_of(single.begin(), single.end(), [&](const auto& m) {
        return m.topic == topic;
      })) << topic;
    }
  }
}

TEST(P31_Discovery, IsValidForEveryReadingKeyOfTheGrammar) {
  for (const Kind kind : {Kind::number, Kind::text, Kind::flag, Kind::time}) {
    const auto readings = all_readings(kind);
    ASSERT_GT(readings.size(), 500U);
    const MeterFacts meter = meter_with(readings);
    const mqtt::Message document = device_document(bridge(), meter);
    EXPECT_THAT(complaints_of_device(document), IsEmpty());
    const json components = parsed(document)["cmps"];
    EXPECT_EQ(components.size(), components_of(meter).size());
    for (const EntityFacts& facts : readings)
      EXPECT_TRUE(components.contains(facts.key.text()));
    for (const mqtt::Message& message : component_documents(bridge(), meter)) {
      EXPECT_THAT(complaints_of_component(message), IsEmpty());
    }
  }
}

TEST(P32_Discovery, AnnouncesOnlyWhatWasDeliveredBesidesTheDiagnostics) {
  MeterFacts meter = polled_house();
  meter.entities.clear();
  std::vector<std::string> keys;
  for (const auto& [key, platform] : components_of(meter))
    keys.push_back(key);
  EXPECT_THAT(keys,
              testing::ElementsAre("connectivity", "error", "error_rate", "fault", "interval",
                                   "last_reading", "pause", "poll", "poll_time", "recoveries"));
  // A meter that sends when it likes can be neither asked nor timed.
  meter.polled = false;
  keys.clear();
  for (const auto& [key, platform] : components_of(meter))
    keys.push_back(key);
  EXPECT_THAT(keys, testing::ElementsAre("connectivity", "error", "error_rate", "fault",
                                         "last_reading", "recoveries"));
}

TEST(P32_Discovery, TemplatesNeverNameAMemberDirectly) {
  // `value_json.key` logs a warning for every message without that key.
  std::vector<mqtt::Message> messages = bridge_component_documents(bridge());
  for (const MeterFacts& meter : all_meters()) {
    const auto more = component_documents(bridge(), meter);
    messages.insert(messages.end(), more.begin(), more.end());
  }
  for (const mqtt::Message& message : messages) {
    const json entity = parsed(message);
    if (!entity.contains("val_tpl")) continue;
    const std::string text = entity["val_tpl"];
    for (std::size_t at = text.find("value_json"); at != std::string::npos;
         at = text.find("value_json", at + 1)) {
      EXPECT_EQ(text.substr(at, 15), "value_json.get(") << message.topic;
    }
  }
}

TEST(P34_Discovery, FollowsTheSchemaOfDeviceDocuments) {
  EXPECT_THAT(complaints_of_device(bridge_document(bridge())), IsEmpty());
  for (const MeterFacts& meter : all_meters()) {
    const mqtt::Message document = device_document(bridge(), meter);
    EXPECT_THAT(complaints_of_device(document), IsEmpty());
    EXPECT_EQ(document.payload.find("obj_id"), std::string::npos);
    EXPECT_EQ(document.payload.find("object_id"), std::string::npos);
    EXPECT_EQ(document.topic, "homeassistant/device/meterbridge_" + meter.id + "/config");
  }
}

TEST(P34_Discovery, FollowsTheSchemaOfSingleEntities) {
  for (const mqtt::Message& message : bridge_component_documents(bridge())) {
    EXPECT_THAT(complaints_of_component(message), IsEmpty());
  }
  for (const MeterFacts& meter : all_meters()) {
    for (const mqtt::Message& message : component_documents(bridge(), meter)) {
      EXPECT_THAT(complaints_of_component(message), IsEmpty());
    }
  }
}

TEST(P34_Discovery, TheRulesThemselvesFindWhatIsWrong) {
  const auto spoilt = [](const char* pointer, const json& value) {
    mqtt::Message message = device_document(bridge(), polled_house());
    json document = json::parse(message.payload);
    document[json::json_pointer(pointer)] = value;
    message.payload = document.dump();
    return complaints_of_device(message).size();
  };
  EXPECT_EQ(spoilt("/~0", "x"), 1U);
  EXPECT_EQ(spoilt("/dev/colour", "red"), 1U);
  EXPECT_EQ(spoilt("/o", json::object()), 1U);
  EXPECT_EQ(spoilt("/avty/0/pl_avail", "x"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/obj_id", "x"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/name", "House meter power"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/unit_of_meas", "kWh"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/stat_cla", "total"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/uniq_id", "meterbridge_house_clock"), 1U);
  EXPECT_EQ(spoilt("/cmps/clock/unit_of_meas", "s"), 1U);
  EXPECT_EQ(spoilt("/cmps/power/def_ent_id", "house_power"), 1U);
  EXPECT_EQ(spoilt("/cmps/fault/ops", nullptr), 0U) << "only absence is checked";
}

TEST(P35_Discovery, IdentitiesAreTheGoldenOnes) {
  std::vector<std::string> ids;
  const auto collect = [&ids](const mqtt::Message& message) {
    const json document = parsed(message);
    const std::string device = document["dev"]["ids"][0];
    ids.push_back("device " + device + " at " + message.topic);
    for (const auto& [key, entity] : document["cmps"].items()) {
      ids.push_back("entity " + entity["p"].get<std::string>() + " " +
                    entity["uniq_id"].get<std::string>() + " -> " +
                    entity["def_ent_id"].get<std::string>());
    }
  };
  collect(bridge_document(bridge()));
  for (const MeterFacts& meter : all_meters())
    collect(device_document(bridge(), meter));
  std::sort(ids.begin(), ids.end());
  expect_approved("ids", ids, "ids");
}

TEST(P35_Discovery, IdentitiesDependOnNothingButInstanceMeterAndKey) {
  MeterFacts meter = polled_house();
  const json before = parsed(device_document(bridge(), meter));
  BridgeFacts other = bridge();
  other.base = "elsewhere";
  other.prefix = "ha";
  other.version = "9.9.9";
  meter.name = "Cellar";
  meter.identity = MeterIdentity();
  for (EntityFacts& facts : meter.entities)
    facts.label = "Label " + facts.key.text();
  const json after = parsed(device_document(other, meter));
  EXPECT_EQ(before["dev"]["ids"], after["dev"]["ids"]);
  EXPECT_EQ(before["dev"]["via_device"], after["dev"]["via_device"]);
  for (const auto& [key, entity] : before["cmps"].items()) {
    EXPECT_EQ(entity["uniq_id"], "meterbridge_house_" + key);
    EXPECT_EQ(entity["uniq_id"], after["cmps"][key]["uniq_id"]);
    EXPECT_EQ(entity["def_ent_id"], after["cmps"][key]["def_ent_id"]);
  }
}

TEST(P35_Discovery, BothModesGiveTheSameIdentities) {
  for (const MeterFacts& meter : all_meters()) {
    const json components = parsed(device_document(bridge(), meter))["cmps"];
    const auto single = component_documents(bridge(), meter);
    ASSERT_EQ(components.size(), single.size());
    for (const mqtt::Message& message : single) {
      const json entity = parsed(message);
      const std::string id = entity["uniq_id"];
      const std::string key = id.substr(("meterbridge_" + meter.id + "_").size());
      EXPECT_EQ(components[key]["uniq_id"], id);
      EXPECT_EQ(components[key]["def_ent_id"], entity["def_ent_id"]);
      EXPECT_EQ(message.topic,
                component_topic(bridge(), meter.id, components[key]["p"].get<std::string>(), key));
    }
  }
}

TEST(P36_Discovery, NamesRemovedComponentsByPlatformAlone) {
  const json components = parsed(device_document(
      bridge(), polled_house(), {{"voltage_l1", "sensor"}, {"power", "sensor"}}))["cmps"];
  EXPECT_EQ(components["voltage_l1"], json({{"p", "sensor"}}));
  EXPECT_TRUE(components["power"].contains("uniq_id")) << "what is announced is not removed";
}

TEST(Discovery, ComponentsAreThoseOfTheDocument) {
  for (const MeterFacts& meter : all_meters()) {
    std::map<std::string, std::string> announced;
    const json components = parsed(device_document(bridge(), meter))["cmps"];
    for (const auto& [key, entity] : components.items())
      announced[key] = entity["p"];
    EXPECT_EQ(components_of(meter), announced);
  }
}

TEST(Discovery, DiagnosticKeysAreNoReadingKeys) {
  MeterFacts meter = polled_house();
  meter.entities.clear();
  for (const auto& [key, platform] : components_of(meter))
    EXPECT_FALSE(ReadingKey::parse(key)) << key;
}

TEST(Discovery, ReadingsNeedBridgeAndMeterDiagnosticsTheBridgeOnly) {
  const json document = parsed(device_document(bridge(), polled_house()));
  const json both =
      json::parse(R"([{"t":"meterbridge/status"},{"t":"meterbridge/house/availability"}])");
  const json one = json::parse(R"([{"t":"meterbridge/status"}])");
  EXPECT_EQ(document["avty"], both);
  EXPECT_EQ(document["avty_mode"], "all");
  for (const EntityFacts& facts : polled_house().entities) {
    EXPECT_FALSE(document["cmps"][facts.key.text()].contains("avty"));
  }
  MeterFacts bare = polled_house();
  bare.entities.clear();
  for (const auto& [key, platform] : components_of(bare)) {
    EXPECT_EQ(document["cmps"][key]["avty"], one) << key;
  }
}

TEST(Discovery, TheBridgesOwnStatusIsAlwaysAvailable) {
  const json document = parsed(bridge_document(bridge()));
  EXPECT_FALSE(document.contains("avty"));
  EXPECT_FALSE(document["cmps"]["connectivity"].contains("avty"));
  EXPECT_EQ(document["cmps"]["connectivity"]["stat_t"], "meterbridge/status");
  EXPECT_EQ(document["dev"]["ids"][0], "meterbridge_bridge");
  EXPECT_FALSE(document["dev"].contains("via_device"));
  EXPECT_EQ(parsed(device_document(bridge(), polled_house()))["dev"]["via_device"],
            "meterbridge_bridge");
}

TEST(Discovery, TheBreakerIsABinarySensorOfClassPower) {
  const json breaker = component(pushing_p1(), "status");
  EXPECT_EQ(breaker["p"], "binary_sensor");
  EXPECT_EQ(breaker["dev_cla"], "power");
  EXPECT_EQ(breaker["name"], "Breaker");
  const json text = component(polled_house(), "status");
  EXPECT_EQ(text["p"], "sensor");
  EXPECT_EQ(text["ent_cat"], "diagnostic");
}

TEST(Discovery, TellsTheDigitsSeen) {
  EXPECT_EQ(component(polled_house(), "energy_import")["sug_dsp_prc"], 2);
  EXPECT_EQ(component(polled_house(), "power")["sug_dsp_prc"], 0);
  EXPECT_FALSE(component(polled_house(), "serial").contains("sug_dsp_prc"));
}

TEST(Discovery, RareEntitiesAreOffUntilTheUserNamesThem) {
  EXPECT_EQ(component(polled_house(), "clock")["en"], false);
  EXPECT_EQ(component(pushing_p1(), "reactive_energy_q1")["en"], false);
  EXPECT_FALSE(component(polled_house(), "energy_import").contains("en"));
  EXPECT_FALSE(component(meter_with({entity("clock", Kind::time, 0, "Meter time")}), "clock")
                   .contains("en"));
}

TEST(Discovery, HostileTextFromTheMeterStaysText) {
  MeterFacts meter = polled_house();
  meter.name = "A \"quoted\" name\n";
  meter.identity.serial = std::string("12\0\x80\x01\xff", 6) + "3\"}";
  meter.entities.front().label = "{{ states }}\t\x07";
  const mqtt::Message message = device_document(bridge(), meter);
  ASSERT_THAT(complaints_of_device(message), IsEmpty());
  EXPECT_EQ(parsed(message)["dev"]["name"], "A \"quoted\" name");
  EXPECT_EQ(parsed(message)["dev"]["sn"], "123\"}");
}

TEST(Discovery, IdentifiersHoldOnlyCharactersThatHomeAssistantTakes) {
  MeterFacts meter = gas_behind_p1();
  meter.id = "p1_gas_4 7/+#\xc3\xa9";
  BridgeFacts facts = bridge();
  const mqtt::Message message = device_document(facts, meter);
  EXPECT_THAT(complaints_of_device(message), IsEmpty());
  EXPECT_EQ(message.topic, "homeassistant/device/meterbridge_p1_gas_4_7_____/config");
  EXPECT_EQ(topic(facts, meter.id, "state"), "meterbridge/p1_gas_4_7_____/state");
}

// P51: a link between two brokers that is lost is seen by every entity, where the user names its
// topic.
TEST(Discovery, BridgesAreEntitiesAndALinkMayDecideOnAvailability_P51) {
  BridgeFacts facts = bridge();
  facts.bridges = {"ha", "old-site"};
  facts.link_topic = "meterbridge-link/ha/state";
  const mqtt::Message message = bridge_document(facts);
  EXPECT_THAT(complaints_of_device(message), IsEmpty());
  const json components = parsed(message)["cmps"];
  const json link = components["bridge_old-site"];
  EXPECT_EQ(link["p"], "binary_sensor");
  EXPECT_EQ(link["name"], "Connectivity old-site");
  EXPECT_EQ(link["uniq_id"], "meterbridge_bridge_bridge_old-site");
  EXPECT_EQ(link["stat_t"], "meterbridge/bridge/health");
  EXPECT_EQ(components_of(facts).at("bridge_ha"), "binary_sensor");
  EXPECT_FALSE(components["connectivity"].contains("avty"));
  const json wanted = {
      {"t", "meterbridge-link/ha/state"}, {"pl_avail", "1"}, {"pl_not_avail", "0"}};
  EXPECT_EQ(link["avty"].back(), wanted);
  const json house = parsed(device_document(facts, polled_house()));
  EXPECT_EQ(house["avty"].size(), 3U);
  EXPECT_EQ(house["avty"].back(), wanted);
  EXPECT_EQ(house["avty_mode"], "all");
  for (const mqtt::Message& one : component_documents(facts, polled_house())) {
    const json availability = parsed(one).value("avty", json::array({wanted}));
    EXPECT_EQ(availability.back(), wanted) << one.topic;
  }
}

TEST(Discovery, ASubMeterHasNoHealthTopicOfItsOwn) {
  const mqtt::Message message = device_document(bridge(), gas_behind_p1());
  EXPECT_EQ(message.payload.find("/health"), std::string::npos);
  const json components = parsed(message)["cmps"];
  EXPECT_EQ(components.size(), 3U);
  EXPECT_EQ(components["last_reading"]["val_tpl"], "{{ value_json.get('time') }}");
  EXPECT_FALSE(components["last_reading"].contains("stat_t")) << "the state topic of the device";
  EXPECT_EQ(components["connectivity"]["stat_t"],
            "meterbridge/p1_gas_4730303339303031/availability");
}

}  // namespace
}  // namespace meterbridge::homeassistant::test
