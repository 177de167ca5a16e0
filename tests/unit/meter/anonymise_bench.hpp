// SPDX-License-Identifier: MIT
// Captures of shipped meters, made with their responders, and the forms in which somebody could
// look for a number in them.
#pragma once

#include "core/bytes.hpp"
#include "meter/profile_library.hpp"
#include "protocol/anatomy.hpp"
#include "protocol/capture.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace meterbridge::meter {

using protocol::Decoded;
using protocol::TranscriptLine;

inline constexpr std::string_view real_key = "8f1c5a7733e09bd2461120fe5ca4d09b";
inline constexpr std::string_view real_auth_key = "b7305e9c02d8416fa95be7c0133d8a64";
inline constexpr int most_steps = 10'000;

inline protocol::MeterFace face_at(int poll) {
  protocol::MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'790'000'000 + 60 * poll));
  face.current = {Decimal(1250, -3), Decimal(2500, -3), Decimal(500, -3)};
  face.power = {Decimal(288), Decimal(575), Decimal(115)};
  face.energy_import = {Decimal(1'234'560 + 40 * poll), Decimal(654'320), Decimal(1000),
                        Decimal(2000)};
  face.gas = Decimal(4321567, -3);
  return face;
}

inline TranscriptLine line_of(bool sent, Bytes bytes) {
  TranscriptLine line;
  line.sent = sent;
  line.bytes = std::move(bytes);
  return line;
}

inline SettingValues settings_of(const Profile& profile, bool encrypted) {
  SettingValues settings = default_values(profile);
  const bool bare = !profile.protocol->tables.empty() && !profile.tests.empty() &&
                    std::ranges::all_of(profile.protocol->tables, [&](const auto& table) {
                      return profile.rows.rows(table.name).empty();
                    });
  if (bare) settings = profile.tests.front().settings;
  for (const SettingSpec& spec : profile.protocol->settings) {
    if (spec.name == "address" && spec.type == SettingType::integer && !settings.has("address"))
      settings.set("address", std::min<std::int64_t>(spec.maximum, 20817));
    if (spec.name == "key" && encrypted) settings.set("key", Secret(std::string(real_key)));
    if (spec.name == "auth_key" && encrypted)
      settings.set("auth_key", Secret(std::string(real_auth_key)));
  }
  return settings;
}

inline void poll(protocol::Driver& driver, protocol::Responder& responder,
                 std::vector<TranscriptLine>& lines) {
  std::vector<Bytes> answers;
  const auto dialogue = driver.begin();
  for (int step = 0; step < most_steps; ++step) {
    auto next = dialogue->next();
    if (!next || std::holds_alternative<protocol::step::Finished>(*next)) return;
    if (const auto* send = std::get_if<protocol::step::Send>(&*next)) {
      lines.push_back(line_of(true, send->bytes));
      for (Bytes& answer : responder.received(send->bytes))
        answers.push_back(std::move(answer));
    }
    if (!std::holds_alternative<protocol::step::Listen>(*next)) continue;
    if (answers.empty()) {
      dialogue->silence();
      continue;
    }
    lines.push_back(line_of(false, answers.front()));
    dialogue->received(answers.front());
    answers.erase(answers.begin());
  }
}

inline std::vector<TranscriptLine> capture_of(const Profile& profile, const SettingValues& settings,
                                              std::vector<std::string>* topics = nullptr) {
  std::vector<TranscriptLine> lines;
  auto driver = profile.protocol->driver(settings);
  auto responder = profile.protocol->responder(settings);
  if (!driver || !responder) return lines;
  for (int i = 0; i < 2; ++i) {
    (*responder)->show(face_at(i));
    if (!profile.protocol->pushes) {
      poll(**driver, **responder, lines);
      continue;
    }
    for (const protocol::Post& post : (*responder)->posts()) {
      lines.push_back(line_of(false, post.payload));
      if (topics != nullptr) topics->push_back(post.topic);
    }
  }
  return lines;
}

// `topics`: of messages that come on some of their own, one a line.
inline std::vector<Decoded> decoded(const protocol::Protocol& protocol,
                                    std::span<const TranscriptLine> lines,
                                    const SettingValues& values,
                                    const std::vector<std::string>& topics = {}) {
  if (protocol.decode_transcript != nullptr) return protocol.decode_transcript(lines, values);
  if (std::ranges::all_of(topics, &std::string::empty))
    return protocol.decode(protocol::heard_bytes(lines), values);
  std::vector<Decoded> all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    SettingValues own = values;
    own.set("topic", "house/" + topics[i]);
    for (Decoded& one : protocol.decode(lines[i].bytes, own))
      all.push_back(std::move(one));
  }
  return all;
}

// Everything that is a number, and what became of each telegram.
inline std::vector<std::string> values_in(const std::vector<Decoded>& all) {
  std::vector<std::string> values;
  for (const Decoded& one : all) {
    values.emplace_back(name(one.status));
    for (const MeterReadings& meter : one.telegram.readings)
      for (const Reading& reading : meter.readings)
        if (const auto* number = std::get_if<Decimal>(&reading.value))
          values.push_back(reading.key.text() + " " + number->str());
  }
  return values;
}

inline void add_numbers(const std::string& text, std::set<std::string>& numbers) {
  // Octets as hex: the maker's letters stay, the number is at the end.
  const auto octets = from_hex(text);
  if (octets && octets->size() >= 6 && text.find_first_of("ABCDEF") != text.npos) return;
  std::string run;
  for (const char c : text + " ") {
    if (c >= '0' && c <= '9') {
      run += c;
      continue;
    }
    if (run.size() >= 6 && run.find_first_not_of(run.front()) != run.npos) numbers.insert(run);
    run.clear();
  }
}

inline std::set<std::string> numbers_of(const std::vector<Decoded>& all) {
  std::set<std::string> numbers;
  for (const Decoded& one : all) {
    add_numbers(one.telegram.meter.serial, numbers);
    for (const MeterReadings& meter : one.telegram.readings) {
      add_numbers(meter.submeter, numbers);
      add_numbers(meter.identity.serial, numbers);
    }
  }
  return numbers;
}

// The forms in which somebody could look for the number.
inline std::map<std::string, Bytes> forms_of(const std::string& digits) {
  std::map<std::string, Bytes> forms;
  forms["text"] = to_bytes(digits);
  forms["hex of the text"] = to_bytes(to_hex(to_bytes(digits)));
  forms["hex of the text, upper"] = to_bytes(to_hex_upper(to_bytes(digits)));
  const auto bcd = from_hex((digits.size() % 2 != 0 ? "0" : "") + digits);
  if (bcd) forms["bcd"] = *bcd;
  const auto number = Decimal::parse(digits);
  if (number && digits.size() <= 18) {
    Bytes binary;
    for (std::uint64_t value = std::stoull(digits); value != 0; value >>= 8U)
      binary.insert(binary.begin(), static_cast<std::byte>(value & 0xFFU));
    forms["binary"] = binary;
  }
  std::map<std::string, Bytes> all = forms;
  for (auto [name, form] : forms) {
    std::ranges::reverse(form);
    all[name + ", backwards"] = form;
  }
  return all;
}

inline bool holds(ByteView bytes, ByteView part) {
  return part.size() >= 3 &&
         std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
}

inline Bytes all_bytes(std::span<const TranscriptLine> lines) {
  Bytes all;
  for (const TranscriptLine& line : lines)
    all.insert(all.end(), line.bytes.begin(), line.bytes.end());
  return all;
}

}  // namespace meterbridge::meter
