// SPDX-License-Identifier: MIT
// What the data bytes of good answers mean, and how it becomes items and readings.
#pragma once

#include "core/bytes.hpp"
#include "protocol/ce102/commands.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::ce102 {

// Three families answer the same codes differently. `automatic` = ask Version.
enum class Family : std::uint8_t { automatic, classic, r51, ce307 };
[[nodiscard]] std::string_view name(Family family) noexcept;

inline constexpr std::size_t energy_length_classic = 4;  // u32
inline constexpr std::size_t energy_length_dated =
    7;  // BCD day, month, year, then u32 (r51, ce307)
inline constexpr std::size_t date_time_length = 7;
inline constexpr std::size_t serial_part_length = 8;
inline constexpr int assumed_decimals = 2;  // of classic meters, where ReadConfig was not seen

struct Version {
  Version() = default;
  int core = 0;
  int type = 0;
  int version = 0;
  std::string date;                              // of the firmware, ISO; empty when it is no date
  [[nodiscard]] Family family() const noexcept;  // automatic = unknown core
  [[nodiscard]] std::string_view model()
      const noexcept;                      // empty where core and type are shared or unknown
  [[nodiscard]] std::string text() const;  // "10.1.3 (2019-03-12)"
};

struct StatusReply {
  StatusReply() = default;
  int tariff = 0;    // in force, 1..5
  std::string text;  // "ok", or the faults in words
};

// All of them: Error malformed when length or content is not what the command answers.
Result<Version> parse_version(ByteView data);
Result<int> parse_decimals(ByteView data);        // of ReadConfig, classic
Result<StatusReply> parse_status(ByteView data);  // r51, ce307
Result<LocalTime> parse_date_time(ByteView data);
// The family decides the form; the form of the other family is an Error of kind mismatch that says
// so.
Result<Decimal> parse_energy(ByteView data, Family family, int decimals);
// Parts joined, cut at NUL, reversed; empty when nothing printable is left.
[[nodiscard]] std::string join_serial(ByteView part0, ByteView part1);

// 0180..0182 are in no document of the maker; public drivers contradict each other in byte order
// and scale.
struct Instant {
  Instant() = default;
  bool on = false;
  bool high_byte_first = false;
  Decimal current_scale{1, -3};        // A
  std::optional<Decimal> power_scale;  // W; r51 has 0.001, classic none that is known
};

// One value, or one each of three phases, in V, A or W. Error: malformed; voltages outside 100..300
// V: refused.
Result<std::vector<Decimal>> parse_phases(Query query, ByteView data, const Instant& instant);

// A telegram with the protocol's name and the entry of the meter itself.
[[nodiscard]] Telegram empty_telegram();
void put_energy(Telegram& telegram, std::string address, int tariff, const Decimal& kwh);
void put_clock(Telegram& telegram, const LocalTime& local);
void put_status(Telegram& telegram, ByteView data, const StatusReply& status);
void put_version(Telegram& telegram, ByteView data, const Version& version);
void put_serial(Telegram& telegram, const std::string& serial);
void put_phases(Telegram& telegram, Query query, const std::vector<Decimal>& values);
// "0130", "0130:01", and for a past period "0130:01:05".
[[nodiscard]] std::string address_of(std::uint16_t command);
[[nodiscard]] std::string address_of(std::uint16_t command, int tariff, int depth = 0);

}  // namespace meterbridge::protocol::ce102
