// SPDX-License-Identifier: MIT
// A house with one meter, whose bridge's messages are kept.
#pragma once

#include "app/bridge.hpp"
#include "fakes/manual_clock.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

// Without a name: the program has a House, too.
namespace meterbridge::app {
namespace {
using namespace std::chrono_literals;
using Json = nlohmann::json;

[[maybe_unused]] Reading energy(std::int64_t hundredths) {
  return {make_key(Quantity::energy, Direction::import), Value(Decimal(hundredths, -2)), Unit::kWh};
}

[[maybe_unused]] Reading power(std::int64_t watts) {
  return {make_key(Quantity::power), Value(Decimal(watts)), Unit::W};
}

struct House : ::testing::Test {
  House() {
    config::MeterSettings meter;
    meter.id = "house";
    meter.interval = 10s;
    plan.settings = meter;
  }

  // A new bridge, as after a restart: what is known stays.
  void start(std::vector<MeterPlan> plans) {
    said.clear();
    lines.clear();
    bridge = std::make_unique<Bridge>(
        settings, std::move(plans), clock, known,
        [this](mqtt::Message m) { said.push_back(std::move(m)); },
        [this](bool, const std::string& line) { lines.push_back(line); });
    bridge->restore(memory);
    bridge->connected();
  }

  void deliver(std::vector<Reading> readings, const std::string& submeter = "",
               const std::string& serial = "4711") {
    Sample sample;
    sample.meter = submeter.empty() ? "house" : "house_" + submeter;
    sample.parent = submeter.empty() ? "" : "house";
    sample.at = clock.now();
    sample.identity.serial = serial;
    sample.readings = std::move(readings);
    bridge->deliver("house", {sample}, protocol::Telegram(), 200ms);
  }

  [[nodiscard]] std::vector<std::string> payloads(const std::string& topic) const {
    std::vector<std::string> all;
    for (const mqtt::Message& message : said) {
      if (message.topic == topic) all.push_back(message.payload);
    }
    return all;
  }

  [[nodiscard]] std::string last(const std::string& topic) const {
    const auto all = payloads(topic);
    return all.empty() ? std::string("(nothing)") : all.back();
  }

  // Seconds in which nothing comes.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(1s);
      bridge->tick();
    }
  }

  config::Settings settings;
  MeterPlan plan;
  fakes::ManualClock clock;
  Known known;
  Memory memory;  // what start() restores
  std::vector<mqtt::Message> said;
  std::vector<std::string> lines;
  std::unique_ptr<Bridge> bridge;
};

[[maybe_unused]] const std::string document_topic = "homeassistant/device/meterbridge_house/config";

}  // namespace
}  // namespace meterbridge::app
