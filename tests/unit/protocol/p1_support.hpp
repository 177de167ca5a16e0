// SPDX-License-Identifier: MIT
// What the P1 tests share: telegrams made on the spot, and decoding with settings by name.
#pragma once

#include "core/text.hpp"
#include "dice.hpp"
#include "protocol/crc16.hpp"
#include "protocol/p1/p1.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace p1_test {

using namespace meterbridge;
using namespace meterbridge::protocol;
using test::Dice;

using Named = std::pair<std::string_view, std::string_view>;

inline SettingValues settings(std::initializer_list<Named> named = {}) {
  SettingValues values = default_settings(p1::p1_protocol.settings);
  for (const auto& [name, text] : named) {
    for (const SettingSpec& spec : p1::p1_protocol.settings) {
      if (spec.name != name) continue;
      auto stored = parse_setting(spec, text);
      if (stored) values.set(name, *std::move(stored));
    }
  }
  return values;
}

inline std::vector<Decoded> decode(std::string_view stream,
                                   std::initializer_list<Named> named = {}) {
  return p1::p1_protocol.decode(to_bytes(stream), settings(named));
}

inline std::string crc_line(std::string_view body,
                            protocol::Crc16::Kind kind = protocol::Crc16::Kind::arc) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const std::uint16_t crc = protocol::crc16(body, kind);
  std::string line;
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    line += digits[(crc >> shift) & 0x0FU];
  }
  return line + "\r\n";
}

// Lines are given without CR LF; the empty line behind the header is added.
inline std::string body(std::string_view header, std::initializer_list<std::string_view> lines) {
  std::string text = "/" + std::string(header) + "\r\n\r\n";
  for (const std::string_view line : lines) {
    text += line;
    text += "\r\n";
  }
  return text + "!";
}

inline std::string telegram(std::string_view header,
                            std::initializer_list<std::string_view> lines) {
  const std::string text = body(header, lines);
  return text + crc_line(text);
}

inline std::string telegram_without_crc(std::string_view header,
                                        std::initializer_list<std::string_view> lines) {
  return body(header, lines) + "\r\n";
}

inline std::vector<Status> statuses(const std::vector<Decoded>& found) {
  std::vector<Status> all;
  for (const Decoded& decoded : found) {
    all.push_back(decoded.status);
  }
  return all;
}

inline std::vector<std::string> as_json(const std::vector<Decoded>& found) {
  std::vector<std::string> all;
  for (const Decoded& decoded : found) {
    all.push_back(decoded_json(decoded));
  }
  return all;
}

// The value of a reading as text, "" when it is absent. submeter "" is the meter itself.
inline std::string reading(const Telegram& telegram, std::string_view key,
                           std::string_view submeter = {}) {
  const auto wanted = ReadingKey::parse(key);
  if (!wanted) return "no such key";
  for (const MeterReadings& meter : telegram.readings) {
    if (meter.submeter != submeter) continue;
    const Reading* found = meter.find(*wanted);
    if (found == nullptr) return {};
    if (const auto* number = std::get_if<Decimal>(&found->value)) return number->str();
    if (const auto* text = std::get_if<std::string>(&found->value)) return *text;
    if (const auto* flag = std::get_if<bool>(&found->value)) return *flag ? "true" : "false";
    return iso_utc(std::get<Seconds>(found->value));
  }
  return {};
}

inline MeterFace face() {
  MeterFace shown;
  shown.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 7 / 24)) +
              std::chrono::hours(13) + std::chrono::minutes(7) + std::chrono::seconds(30);
  shown.current = {Decimal(12, -1), Decimal(4, -1), Decimal(31, -1)};
  shown.power = {Decimal(276), Decimal(-920), Decimal(713)};
  shown.energy_import = {Decimal(1234567), Decimal(7654321), Decimal(0), Decimal(0)};
  shown.energy_export = {Decimal(40017), Decimal(3), Decimal(0), Decimal(0)};
  shown.gas = Decimal(246138, -3);
  shown.water = Decimal(872234, -3);
  shown.tariff = 2;
  return shown;
}

}  // namespace p1_test
