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
