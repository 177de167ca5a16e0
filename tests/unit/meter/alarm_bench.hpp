// SPDX-License-Identifier: MIT
// A meter with one alarm, by a clock that is handed in.
#pragma once

#include "meter/alarms.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

using namespace std::chrono_literals;
using config::AlarmKind;

// It is asked every ten seconds.
struct AlarmBench : ::testing::Test {
  static Decimal decimal(std::string_view text) { return *Decimal::parse(text); }

  static ReadingKey key(std::string_view text) { return *ReadingKey::parse(text); }

  static Reading reading(std::string_view name, std::string_view value) {
    return {key(name), Value(decimal(value)), canonical_unit(key(name).quantity)};
  }

  AlarmBench() {
    settings.id = "house";
    settings.interval = 10s;
    settings.alarms.emplace_back();
    alarm().name = "a";
    situation.fault = Fault::ok;
    situation.stale_after = 30s;
  }

  config::AlarmSettings& alarm() { return settings.alarms.front(); }

  void limit(std::string_view name) { alarm().key = key(name); }

  void anomaly(AlarmKind kind, std::int64_t tolerance = 0, Milliseconds span = 0ms) {
    alarm().kind = kind;
    alarm().tolerance = Decimal(tolerance);
    alarm().span = span;
  }

  // What is told with these readings, as "+text" and "-text"; nothing = silence.
  std::string read(const std::vector<Reading>& readings) {
    if (!alarms) alarms.emplace(settings);
    alarms->take("", readings, now);
    return judge();
  }

  std::string read(std::string_view name, std::string_view value) {
    return read({reading(name, value)});
  }

  std::string judge() {
    if (!alarms) alarms.emplace(settings);
    std::string told;
    for (const auto& event : alarms->judge(situation, now)) {
      told += (event.raised ? "+" : "-") + event.text;
      turns.push_back(event.raised);
    }
    return told;
  }

  void pass(Milliseconds time) {
    now.wall += time;
    now.steady += time;
  }

  // on, off, or ? where nothing can be told.
  [[nodiscard]] std::string state() const {
    const auto active = alarms->states().front().active;
    return active ? (*active ? "on" : "off") : "?";
  }

  void restart() {
    const auto memory = alarms->memory();
    alarms.emplace(settings);
    alarms->restore(memory);
    now.steady = Moment().steady + 1h;
  }

  config::MeterSettings settings;
  Alarms::Situation situation;
  Moment now{Instant(std::chrono::seconds(1795000000)), std::chrono::steady_clock::time_point(1h)};
  std::optional<Alarms> alarms;
  std::vector<bool> turns;  // every event: raised or not
  std::int64_t counter = 0;
};

}  // namespace
}  // namespace meterbridge::meter
