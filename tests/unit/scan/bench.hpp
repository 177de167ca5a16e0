// SPDX-License-Identifier: MIT
// Simulated meters for a scan, without ports and clocks.
#pragma once

#include "config/settings.hpp"
#include "meter/configuration.hpp"
#include "protocol/modbus/frame.hpp"
#include "scan/report.hpp"
#include "scan/scan.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace bench {

using namespace meterbridge;
namespace step = protocol::step;

inline const meter::ProfileLibrary& library() {
  static const meter::ProfileLibrary shipped = [] {
    auto all = meter::ProfileLibrary::embedded();
    return all ? *std::move(all) : meter::ProfileLibrary();
  }();
  return shipped;
}

inline scan::Catalogue& catalogue() {
  static scan::Catalogue all(library());
  return all;
}

inline protocol::MeterFace some_face(int beat) {
  protocol::MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'002'760 + std::int64_t{10} * beat));
  face.current = {Decimal(1310, -3), Decimal(2250, -3), Decimal(640, -3)};
  face.power = {Decimal(301), Decimal(517), Decimal(147)};
  face.energy_import = {Decimal(2'234'560), Decimal(754'320), Decimal(1000), Decimal(2000)};
  face.energy_export = {Decimal(34'560), Decimal(54'320)};
  return face;
}

// A meter on a line. It hears only who has its speed.
struct Bench {
  Bench() = default;
  std::vector<std::unique_ptr<protocol::Responder>> meters;
  LineSettings line;
  bool network = false;
  bool echo = false;
  Bytes noise;                    // for who listens, once
  Bytes foreign;                  // another master's request
  std::size_t foreign_after = 1;  // of our requests
  std::vector<Bytes> sent;
  std::size_t steps = 0;

  // A second stop bit is for who listens nothing but a pause.
  [[nodiscard]] bool same_speed(const LineSettings& other) const {
    return network || (other.baud == line.baud && other.data_bits == line.data_bits &&
                       other.parity == line.parity);
  }

  void run(scan::Scan& scan) {
    LineSettings tuned = line;
    std::vector<Bytes> waiting;
    int beat = 0;
    for (steps = 0; steps < 200'000; ++steps) {
      const auto next = scan.next();
      ASSERT_TRUE(next) << next.error().detail();
      if (std::holds_alternative<step::Finished>(*next)) return;
      if (const auto* tune = std::get_if<step::Retune>(&*next)) tuned = tune->line;
      if (const auto* send = std::get_if<step::Send>(&*next)) {
        sent.push_back(send->bytes);
        if (echo) waiting.push_back(send->bytes);
        if (!foreign.empty() && sent.size() == foreign_after)
          waiting.push_back(std::exchange(foreign, {}));
        if (same_speed(tuned)) {
          for (auto& meter : meters) {
            meter->show(some_face(beat));
            for (Bytes& answer : meter->received(send->bytes))
              waiting.push_back(std::move(answer));
          }
        }
      }
      if (!std::holds_alternative<step::Listen>(*next)) continue;
      if (!noise.empty()) waiting.push_back(std::exchange(noise, {}));
      if (waiting.empty()) {
        for (auto& meter : meters) {
          meter->show(some_face(beat));
          Bytes telegram = meter->push();
          if (telegram.empty()) continue;
          // At another speed it is heard as noise.
          if (!same_speed(tuned)) telegram.assign(40, std::byte{0xC0});
          waiting.push_back(std::move(telegram));
        }
        ++beat;
      }
      if (waiting.empty()) {
        scan.silence();
      } else {
        const Bytes block = std::move(waiting.front());
        waiting.erase(waiting.begin());
        scan.received(block);
      }
    }
    FAIL() << "the scan does not end";
  }
};

inline constexpr std::uint32_t own_address = 7;

inline Bench bench_for(const meter::Profile& profile, bool network) {
  Bench bench;
  SettingValues settings = meter::default_values(profile);
  if (network) config::settle_framing(settings, true);
  for (const SettingSpec& spec : profile.protocol->settings) {
    if (spec.name == "address" && spec.type == SettingType::integer)
      settings.set("address", std::int64_t{own_address});
  }
  auto responder = profile.protocol->responder(settings);
  if (responder) bench.meters.push_back(*std::move(responder));
  bench.line = profile.line;
  bench.network = network;
  return bench;
}

inline scan::Wishes wishes_for(const meter::Profile& profile, bool network) {
  scan::Wishes wishes;
  wishes.network = network;
  // These know no question to everybody, and the number of the meter is on its label.
  if (profile.protocol->name == "mercury200" || profile.protocol->name == "ce102")
    wishes.addresses = {own_address};
  return wishes;
}

// Without a table of their own there is nothing to recognise; those from MQTT have no line.
inline bool can_be_found(const meter::Profile& profile) {
  if (profile.protocol->name == "json") return false;
  return profile.protocol->name != "modbus" || !profile.rows.rows("registers").empty();
}

inline std::vector<std::string> alike(const scan::Finding& finding) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < finding.alike(); ++i)
    names.push_back(finding.matches[i].profile);
  return names;
}

inline std::string text_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += " " + name;
  return text;
}

}  // namespace bench
