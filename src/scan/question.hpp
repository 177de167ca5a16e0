// SPDX-License-Identifier: MIT
// Is somebody there? One short request that only reads, for each protocol that is asked.
#pragma once

#include "core/bytes.hpp"
#include "core/line_settings.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::scan {

enum class Family : std::uint8_t {
  iec62056,
  mercury,
  mercury200,
  ce102,
  dlt645,
  modbus_rtu,
  modbus_tcp
};

struct Question {
  Question() = default;
  Family family = Family::modbus_rtu;
  std::uint32_t address = 0;
  std::uint8_t function = 4;  // Modbus; of DL/T 645 the command of its version
  Bytes prefix;               // IEC 62056-21: what wakes the meter up
  Milliseconds wait{300};     // for the answer, from the end of the request
};

// What an answer says.
struct Presence {
  Presence() = default;
  std::string address;  // who answered, as a configuration has it
  std::string says;     // an identification, where the answer has one
};

// The protocol's name in the catalogue.
[[nodiscard]] std::string_view protocol_of(Family family) noexcept;
// "Modbus RTU", for people.
[[nodiscard]] std::string_view title_of(Family family) noexcept;

// Every request of a scan is made by the protocol's own maker of requests, which knows no other
// than those that read.
[[nodiscard]] Bytes request_of(const Question& question);

// Nothing as long as the bytes are no answer to this question; the echo of the request is none.
[[nodiscard]] std::optional<Presence> judge(const Question& question, ByteView heard);

// How long an answer may take at this speed. network: over TCP.
[[nodiscard]] Milliseconds usual_wait(Family family, const LineSettings& line, bool network);

// What master requests among these bytes say that somebody else asks on this line; empty: none.
// "Modbus", "Energomera CE", "Mercury", "DL/T 645", "IEC 62056-21".
[[nodiscard]] std::string foreign_master(ByteView heard, bool more = false);

}  // namespace meterbridge::scan
