// SPDX-License-Identifier: MIT
// A simulated meter of either Mercury protocol and the driver that is configured for it, on a line
// without time.
#pragma once

#include "bytes_of.hpp"
#include "protocol/mercury/check.hpp"
#include "protocol/mercury/mercury.hpp"
#include "protocol/mercury200/mercury200.hpp"
#include "virtual_line.hpp"

namespace meterbridge::protocol::mercury::test {

using namespace std::chrono_literals;
using protocol::test::hex;
using protocol::test::reading;
using protocol::test::settings_of;
using protocol::test::VirtualLine;

using Set = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using Arrivals = std::vector<VirtualLine::Arrival>;

// Whole Wh: these meters show no less.
inline MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 18h + 30min);
  face.energy_import = {Decimal(1000010), Decimal(2000020), Decimal(3000030), Decimal(4000040)};
  face.energy_export = {Decimal(70), Decimal(7), Decimal(0), Decimal(0)};
  face.tariff = 2;
  face.power = {Decimal(1200), Decimal(-3400), Decimal(50, -2)};
  face.current = {Decimal(5361, -3), Decimal(14782, -3), Decimal(2, -3)};
  return face;
}

// Body and CRC as they go over the wire, written as "48 08 16 11".
inline Bytes wire(std::string_view body) {
  return with_crc(hex(body));
}

class Bench {
 public:
  Bench(const Protocol& protocol, Set meter, Set driver)
      : responder_(*protocol.responder(settings_of(protocol, meter))),
        driver_(*protocol.driver(settings_of(protocol, driver))),
        line_([this](const Bytes& request) { return answer(request); }) {
    responder_->show(face());
  }

  Result<Telegram> poll() {
    const auto dialogue = driver_->begin();
    return line_.converse(*dialogue);
  }

  Result<Telegram> knock() {
    const auto dialogue = driver_->knock();
    return line_.converse(*dialogue);
  }

  // What was asked since the last call, without address and CRC: "081611".
  std::vector<std::string> asked(std::size_t address_length = 1) {
    std::vector<std::string> all;
    for (const Bytes& sent : line_.sent()) {
      const ByteView view(sent);
      all.push_back(
          to_hex(view.subspan(address_length, view.size() - address_length - crc_length)));
    }
    line_.forget_sent();
    return all;
  }

  Driver& driver() { return *driver_; }

  Responder& responder() { return *responder_; }

  VirtualLine& line() { return line_; }

  // Replaces the answer to a request; nothing = the meter answers as it likes.
  std::function<std::optional<Arrivals>(const Bytes& request)> twist;

 private:
  Arrivals answer(const Bytes& request) {
    if (twist) {
      if (auto twisted = twist(request)) return std::move(*twisted);
    }
    Arrivals arrivals;
    for (Bytes& bytes : responder_->received(request))
      arrivals.push_back({100ms, std::move(bytes)});
    return arrivals;
  }

  std::unique_ptr<Responder> responder_;
  std::unique_ptr<Driver> driver_;
  VirtualLine line_;
};

// `> SENT` and `< HEARD` as decode sees them.
inline std::vector<Decoded> decode(const Protocol& protocol, const Bytes& sent, const Bytes& heard,
                                   const SettingValues& settings) {
  std::vector<TranscriptLine> lines(2);
  lines[0].sent = true;
  lines[0].bytes = sent;
  lines[1].bytes = heard;
  return protocol.decode_transcript(lines, settings);
}

inline std::vector<Decoded> decode(const Protocol& protocol, const Bytes& sent,
                                   const Bytes& heard) {
  return decode(protocol, sent, heard, default_settings(protocol.settings));
}

inline std::string statuses(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& decoded : all) {
    text += text.empty() ? "" : " ";
    text += name(decoded.status);
  }
  return text;
}

inline std::string item(const Telegram& telegram, std::string_view address) {
  const Item* found = telegram.find(address);
  if (found == nullptr) return "absent";
  if (found->value) return found->value->str() + (found->unit.empty() ? "" : " " + found->unit);
  if (found->text) return *found->text;
  std::string text;
  for (const std::string& group : found->groups)
    text += "(" + group + ")";
  return text;
}

}  // namespace meterbridge::protocol::mercury::test
