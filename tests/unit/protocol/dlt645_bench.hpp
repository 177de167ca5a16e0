// SPDX-License-Identifier: MIT
// Tables, frames and a simulated meter of DL/T 645 with its driver, on a line without time.
#pragma once

#include "bytes_of.hpp"
#include "protocol/dlt645/dlt645.hpp"
#include "protocol/dlt645/driver.hpp"
#include "protocol/dlt645/frame.hpp"
#include "virtual_line.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

namespace meterbridge::protocol::dlt645::bench {

using namespace std::chrono_literals;
using test::hex;
using test::reading;
using test::VirtualLine;

struct Row {
  const char* code;
  const char* key;
  std::int64_t bytes;
  const char* scale = "1";
  std::int64_t part = 0;
  bool with_sign = false;
  const char* unit = "";
};

inline const std::vector<Row> old_rows{
    {"B630", "power", 3, "0.0001", 0, false, "kW"},
    {"B611", "voltage_l1", 2},
    {"901F", "energy_import", 4, "0.01", 1},
    {"901F", "energy_import_t1", 4, "0.01", 2},
    {"901F", "energy_import_t2", 4, "0.01", 3},
    {"C012", "clock", 7},
    {"C032", "serial", 6},
};
inline const std::vector<Row> new_rows{
    {"00010000", "energy_import", 4, "0.01"},
    {"02020100", "current_l1", 3, "0.001", 0, true},
    {"02030000", "power", 3, "0.0001", 0, true, "kW"},
};

inline SettingValues settings_for(const std::vector<Row>& rows, std::int64_t address = 844718) {
  SettingValues values = default_settings(dlt645_protocol.settings);
  values.set("address", address);
  values.set("version",
             std::string(rows.empty() || std::string_view(rows.front().code).size() == 4 ? "1997"
                                                                                         : "2007"));
  values.set("wake_up", std::int64_t{3});
  std::vector<SettingValues> all;
  for (const Row& row : rows) {
    SettingValues& one = all.emplace_back();
    one.set("code", std::string(row.code));
    one.set("key", std::string(row.key));
    one.set("bytes", row.bytes);
    one.set("scale", *Decimal::parse(row.scale));
    if (row.part != 0) one.set("part", row.part);
    if (row.with_sign) one.set("signed", true);
    if (*row.unit != 0) one.set("unit", std::string(row.unit));
  }
  values.add_rows(dlt645_protocol.tables.front(), all);
  return values;
}

inline MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 18h + 30min);
  face.energy_import = {Decimal(1000010), Decimal(2000020), Decimal(3000030), Decimal(4000040)};
  face.power = {Decimal(1200), Decimal(-3400), Decimal(50, -2)};
  face.current = {Decimal(5361, -3), Decimal(14782, -3), Decimal(2, -3)};
  return face;
}

inline std::vector<Decoded> decode(const Bytes& sent, const Bytes& heard,
                                   const SettingValues& settings) {
  std::vector<TranscriptLine> lines(2);
  lines[0].sent = true;
  lines[0].bytes = sent;
  lines[1].bytes = heard;
  return dlt645_protocol.decode_transcript(lines, settings);
}

inline std::string statuses(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& decoded : all)
    text += (text.empty() ? "" : " ") + std::string(name(decoded.status));
  return text;
}

inline Bytes answer(std::string_view code, std::string_view payload,
                    std::int64_t address = 844718) {
  Bytes data = hex(code);
  const std::size_t length = data.size();
  std::ranges::reverse(data);
  const Bytes value = hex(payload);
  data.insert(data.end(), value.begin(), value.end());
  return make_frame(address, length == 2 ? 0x81 : 0x91, data);
}

inline Bytes asked(std::string_view code) {
  const auto number = static_cast<std::uint32_t>(std::stoul(std::string(code), nullptr, 16));
  return read_request(code.size() == 4 ? Version::v1997 : Version::v2007, 844718, number, 3);
}

class Bench {
 public:
  using Arrivals = std::vector<VirtualLine::Arrival>;

  Bench(const SettingValues& meter, const SettingValues& driver)
      : responder_(*dlt645_protocol.responder(meter)),
        driver_(*dlt645_protocol.driver(driver)),
        line_([this](const Bytes& request) { return answers(request); }) {
    responder_->show(face());
  }

  Result<Telegram> poll() {
    const auto dialogue = driver_->begin();
    return line_.converse(*dialogue);
  }

  // The codes that were asked for since the last call.
  std::vector<std::string> codes() {
    std::vector<std::string> all;
    for (const Bytes& sent : line_.sent()) {
      const Cut cut = find_frame(sent);
      const auto frame = parse_frame(ByteView(sent).subspan(cut.drop, cut.frame));
      const auto about = frame ? request_in(*frame) : std::nullopt;
      all.push_back(about ? name_of(about->version, about->code) : "no read");
    }
    line_.forget_sent();
    return all;
  }

  Driver& driver() { return *driver_; }

  Responder& responder() { return *responder_; }

  VirtualLine& line() { return line_; }

  std::function<std::optional<Arrivals>(const Bytes& request)> twist;

 private:
  Arrivals answers(const Bytes& request) {
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

}  // namespace meterbridge::protocol::dlt645::bench
