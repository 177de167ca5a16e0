// SPDX-License-Identifier: MIT
// Short words for tests.
#pragma once

#include "core/setting.hpp"
#include "protocol/registry.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace meterbridge::protocol::test {

inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? *bytes : Bytes{};
}

// The defaults of a protocol, and some settings as a user would write them.
inline SettingValues settings_of(
    const Protocol& protocol,
    std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  SettingValues values = default_settings(protocol.settings);
  for (const auto& [name, text] : set) {
    bool known = false;
    for (const SettingSpec& spec : protocol.settings) {
      if (spec.name != name) continue;
      known = true;
      auto value = parse_setting(spec, text);
      EXPECT_TRUE(value) << name;
      if (value) values.set(name, *value);
    }
    EXPECT_TRUE(known) << name;
  }
  return values;
}

// The reading of a key as it would be printed; empty when it is absent.
inline std::string reading(const Telegram& telegram, std::string_view key) {
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& r : meter.readings) {
      if (r.key.text() != key) continue;
      if (const auto* number = std::get_if<Decimal>(&r.value)) return number->str();
      if (const auto* text = std::get_if<std::string>(&r.value)) return *text;
      if (const auto* time = std::get_if<Seconds>(&r.value)) return iso_utc(*time);
      return std::get<bool>(r.value) ? "true" : "false";
    }
  }
  return {};
}

inline std::size_t reading_count(const Telegram& telegram) {
  std::size_t count = 0;
  for (const MeterReadings& meter : telegram.readings)
    count += meter.readings.size();
  return count;
}

}  // namespace meterbridge::protocol::test
