// SPDX-License-Identifier: MIT
// A CE102 meter and the driver that is configured for it, on a line without time.
#pragma once

#include "bytes_of.hpp"
#include "protocol/ce102/ce102.hpp"
#include "protocol/ce102/driver.hpp"
#include "protocol/ce102/frame.hpp"
#include "virtual_line.hpp"

namespace meterbridge::protocol::ce102::test {

using namespace std::chrono_literals;
using protocol::test::settings_of;
using protocol::test::VirtualLine;

using Set = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 18h + 30min);
  face.energy_import = {Decimal(1000010), Decimal(2000020), Decimal(3000030),
                        Decimal(40000049, -1)};
  face.tariff = 2;
  face.power[0] = Decimal(1234);
  face.current[0] = Decimal(5361, -3);
  return face;
}

class Bench {
 public:
  explicit Bench(Set meter, Set driver)
      : responder_(*ce102_protocol.responder(settings_of(ce102_protocol, meter))),
        driver_(*ce102_protocol.driver(settings_of(ce102_protocol, driver))),
        line_([this](const Bytes& request) { return answer(request); }) {
    responder_->show(face());
  }

  Result<Telegram> poll() {
    const auto dialogue = driver_->begin();
    return line_.converse(*dialogue);
  }

  // What was asked since the last call: "0130 0001".
  std::vector<std::string> asked() {
    std::vector<std::string> all;
    for (; seen_ < line_.sent().size(); ++seen_) {
      const auto request = parse_request(line_.sent()[seen_]);
      all.push_back(request ? address_of(request->command) + " " + to_hex(request->data)
                            : "broken");
    }
    return all;
  }

  Driver& driver() { return *driver_; }

  Responder& responder() { return *responder_; }

  VirtualLine& line() { return line_; }

  // Replaces or drops the answers to one command; the argument is the request.
  std::function<std::optional<std::vector<VirtualLine::Arrival>>(const Frame& request)> twist;

 private:
  std::vector<VirtualLine::Arrival> answer(const Bytes& request) {
    const auto frame = parse_request(request);
    if (frame && twist) {
      if (auto twisted = twist(*frame)) return std::move(*twisted);
    }
    std::vector<VirtualLine::Arrival> arrivals;
    for (Bytes& bytes : responder_->received(request))
      arrivals.push_back({200ms, std::move(bytes)});
    return arrivals;
  }

  std::unique_ptr<Responder> responder_;
  std::unique_ptr<Driver> driver_;
  VirtualLine line_;
  std::size_t seen_ = 0;
};

inline const Set ce307_meter = {{"address", "13462"}, {"family", "ce307"}};

// An error reply of the polled meter.
inline std::vector<VirtualLine::Arrival> error_reply(const Frame& request, Bytes data) {
  Frame reply;
  reply.to = request.from;
  reply.from = request.to;
  reply.access = class_error;
  reply.command = request.command;
  reply.data = std::move(data);
  return {{200ms, build_reply(reply)}};
}

}  // namespace meterbridge::protocol::ce102::test
