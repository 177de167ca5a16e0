// SPDX-License-Identifier: MIT
// What Home Assistant tells the app, and the app's log.
#include "app/app_options.hpp"

#include "app/configuration_file.hpp"
#include "app/log_ring.hpp"
#include "fakes/scratch.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

std::string_view ok =
    R"({"result":"ok","data":{"addon":"core_mosquitto","host":"core-mosquitto","port":1883,"ssl":false,"username":"addons","password":"pw","protocol":"3.1.1"}})";

TEST(AppOptions, WhatIsWrongIsSaidAndLeftOut) {
  std::vector<std::string> remarks;
  const AppOptions good = parse_options(
      R"({"log_level":"debug","configuration":"/config/x.yaml","mqtt_host":"a","mqtt_port":8884,"mqtt_username":null,"mqtt_tls":true})",
      remarks);
  EXPECT_TRUE(remarks.empty());
  EXPECT_EQ(good.log_level, "debug");
  EXPECT_EQ(good.configuration, "/config/x.yaml");
  EXPECT_EQ(good.mqtt_port, 8884);
  EXPECT_TRUE(good.mqtt_tls);
  const AppOptions bad = parse_options(
      R"({"log_level":"loud","configuration":"","mqtt_port":70000,"mqtt_password":5,"mqtt_tls":"yes"})",
      remarks);
  ASSERT_EQ(remarks.size(), 4U);
  EXPECT_EQ(remarks[0], "the option mqtt_port is left out: a port from 1 to 65535 was expected");
  EXPECT_EQ(remarks[3],
            "the option log_level is left out: \"loud\" is none of error, warning, info, debug, "
            "trace");
  EXPECT_EQ(bad.log_level, "info");
  EXPECT_EQ(bad.configuration, "/config/meterbridge.yaml");
  remarks.clear();
  for (const char* text : {"", "[]", "{\"a\":", "null"})
    EXPECT_EQ(parse_options(text, remarks).log_level, "info");
  EXPECT_EQ(remarks.size(), 4U);
}

TEST(MqttServiceOfTheSupervisor, P42EveryAnswerIsUnderstoodOrSaidInWords) {
  const auto service = parse_service(200, ok);
  ASSERT_TRUE(service);
  EXPECT_EQ(service->host, "core-mosquitto");
  EXPECT_EQ(service->password.reveal(), "pw");
  const auto nobody = parse_service(400, R"({"result":"error","message":"Service not enabled"})");
  EXPECT_EQ(nobody.error().detail(),
            "Home Assistant knows no MQTT broker (\"Service not enabled\"): install and start the "
            "app \"Mosquitto broker\", or name your own with the option mqtt_host");
  EXPECT_NE(parse_service(403, "").error().detail().find("services: [mqtt:want]"),
            std::string::npos);
  EXPECT_EQ(parse_service(502, "<html>").error().detail(),
            "the Supervisor answers with status 502");
  for (const char* body : {"", "[]", R"({"data":5})", R"({"data":{"host":""}})",
                           R"({"data":{"host":"x","port":"1883"}})"})
    EXPECT_FALSE(parse_service(200, body)) << body;
}

TEST(MqttServiceOfTheSupervisor, TheFileCountsMoreThanTheOptionsAndTheseMoreThanTheService) {
  const std::optional<MqttService> service = *parse_service(200, ok);
  AppOptions options;
  config::MqttSettings mqtt;
  EXPECT_TRUE(needs_service(mqtt, options));
  complete(mqtt, options, service);
  complete(mqtt, options, service);
  EXPECT_EQ(mqtt.host, "core-mosquitto");
  EXPECT_EQ(mqtt.username, "addons");
  options.mqtt_username = "me";
  complete(mqtt, options, service);
  EXPECT_EQ(mqtt.username, "me");
  options.mqtt_host = "broker";
  options.mqtt_tls = true;
  options.mqtt_username.clear();
  mqtt = {};
  complete(mqtt, options, service);
  EXPECT_FALSE(needs_service(mqtt, options));
  EXPECT_EQ(mqtt.host, "broker");
  EXPECT_EQ(mqtt.port, 8883);
  EXPECT_EQ(mqtt.username, "");  // the service's login is for the service's broker
  config::MqttSettings given;
  given.host = "mine";
  given.host_given = true;
  complete(given, options, service);
  EXPECT_EQ(given.host, "mine");
  EXPECT_EQ(given.port, 1883);
  EXPECT_EQ(given.username, "");
}

TEST(LogRing, KeepsTheNewestWithinItsBounds) {
  LogRing ring;
  for (int i = 0; i < 700; ++i)
    ring.add({}, "info", "line " + std::to_string(i) + "\n");
  const auto all = ring.after(0);
  ASSERT_EQ(all.size(), LogRing::most_lines);
  EXPECT_EQ(all.front().text, "line 200");
  EXPECT_EQ(all.back().number, 700U);
  EXPECT_EQ(ring.after(698).size(), 2U);
  EXPECT_TRUE(ring.after(700).empty());
  for (int i = 0; i < 200; ++i)
    ring.add({}, "info", std::string(5000, 'x'));
  EXPECT_LE(ring.after(0).size(), LogRing::most_bytes / LogRing::longest_line);
}

TEST(ConfigurationFile, IsWrittenOnlyWhenItIsTheOneThatWasRead) {
  const fakes::Scratch place;
  const std::string path = place.path() / "x.yaml";
  const ConfigurationFile file(path);
  EXPECT_EQ(file.load().verdict.state, http::Validity::missing);
  const auto none = file.document();
  ASSERT_TRUE(none);
  EXPECT_EQ(none->text, "");
  EXPECT_EQ(file.write("meters: [", none->hash).outcome, http::Outcome::invalid);
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto first = file.write("# one\n", none->hash);
  ASSERT_EQ(first.outcome, http::Outcome::done);
  EXPECT_EQ(file.write("# two\n", none->hash).outcome, http::Outcome::stale);
  EXPECT_EQ(file.load().verdict.state, http::Validity::empty);
  const std::string before = file.stamp();
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  ASSERT_EQ(file.write("# two\n", first.hash).outcome, http::Outcome::done);
  EXPECT_NE(file.stamp(), before);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  std::stringstream previous;
  previous << std::ifstream(path + ".previous").rdbuf();
  EXPECT_EQ(previous.str(), "# one\n");
  EXPECT_EQ(file.check("meters:\n  - {id: a}\n").state, http::Validity::invalid);
}

}  // namespace
}  // namespace meterbridge::app
