// SPDX-License-Identifier: MIT
// What the pages show: a read-only view of the program, handed in by whoever runs it.
#pragma once

#include "core/fault.hpp"
#include "core/reading.hpp"
#include "core/time.hpp"
#include "journal/journal.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::http {

struct MeterStatus {
  MeterStatus() = default;
  std::string id;
  bool up = false;
  bool paused = false;
  Fault fault = Fault::starting;
  std::optional<Milliseconds> frame_age;
  std::optional<Milliseconds> reading_age;
  std::optional<Milliseconds> poll_time;
  Milliseconds interval{};
  std::uint64_t polls = 0;
  std::uint64_t failures = 0;
  std::uint64_t refused = 0;
  std::map<std::string, std::uint64_t> errors;      // kind -> count
  std::map<std::string, std::uint64_t> recoveries;  // rung -> count
  std::vector<Reading> readings;                    // the last good ones, old ones not
};

struct LinkStatus {
  LinkStatus() = default;

  LinkStatus(std::string n, bool u) : name(std::move(n)), up(u) {}

  std::string name;
  bool up = false;
};

struct BrokerStatus {
  BrokerStatus() = default;
  std::string name;
  bool connected = false;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t dropped = 0;
  std::uint64_t denied = 0;
};

struct SinkStatus {
  SinkStatus() = default;
  std::string name;
  bool up = false;
  std::uint64_t lag = 0;
  Milliseconds lag_time{};
  std::uint64_t written = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t failures = 0;
};

struct Status {
  Status() = default;
  std::string version;
  std::string instance;
  Milliseconds uptime{};
  std::uint64_t memory = 0;  // resident bytes; 0 = not known
  std::vector<MeterStatus> meters;
  std::vector<LinkStatus> links;
  std::vector<BrokerStatus> brokers;
  std::vector<SinkStatus> sinks;
  std::optional<journal::Status> journal;
};

class StatusView {
 public:
  virtual ~StatusView() = default;
  // One sentence for each thing that only a restart of the program can end; empty = healthy.
  [[nodiscard]] virtual std::vector<std::string> ailments() const = 0;
  // One sentence for each thing that is still missing; empty = ready.
  [[nodiscard]] virtual std::vector<std::string> missing() const = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

}  // namespace meterbridge::http
