// SPDX-License-Identifier: MIT
// The meter's side of a protocol, sans I/O: played by the simulator, by tests and by fuzzers.
#pragma once

#include "core/bytes.hpp"
#include "core/decimal.hpp"
#include "core/time.hpp"

#include <array>
#include <string>
#include <vector>

namespace meterbridge::protocol {

// What a simulated meter shows at one moment. Energies in Wh, powers in W (import positive), exact.
struct MeterFace {
  MeterFace() = default;
  Seconds now{};
  std::array<Decimal, 3> voltage{Decimal(2301, -1), Decimal(2298, -1), Decimal(2305, -1)};
  std::array<Decimal, 3> current{};
  std::array<Decimal, 3> power{};
  Decimal frequency{5000, -2};
  std::array<Decimal, 4> energy_import{};  // by tariff 1..4; the total is their sum
  std::array<Decimal, 4> energy_export{};
  Decimal gas{};    // m³
  Decimal water{};  // m³
  int tariff = 1;
};

// How a responder misbehaves on request of the simulator; faults of the line itself (noise, cuts)
// are not its business.
struct Mischief {
  bool foreign = false;       // answer as another address
  bool wrong_key = false;     // encrypt with another key
  bool other_master = false;  // before the answer comes a request that is not ours
};

// A message for a broker. topic = the last levels of its topic, for meters whose values come on
// topics of their own; empty: that of the link.
struct Post {
  Post(std::string t, Bytes p) : topic(std::move(t)), payload(std::move(p)) {}

  std::string topic;
  Bytes payload;
};

class Responder {
 public:
  virtual ~Responder() = default;
  virtual void show(const MeterFace& face) = 0;

  virtual void misbehave(const Mischief&) {}

  // What the bridge sent, in any cut; returns whole answers, one entry each. Not addressed:
  // nothing.
  virtual std::vector<Bytes> received(ByteView bytes) = 0;
  // Pushing meters: the next telegram. Polled meters: empty.
  virtual Bytes push() = 0;

  // The same as messages; nothing from polled meters.
  virtual std::vector<Post> posts() {
    std::vector<Post> posts;
    if (Bytes telegram = push(); !telegram.empty()) posts.emplace_back("", std::move(telegram));
    return posts;
  }
};

}  // namespace meterbridge::protocol
