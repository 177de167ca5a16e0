// SPDX-License-Identifier: MIT
#include "config/settings.hpp"

#include "unit/config/catalogue.hpp"

#include <gtest/gtest.h>

namespace meterbridge::config {
namespace {

using namespace std::chrono_literals;

Settings read_good(std::string_view yaml) {
  Problems problems;
  Settings settings = read_text(yaml, problems);
  EXPECT_EQ(printed(problems), "");
  return settings;
}

constexpr std::string_view one_meter =
    "meters:\n  - {id: house, profile: energomera-ce307, link: {serial: /dev/ttyUSB0}, address: "
    "13462}\n";

ReadingKey key_of(std::string_view text) {
  const auto key = ReadingKey::parse(text);
  EXPECT_TRUE(key) << text;
  return key ? *key : ReadingKey{};
}

}  // namespace

TEST(Settings, DefaultsOfTheFileAreThoseOfTheStructs) {
  const Settings settings = read_good(one_meter);
  const MqttSettings mqtt;
  EXPECT_EQ(settings.instance, Settings{}.instance);
  EXPECT_EQ(settings.mqtt.host, mqtt.host);
  EXPECT_EQ(settings.mqtt.port, mqtt.port);
  EXPECT_EQ(settings.mqtt.qos, mqtt.qos);
  EXPECT_EQ(settings.mqtt.version, mqtt.version);
  EXPECT_EQ(settings.mqtt.keepalive, mqtt.keepalive);
  EXPECT_FALSE(settings.mqtt.tls.enabled);
  EXPECT_EQ(settings.mqtt.base_topic, "meterbridge");
  const HomeAssistantSettings homeassistant;
  EXPECT_EQ(settings.homeassistant.discovery, homeassistant.discovery);
  EXPECT_EQ(settings.homeassistant.discovery_prefix, homeassistant.discovery_prefix);
  EXPECT_EQ(settings.homeassistant.birth_topic, homeassistant.birth_topic);
  EXPECT_EQ(settings.homeassistant.language, homeassistant.language);
  const LinkSettings link;
  ASSERT_EQ(settings.links.size(), 1U);
  EXPECT_EQ(settings.links[0].turnaround, link.turnaround);
  EXPECT_EQ(settings.links[0].echo, link.echo);
  EXPECT_FALSE(settings.links[0].silence);
  EXPECT_FALSE(settings.links[0].line);
}

TEST(Settings, LinkInPlaceIsNamedAfterItsMeter) {
  const Settings settings = read_good(one_meter);
  ASSERT_EQ(settings.meters.size(), 1U);
  EXPECT_EQ(settings.links[0].name, "house");
  EXPECT_EQ(settings.meters[0].link, "house");
  EXPECT_EQ(settings.meters[0].name, "house");
  EXPECT_EQ(settings.meters[0].interval, 30s);
  EXPECT_EQ(settings.meters[0].path, "meters[0]");
  EXPECT_EQ(settings.links[0].serial, "/dev/ttyUSB0");
}

TEST(Settings, ProtocolSettingsAreDefaultsPresetAndUserInThisOrder) {
  const Settings preset = read_good(one_meter);
  EXPECT_EQ(preset.meters[0].protocol.text("family"), "r51");
  EXPECT_EQ(preset.meters[0].protocol.duration("response_timeout"), 1500ms);
  EXPECT_EQ(preset.meters[0].protocol.integer("address"), 13462);
  const Settings user = read_good(
      "meters:\n  - {id: a, profile: energomera-ce307, link: {serial: /dev/x}, family: classic, "
      "response_timeout: 2s}\n");
  EXPECT_EQ(user.meters[0].protocol.text("family"), "classic");
  EXPECT_EQ(user.meters[0].protocol.duration("response_timeout"), 2s);
  EXPECT_FALSE(user.meters[0].protocol.has("address"));
}

TEST(Settings, MqttInFull) {
  const Settings settings = read_good(
      "instance: cottage\nmqtt:\n  {host: broker, port: !env BROKER_PORT, username: u, password: "
      "!secret password,"
      " client_id: me, base_topic: a/b, qos: 2, version: \"3.1.1\", keepalive: 1m,"
      " tls: {ca: /ca, certificate: /c, key: /k}}\n" +
      std::string(one_meter));
  EXPECT_EQ(settings.instance, "cottage");
  EXPECT_EQ(settings.mqtt.host, "broker");
  EXPECT_EQ(settings.mqtt.port, 8884);
  EXPECT_EQ(settings.mqtt.password.reveal(), "planted-secret");
  EXPECT_EQ(settings.mqtt.client_id, "me");
  EXPECT_EQ(settings.mqtt.base_topic, "a/b");
  EXPECT_EQ(settings.mqtt.qos, 2);
  EXPECT_EQ(settings.mqtt.version, 3);
  EXPECT_EQ(settings.mqtt.keepalive, 60s);
  EXPECT_TRUE(settings.mqtt.tls.enabled);
  EXPECT_EQ(settings.mqtt.tls.ca, "/ca");
  EXPECT_EQ(settings.mqtt.tls.certificate, "/c");
  EXPECT_EQ(settings.mqtt.tls.key, "/k");
}

TEST(Settings, TlsMovesThePort) {
  EXPECT_EQ(read_good("mqtt: {tls: true}\n" + std::string(one_meter)).mqtt.port, 8883);
  EXPECT_EQ(read_good("mqtt: {tls: {ca: /ca}}\n" + std::string(one_meter)).mqtt.port, 8883);
  EXPECT_EQ(read_good("mqtt: {tls: false}\n" + std::string(one_meter)).mqtt.port, 1883);
  EXPECT_EQ(read_good("mqtt: {tls: true, port: 443}\n" + std::string(one_meter)).mqtt.port, 443);
}

TEST(Settings, BaseTopicIsTheInstanceUnlessGiven) {
  EXPECT_EQ(read_good("instance: cottage\n" + std::string(one_meter)).mqtt.base_topic, "cottage");
}

TEST(Settings, LinksOfEveryKind) {
  const Settings settings = read_good(
      "links:\n  a: {tcp: \"10.0.0.5:8899\", silence: 2m}\n  b: {tcp: \"[fe80::1]:23\"}\n  c: "
      "{replay: capture.bin}\n"
      "  d: {serial: \"usb:0403:6001:A10K5XYZ\", echo: true, turnaround: 100ms, baud: 4800, mode: "
      "7E1}\n"
      "  e: {serial: \"usb-path:1-1.2\"}\n"
      "meters:\n  - {id: a, profile: p1, link: a}\n  - {id: b, profile: p1, link: b}\n  - {id: c, "
      "profile: p1, link: c}\n"
      "  - {id: d, profile: p1, link: d}\n  - {id: e, profile: p1, link: e}\n");
  ASSERT_EQ(settings.links.size(), 5U);
  EXPECT_EQ(settings.links[0].kind, LinkKind::tcp);
  EXPECT_EQ(settings.links[0].host, "10.0.0.5");
  EXPECT_EQ(settings.links[0].port, 8899);
  EXPECT_EQ(settings.links[0].silence, 120s);
  EXPECT_EQ(settings.links[1].host, "fe80::1");
  EXPECT_EQ(settings.links[2].kind, LinkKind::replay);
  EXPECT_EQ(settings.links[2].replay, "capture.bin");
  EXPECT_EQ(settings.links[3].kind, LinkKind::serial);
  EXPECT_TRUE(settings.links[3].echo);
  EXPECT_EQ(settings.links[3].turnaround, 100ms);
  ASSERT_TRUE(settings.links[3].line);
  EXPECT_EQ(settings.links[3].line->text(), "4800 7E1");
  EXPECT_EQ(settings.links[4].serial, "usb-path:1-1.2");
}

TEST(Settings, HalfALineIsCompletedFromTheProfile) {
  const Settings speed =
      read_good("meters:\n  - {id: a, profile: slow-meter, link: {serial: /dev/x, baud: 4800}}\n");
  ASSERT_TRUE(speed.links[0].line);
  EXPECT_EQ(speed.links[0].line->text(), "4800 7E1");
  const Settings mode =
      read_good("meters:\n  - {id: a, profile: slow-meter, link: {serial: /dev/x, mode: 8N1}}\n");
  ASSERT_TRUE(mode.links[0].line);
  EXPECT_EQ(mode.links[0].line->text(), "300 8N1");
}

TEST(Settings, MetersOfDifferentLinesShareALinkThatDecides) {
  const Settings settings = read_good(
      "links:\n  bus: {serial: /dev/x, baud: 9600, mode: 8N1}\nmeters:\n"
      "  - {id: a, profile: energomera-ce307, link: bus, address: 1}\n  - {id: b, profile: "
      "slow-meter, link: bus, address: 1}\n");
  EXPECT_EQ(settings.links[0].line->text(), "9600 8N1");
}

TEST(Settings, ReadingsAreNamedHiddenAndScaled) {
  const Settings settings = read_good(
      "meters:\n  - id: a\n    profile: p1\n    link: {serial: /dev/x}\n    readings:\n"
      "      energy_import_t1: {name: Day}\n      voltage_l2: hidden\n      current: {factor: 40, "
      "offset: \"-0.5\"}\n");
  const auto& readings = settings.meters[0].readings;
  ASSERT_EQ(readings.size(), 3U);
  EXPECT_EQ(readings.at(key_of("energy_import_t1")).name, "Day");
  EXPECT_TRUE(readings.at(key_of("voltage_l2")).hidden);
  EXPECT_EQ(readings.at(key_of("current")).factor->str(), "40");
  EXPECT_EQ(readings.at(key_of("current")).offset->str(), "-0.5");
}

TEST(Settings, TelegramTopic) {
  const auto telegram_of = [](const std::string& value) {
    return read_good("meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}, telegram: " +
                     value + "}\n")
        .meters[0]
        .telegram;
  };
  EXPECT_TRUE(telegram_of("true").enabled);
  EXPECT_FALSE(telegram_of("false").enabled);
  const TelegramTopic old = telegram_of("{topic: tele/smartmeter/SENSOR, layout: okosmero}");
  EXPECT_TRUE(old.enabled);
  EXPECT_EQ(old.topic, "tele/smartmeter/SENSOR");
  EXPECT_EQ(old.layout, "okosmero");
}

TEST(Settings, TextTakesUnquotedNumbersAsTheyStand_P45) {
  const Settings settings = read_good(
      "mqtt: {username: 007, password: 0123}\nmeters:\n  - {id: 42, name: 1e5, profile: p1, link: "
      "{serial: /dev/x}}\n");
  EXPECT_EQ(settings.mqtt.username, "007");
  EXPECT_EQ(settings.mqtt.password.reveal(), "0123");
  EXPECT_EQ(settings.meters[0].id, "42");
  EXPECT_EQ(settings.meters[0].name, "1e5");
}

TEST(Settings, KeysAreAcceptedInTheFormsThatOperatorsSend_P23) {
  for (const std::string_view key :
       {"5DC1A7F20B934E8866F1D29A30C7B45E", "5dc1a7f20b934e8866f1d29a30c7b45e",
        "\"5D C1 A7 F2 0B 93 4E 88 66 F1 D2 9A 30 C7 B4 5E\"", "!secret key"}) {
    const Settings settings = read_good(
        "meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}, key: " + std::string(key) +
        "}\n");
    EXPECT_EQ(settings.meters[0].protocol.secret("key").reveal(),
              "5dc1a7f20b934e8866f1d29a30c7b45e")
        << key;
  }
}

TEST(Settings, ProtocolKeepsAKeyThatEveryMeterHasForItself) {
  const Settings p1 =
      read_good("meters:\n  - {id: a, profile: p1, link: {serial: /dev/x}, timeout: 20s}\n");
  EXPECT_FALSE(p1.meters[0].timeout);
  EXPECT_EQ(p1.meters[0].protocol.duration("timeout"), 20s);
  const Settings ce = read_good(
      "meters:\n  - {id: a, profile: energomera-ce307, link: {serial: /dev/x}, timeout: 20s}\n");
  EXPECT_EQ(ce.meters[0].timeout, 20s);
}

TEST(Settings, WarningsDoNotMakeAFileInvalid) {
  Problems problems;
  const Settings settings = read_text(
      "links:\n  spare: {serial: /dev/y}\n  net: {tcp: \"host:23\", baud: 9600}\nmqtt: {tls: "
      "{insecure: true}}\n"
      "meters:\n  - {id: a, profile: p1, link: net}\n",
      problems);
  EXPECT_FALSE(problems.any_error());
  EXPECT_EQ(problems.all().size(), 3U) << printed(problems);
  EXPECT_TRUE(settings.mqtt.tls.insecure);
  EXPECT_FALSE(settings.links[1].line);
  Problems empty;
  read_text("", empty);
  EXPECT_FALSE(empty.any_error());
  EXPECT_EQ(printed(empty),
            "test.yaml:1:1: warning: no meters are configured: nothing will be read\n");
}

TEST(Settings, SameFileMayBePlayedTwice) {
  const Settings settings = read_good(
      "meters:\n  - {id: a, profile: p1, link: {replay: f}}\n  - {id: b, profile: p1, link: "
      "{replay: f}}\n");
  EXPECT_EQ(settings.links.size(), 2U);
}

TEST(Settings, AKindOfSinkHasItsOwnUsualPatience) {
  const std::string sinks =
      "sinks: {csv: {directory: /x}, more: {type: csv, directory: /y, flush_interval: 1s},"
      " influxdb: {url: u}}\n";
  const Settings settings = read_good(sinks + std::string(one_meter));
  ASSERT_EQ(settings.sinks.size(), 3U);
  EXPECT_EQ(settings.sinks[0].flush_interval, 5min);
  EXPECT_EQ(settings.sinks[1].flush_interval, 1s);
  EXPECT_EQ(settings.sinks[2].flush_interval, 2s);
  EXPECT_FALSE(settings.sinks[0].values.has("flush_interval")) << "it is no matter of the kind";
}

TEST(Settings, TheJournalIsAWordOrASection) {
  const auto journal_of = [](const std::string& text) {
    return read_good(text + std::string(one_meter)).journal;
  };
  const JournalSettings usual = journal_of("");
  EXPECT_EQ(usual.store, JournalStore::automatic);
  EXPECT_EQ(usual.commit, 5s);
  EXPECT_EQ(usual.sync, 5min) << "a card wears out by small writes (P52)";
  EXPECT_EQ(usual.keep, std::chrono::hours(24 * 30));
  EXPECT_EQ(usual.samples, 10'000U);
  EXPECT_EQ(usual.size, 200'000'000U);
  EXPECT_EQ(journal_of("journal: on\n").store, JournalStore::disk);
  EXPECT_EQ(journal_of("journal: memory\n").store, JournalStore::memory);
  EXPECT_EQ(journal_of("journal: off\n").store, JournalStore::off);
  EXPECT_EQ(journal_of("journal: auto\n").store, JournalStore::automatic);
  const JournalSettings own = journal_of(
      "journal: {store: on, commit: 0s, sync: 0s, keep: 0s, size: 1 gb, samples: 100}\n");
  EXPECT_EQ(own.store, JournalStore::disk);
  EXPECT_EQ(own.commit, 0s);
  EXPECT_EQ(own.sync, 0s);
  EXPECT_EQ(own.keep, 0s);
  EXPECT_EQ(own.size, 1'000'000'000U);
  EXPECT_EQ(own.samples, 100U);
  EXPECT_EQ(journal_of("journal: {commit: 10m}\n").commit, 10min);
}

TEST(Settings, AnyPrefixOfAValidFileEndsInSettingsOrProblems) {
  const std::string text =
      "instance: cottage\nmqtt: {host: b, username: u, password: !secret password, tls: {ca: "
      "/ca}}\n"
      "homeassistant: {discovery: component}\nlinks:\n  bus: {serial: /dev/x, baud: "
      "9600}\nmeters:\n"
      "  - {id: a, profile: energomera-ce307, link: bus, address: 1, readings: {power: {factor: "
      "2}}}\n"
      "  - id: p1\n    profile: p1\n    link: {tcp: \"h:1\"}\n    key: !secret key\n    telegram: "
      "{layout: okosmero}\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Problems problems;
    const Settings settings = read_text(std::string_view(text).substr(0, cut), problems);
    for (const MeterSettings& meter : settings.meters) {
      EXPECT_TRUE(problems.any_error() || !(meter.id.empty() || meter.profile.empty())) << cut;
    }
    EXPECT_EQ(printed(problems).find("planted"), std::string::npos) << cut;
  }
}

TEST(Settings, OptionsAsJsonAreReadTheSameWay) {
  Problems problems;
  const Node root = parse_json(R"({"mqtt": {"host": "core-mosquitto", "port": 1883},
      "meters": [{"id": "house", "profile": "p1", "link": {"serial": "/dev/ttyUSB0", "baud": 115200}, "interval": 10}]})",
                               "options.json", problems);
  const Settings settings = read_settings(root, test_catalogue(), problems);
  EXPECT_EQ(settings.mqtt.host, "core-mosquitto");
  EXPECT_EQ(printed(problems),
            "options.json: error: meters[0].interval: \"10\" has no unit: write 10s for seconds "
            "(or ms, m, h)\n");
}

}  // namespace meterbridge::config
