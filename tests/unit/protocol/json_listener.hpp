// SPDX-License-Identifier: MIT
// A dialogue of the json protocol that messages are told to, and what it says of them as lines.
#pragma once

#include "protocol/json/driver.hpp"
#include "protocol/json/json.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace meterbridge::protocol::json::listener {

using Words = std::vector<std::pair<std::string_view, std::string_view>>;

inline SettingValues set(const Words& words, const std::vector<Words>& fields = {}) {
  SettingValues values = default_settings(json_protocol.settings);
  const auto put = [](std::span<const SettingSpec> specs, SettingValues& into, const Words& given) {
    for (const auto& [name, text] : given) {
      const auto spec = std::ranges::find(specs, name, &SettingSpec::name);
      ASSERT_NE(spec, specs.end()) << name;
      auto value = parse_setting(*spec, text);
      ASSERT_TRUE(value) << value.error().detail();
      into.set(name, *value);
    }
  };
  put(json_protocol.settings, values, words);
  std::vector<SettingValues> rows;
  for (const Words& field : fields)
    put(field_table().columns, rows.emplace_back(), field);
  values.add_rows(field_table(), rows);
  EXPECT_TRUE(field_table().check(values).empty());
  return values;
}

// "water_12345678 water=6.408 m³", one line a reading.
inline std::vector<std::string> lines_of(const Telegram& telegram) {
  std::vector<std::string> lines;
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& reading : meter.readings) {
      std::string line = meter.submeter + " " + reading.key.text() + "=";
      if (const auto* number = std::get_if<Decimal>(&reading.value)) line += number->str();
      if (const auto* text = std::get_if<std::string>(&reading.value)) line += *text;
      const std::string_view unit = symbol(reading.unit);
      if (!unit.empty()) line += " " + std::string(unit);
      lines.push_back(line);
    }
  }
  return lines;
}

inline std::vector<std::string> decoded_lines(std::string_view text, const SettingValues& values) {
  std::vector<std::string> lines;
  for (const Decoded& decoded : json_protocol.decode(to_bytes(text), values)) {
    if (!decoded.ok()) lines.push_back("! " + decoded.error);
    for (std::string& line : lines_of(decoded.telegram))
      lines.push_back(std::move(line));
  }
  return lines;
}

using Lines = std::vector<std::string>;

inline const Words everybody = {{"sender", "wmbusmeters"}, {"ids", "all"}};

// A dialogue, and what it says of each message.
class Listener {
 public:
  explicit Listener(const SettingValues& values) {
    auto made = json_protocol.driver(values);
    EXPECT_TRUE(made) << made.error().detail();
    driver = *std::move(made);
    dialogue = driver->begin();
  }

  Lines hear(std::string_view topic, std::string_view payload, bool retained = false,
             std::size_t cut = 0) {
    Envelope envelope;
    envelope.topic = topic;
    envelope.retained = retained;
    for (std::size_t at = 0; at < payload.size();) {
      const std::size_t size = cut == 0 ? payload.size() : std::min(cut, payload.size() - at);
      envelope.last = at + size == payload.size();
      dialogue->enclosed(envelope);
      dialogue->received(to_bytes(payload.substr(at, size)));
      at += size;
    }
    Lines lines;
    for (;;) {
      auto step = dialogue->next();
      if (!step) {
        lines.push_back("! " + step.error().detail());
      } else if (auto* finished = std::get_if<step::Finished>(&*step)) {
        time = finished->telegram.time;
        for (std::string& line : lines_of(finished->telegram))
          lines.push_back(std::move(line));
      } else {
        return lines;
      }
    }
  }

  std::string memory() { return dynamic_cast<Remembering&>(*driver).memory(); }

  void remember(const std::string& memory) { dynamic_cast<Remembering&>(*driver).remember(memory); }

  std::unique_ptr<Driver> driver;
  std::unique_ptr<Dialogue> dialogue;
  std::optional<Seconds> time;
};

// As wmbusmeters would tell of it.
inline std::string water(std::string_view id) {
  return R"({"media":"water","meter":"m","id":")" + std::string(id) + R"(","total_m3":1.5})";
}

}  // namespace meterbridge::protocol::json::listener
