// SPDX-License-Identifier: MIT
// Simulated IEC 62056-21 meters on a line without time.
#pragma once

#include "bytes_of.hpp"
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/code_table.hpp"
#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"
#include "virtual_line.hpp"

#include <algorithm>
#include <cstdlib>

namespace meterbridge::protocol::iec62056_21 {

using test::reading;
using test::VirtualLine;

using Row = std::vector<std::pair<std::string_view, std::string_view>>;

inline SettingValues row_of(const Row& columns) {
  SettingValues row;
  for (const auto& [name, text] : columns) {
    for (const SettingSpec& spec : code_tables().front().columns) {
      if (spec.name != name) continue;
      const auto value = parse_setting(spec, text);
      EXPECT_TRUE(value) << name;
      if (value) row.set(name, *value);
    }
  }
  return row;
}

inline SettingValues with_codes(SettingValues settings, const std::vector<Row>& rows) {
  std::vector<SettingValues> values;
  for (const Row& row : rows)
    values.push_back(row_of(row));
  settings.add_rows(code_tables().front(), values);
  return settings;
}

inline SettingValues saiman(std::string_view address = "") {
  auto settings = test::settings_of(iec62056_21_protocol,
                                    {{"speed", "fixed"}, {"bcc", "xor"}, {"password", "00000000"}});
  settings.set("address", std::string(address));
  return with_codes(
      std::move(settings),
      {{{"code", "C900"}, {"key", "voltage_l1"}, {"form", "counts"}, {"scale", "0.01"}},
       {{"code", "C910"}, {"key", "current_l1"}, {"form", "counts"}, {"scale", "0.01"}},
       {{"code", "C921"}, {"key", "power"}, {"form", "counts"}, {"scale", "10"}},
       {{"code", "D513"},
        {"key", "energy_import"},
        {"form", "counts"},
        {"scale", "0.01"},
        {"digits", "8"}}});
}

inline MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'000'000));
  face.current = {Decimal(125, -2), Decimal(250, -2), Decimal(50, -2)};
  face.power = {Decimal(290), Decimal(570), Decimal(110)};
  face.energy_import = {Decimal(1'234'560), Decimal(654'320), Decimal(1000), Decimal(2000)};
  return face;
}

// --- readouts as text ---

inline constexpr std::string_view lines =
    "F.F(00000000)\r\nC.1.0(13647123)\r\n0.9.1(105644)\r\n0.9.2(0220127)\r\n"
    "1.8.0(061561.289*kWh)\r\n1.8.1(042951.721*kWh)\r\n1.8.2(018609.568*kWh)\r\n"
    "1.8.0*01(060000.000*kWh)\r\n2.8.1(000000.302*kWh)\r\n2.8.2(000010.188*kWh)\r\n"
    "1.7.0(001.500*kW)\r\n2.7.0(000.250*kW)\r\n32.7(241*V)\r\n31.7.0(000,35*A)\r\n"
    "13.7.0(4.556)\r\n0.2.0(M26)\r\nC.7.0(0008)\r\n!\r\n";

inline Bytes readout(std::string_view identification, std::string_view text,
                     Check rule = Check::exclusive_or) {
  Bytes all = to_bytes("/" + std::string(identification) + "\r\n");
  const Bytes block = build_block({}, text, rule);
  all.insert(all.end(), block.begin(), block.end());
  return all;
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

inline std::string statuses(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& one : all)
    text += (text.empty() ? "" : " ") + std::string(name(one.status));
  return text;
}

class Meter {
 public:
  explicit Meter(const SettingValues& settings)
      : responder_(*iec62056_21_protocol.responder(settings)) {
    responder_->show(face());
  }

  std::vector<Bytes> hear(const Bytes& request) { return responder_->received(request); }

  void misbehave(const Mischief& mischief) { responder_->misbehave(mischief); }

 private:
  std::unique_ptr<Responder> responder_;
};

// Every answer after 20 ms, or changed by the test.
using Change = std::function<void(std::vector<VirtualLine::Arrival>&)>;

inline VirtualLine line_with(std::vector<Meter>& meters, Change change = {}) {
  return VirtualLine([&meters, change](const Bytes& request) {
    std::vector<VirtualLine::Arrival> arrivals;
    for (Meter& meter : meters) {
      for (Bytes& answer : meter.hear(request))
        arrivals.push_back({Milliseconds(20), std::move(answer)});
    }
    if (change) change(arrivals);
    return arrivals;
  });
}

inline std::unique_ptr<Driver> driver_of(const SettingValues& settings) {
  auto driver = iec62056_21_protocol.driver(settings);
  EXPECT_TRUE(driver);
  return std::move(*driver);
}

inline std::size_t count_of(const std::vector<Bytes>& sent, std::string_view words) {
  return static_cast<std::size_t>(std::ranges::count_if(
      sent, [&](const Bytes& bytes) { return to_text(bytes).find(words) != std::string::npos; }));
}

class Iec62056Poll : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }

  Result<Telegram> poll(Driver& driver, VirtualLine& line) {
    return line.converse(*driver.begin());
  }
};

}  // namespace meterbridge::protocol::iec62056_21
