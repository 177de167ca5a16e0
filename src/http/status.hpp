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
#include <string_view>
#include <utility>
#include <vector>

namespace meterbridge::http {

struct ReadingStatus {
  ReadingStatus() = default;

  ReadingStatus(ReadingKey k, std::optional<Value> v, Unit u, std::string n = {})
      : key(k), value(std::move(v)), unit(u), name(std::move(n)) {}

  ReadingKey key;
  std::optional<Value> value;  // the last good one; nothing = too old
  Unit unit = Unit::none;
  std::string name;  // for people, in the configured language
};

struct AlarmStatus {
  AlarmStatus() = default;
  std::string name;
  std::string severity;
  std::optional<bool> active;    // nothing = cannot be told now
  std::optional<Instant> since;  // it was raised
  std::string text;              // why it was raised
};

struct MeterStatus {
  MeterStatus() = default;
  std::string id;
  std::string name;
  std::string parent;  // of a sub-meter: the id of its meter
  std::string profile;
  std::string link;
  std::string text;  // the state in words
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
  std::vector<ReadingStatus> readings;
  std::vector<AlarmStatus> alarms;
  std::vector<std::string> left_out;  // not asked for, because the meter refuses it
};

struct LinkStatus {
  LinkStatus() = default;

  LinkStatus(std::string n, bool u) : name(std::move(n)), up(u) {}

  std::string name;
  bool up = false;
  std::string address;
  Fault fault = Fault::starting;  // how far its meters come
  std::string text;
  std::vector<std::string> meters;
};

struct BrokerStatus {
  BrokerStatus() = default;
  std::string name;
  std::string address;
  bool connected = false;
  std::string text;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t dropped = 0;
  std::uint64_t denied = 0;
};

struct SinkStatus {
  SinkStatus() = default;
  std::string name;
  std::string type;
  std::string text;
  bool up = false;
  std::uint64_t lag = 0;
  Milliseconds lag_time{};
  std::uint64_t written = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t failures = 0;
};

// To a further broker.
struct BridgeStatus {
  BridgeStatus() = default;
  std::string name;
  bool up = false;
  std::string text;
  std::uint64_t waiting = 0;
  std::uint64_t dropped = 0;
};

enum class Validity : std::uint8_t { valid, invalid, empty, missing };

[[nodiscard]] std::string_view name(Validity validity) noexcept;

// Something about the configuration file; line and column count from 1, 0 = unknown.
struct ProblemStatus {
  ProblemStatus() = default;
  bool error = true;
  int line = 0;
  int column = 0;
  std::string path;
  std::string message;
};

// The file as it was read last. When it was wrong, what was valid before goes on (`previous`).
struct ConfigurationStatus {
  ConfigurationStatus() = default;
  std::string path;
  Validity state = Validity::valid;
  bool previous = false;
  bool editable = false;
  std::vector<ProblemStatus> problems;
  std::optional<Instant> since;
};

struct Status {
  Status() = default;
  bool app = false;  // of Home Assistant; else a service
  Instant time{};
  ConfigurationStatus configuration;
  std::string version;
  std::string instance;
  Milliseconds uptime{};
  std::uint64_t memory = 0;  // resident bytes; 0 = not known
  std::vector<MeterStatus> meters;
  std::vector<LinkStatus> links;
  std::vector<BrokerStatus> brokers;
  std::vector<SinkStatus> sinks;
  std::vector<BridgeStatus> bridges;
  bool journal_on_disk = false;
  std::optional<journal::Status> journal;
};

// A reading that a profile knows and its meter did not send, with the usual reason (P25).
struct UnseenStatus {
  UnseenStatus() = default;
  ReadingKey key;
  std::string name;  // for people
  std::string_view reason;
};

// Of the program's own log.
struct LogLine {
  LogLine() = default;
  std::uint64_t number = 0;  // counts from 1
  Instant time{};
  std::string_view level;  // "info", "warning", "error"
  std::string text;
};

class StatusView {
 public:
  virtual ~StatusView() = default;
  // One sentence for each thing that only a restart of the program can end; empty = healthy.
  [[nodiscard]] virtual std::vector<std::string> ailments() const = 0;
  // One sentence for each thing that is still missing; empty = ready.
  [[nodiscard]] virtual std::vector<std::string> missing() const = 0;
  [[nodiscard]] virtual Status status() const = 0;

  // Of a configured meter.
  [[nodiscard]] virtual std::vector<UnseenStatus> unseen(std::string_view /*meter*/) const {
    return {};
  }

  // The newest lines behind this number.
  [[nodiscard]] virtual std::vector<LogLine> log_after(std::uint64_t number) const = 0;
};

}  // namespace meterbridge::http
