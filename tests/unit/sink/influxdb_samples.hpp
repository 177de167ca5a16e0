// SPDX-License-Identifier: MIT
#pragma once

#include "core/reading.hpp"
#include "sink/influxdb/options.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::sink::influxdb {

inline constexpr Instant noon{Milliseconds(1'800'000'000'123)};

inline Reading reading(std::string_view key, Value value, Unit unit = Unit::none) {
  const auto parsed = ReadingKey::parse(key);
  EXPECT_TRUE(parsed) << key;
  return {*parsed, std::move(value), unit};
}

inline Reading number(std::string_view key, std::string_view digits) {
  Reading made = reading(key, *Decimal::parse(digits));
  made.unit = canonical_unit(made.key.quantity);
  return made;
}

inline Sample sample(std::vector<Reading> readings, Instant at = noon) {
  Sample made;
  made.meter = "house";
  made.at = at;
  made.readings = std::move(readings);
  return made;
}

using Given = std::vector<std::pair<std::string_view, std::string_view>>;

inline SettingValues settings(const Given& given) {
  SettingValues values = default_settings(specs());
  for (const auto& [name, text] : given) {
    const auto spec = std::ranges::find(specs(), name, &SettingSpec::name);
    EXPECT_NE(spec, specs().end()) << name;
    auto parsed = parse_setting(*spec, text);
    EXPECT_TRUE(parsed) << name;
    values.set(name, std::move(*parsed));
  }
  return values;
}

}  // namespace meterbridge::sink::influxdb
