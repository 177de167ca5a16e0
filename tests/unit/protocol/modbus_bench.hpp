// SPDX-License-Identifier: MIT
// A Modbus meter of a small table, and the driver that is configured for it, on a line without
// time.
#pragma once

#include "bytes_of.hpp"
#include "protocol/modbus/driver.hpp"
#include "protocol/modbus/frame.hpp"
#include "protocol/modbus/modbus.hpp"
#include "virtual_line.hpp"

#include <sstream>

namespace meterbridge::protocol::modbus::test {

using namespace std::chrono_literals;
using protocol::test::settings_of;
using protocol::test::VirtualLine;

using Set = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using Rows = std::initializer_list<std::string_view>;

// "voltage_l1 address=0x0C type=f32"
inline SettingValues row_of(std::string_view text) {
  std::istringstream words{std::string(text)};
  SettingValues row = default_settings(register_table_spec().columns);
  std::string word;
  words >> word;
  row.set("key", word);
  while (words >> word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    bool known = false;
    for (const SettingSpec& column : register_table_spec().columns) {
      if (column.name != name) continue;
      known = true;
      const auto value = parse_setting(column, word.substr(equals + 1));
      EXPECT_TRUE(value) << word;
      if (value) row.set(name, *value);
    }
    EXPECT_TRUE(known) << word;
  }
  return row;
}

inline SettingValues settings_with(Rows rows, Set set = {}) {
  SettingValues values = settings_of(modbus_protocol, set);
  std::vector<SettingValues> table;
  for (const std::string_view row : rows)
    table.push_back(row_of(row));
  values.add_rows(register_table_spec(), table);
  return values;
}

inline Options options_with(Rows rows, Set set = {}) {
  const auto options = Options::from(settings_with(rows, set));
  EXPECT_TRUE(options) << options.error().detail();
  return options ? *options : Options();
}

inline MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 18h + 30min);
  face.energy_import = {Decimal(1000010), Decimal(2000020), Decimal(3000030),
                        Decimal(40000049, -1)};
  face.power = {Decimal(1234), Decimal(-500), Decimal(12)};
  face.current = {Decimal(5361, -3), Decimal(2200, -3), Decimal(60, -3)};
  return face;
}

class Bench {
 public:
  Bench(const SettingValues& meter, const SettingValues& driver)
      : responder_(*modbus_protocol.responder(meter)),
        driver_(*modbus_protocol.driver(driver)),
        framing(driver.text("framing") == "tcp" ? Framing::tcp : Framing::rtu),
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

  // What was asked since the last call: "4:0000+2".
  std::vector<std::string> asked() {
    std::vector<std::string> all;
    for (; seen_ < line_.sent().size(); ++seen_)
      all.push_back(text_of(line_.sent()[seen_]));
    return all;
  }

  [[nodiscard]] std::string text_of(const Bytes& wire) const {
    const auto frame = unwrap(framing, wire);
    const auto request = frame ? parse_request(frame->pdu) : frame.error();
    if (!request) return "broken";
    const auto* read = std::get_if<ReadRequest>(&*request);
    if (read == nullptr) return "identity";
    return std::to_string(static_cast<int>(read->function)) + ":" + std::to_string(read->address) +
           "+" + std::to_string(read->count);
  }

  Driver& driver() { return *driver_; }

  Responder& responder() { return *responder_; }

  VirtualLine& line() { return line_; }

  // Replaces or drops answers; the arguments are the request as text and as frame.
  using Twist = std::function<std::optional<std::vector<VirtualLine::Arrival>>(
      const std::string& asked, const Frame& request)>;
  Twist twist;

  [[nodiscard]] std::vector<VirtualLine::Arrival> refusal(const Frame& request,
                                                          std::uint8_t code) const {
    Frame reply = request;
    reply.pdu = encode_refusal(u8(request.pdu.front()), code);
    return {{50ms, wrap(framing, reply)}};
  }

  // What the simulated meter answers.
  std::vector<VirtualLine::Arrival> honest(const Bytes& request) {
    std::vector<VirtualLine::Arrival> arrivals;
    for (Bytes& bytes : responder_->received(request))
      arrivals.push_back({50ms, std::move(bytes)});
    return arrivals;
  }

 private:
  std::vector<VirtualLine::Arrival> answer(const Bytes& request) {
    const auto frame = unwrap(framing, request);
    EXPECT_TRUE(frame);
    if (frame && twist) {
      if (auto twisted = twist(text_of(request), *frame)) return std::move(*twisted);
    }
    return honest(request);
  }

  std::unique_ptr<Responder> responder_;
  std::unique_ptr<Driver> driver_;

 public:
  Framing framing;

 private:
  VirtualLine line_;
  std::size_t seen_ = 0;
};

}  // namespace meterbridge::protocol::modbus::test
