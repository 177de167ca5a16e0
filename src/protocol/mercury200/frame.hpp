// SPDX-License-Identifier: MIT
// Frames and commands of the Mercury 200/206 protocol.
//
//   ADDR       CMD DATA  CRC        both ways; requests have hardly ever data, answers repeat
//   4 bytes, high byte first   1   0..17 2   address and command. There is no error reply.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/mercury/check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::mercury200 {

inline constexpr std::size_t header_length = 5;  // address and command
inline constexpr std::size_t overhead = header_length + mercury::crc_length;

// Read-only commands: there is no other way to name one, and no other one is ever put on the wire.
enum class Command : std::uint8_t {
  group_address = 0x20,
  clock = 0x21,
  power = 0x26,
  energy = 0x27,
  version = 0x28,
  battery = 0x29,
  last_off = 0x2B,
  last_on = 0x2C,
  tariffs = 0x2E,
  serial = 0x2F,
  month_energy = 0x32,
  cover_open = 0x61,
  cover_close = 0x62,
  instant = 0x63,
  build = 0x65,
  made = 0x66,
  hours = 0x69,
  frequency = 0x81,
  reactive_energy = 0x85,
  more = 0x86,
};

struct Rule {
  Command command;
  std::size_t parameters;            // bytes of the request
  std::array<std::size_t, 2> reply;  // data bytes of the answer, 0 = no second form
};

// 86: whether the parameter is repeated in front of the data is not known.
inline constexpr std::array rules{
    Rule{Command::group_address, 0, {4, 0}},
    Rule{Command::clock, 0, {7, 0}},
    Rule{Command::power, 0, {2, 0}},
    Rule{Command::energy, 0, {16, 0}},
    Rule{Command::version, 0, {6, 0}},
    Rule{Command::battery, 0, {2, 0}},
    Rule{Command::last_off, 0, {7, 0}},
    Rule{Command::last_on, 0, {7, 0}},
    Rule{Command::tariffs, 0, {1, 0}},
    Rule{Command::serial, 0, {4, 0}},
    Rule{Command::month_energy, 1, {16, 0}},
    Rule{Command::cover_open, 0, {7, 0}},
    Rule{Command::cover_close, 0, {7, 0}},
    Rule{Command::instant, 0, {7, 0}},
    Rule{Command::build, 0, {2, 0}},
    Rule{Command::made, 0, {3, 0}},
    Rule{Command::hours, 0, {6, 0}},
    Rule{Command::frequency, 0, {10, 0}},
    Rule{Command::reactive_energy, 0, {16, 0}},
};
inline constexpr std::array more_rules{
    Rule{Command::more, 1, {3, 4}},  // 00: reactive power
    Rule{Command::more, 1, {5, 6}},  // 02: power factor and apparent power
};

// Commands that write, and 71, which drives the relay.
[[nodiscard]] constexpr bool writes(std::uint8_t command) noexcept {
  return command <= 0x14 || (command >= 0x70 && command <= 0x7A);
}

static_assert(std::none_of(rules.begin(), rules.end(), [](const Rule& rule) {
  return writes(static_cast<std::uint8_t>(rule.command));
}));

// Null for what is not read. `parameter` matters for 86 only.
[[nodiscard]] const Rule* find_rule(std::uint8_t command, std::uint8_t parameter = 0) noexcept;
[[nodiscard]] bool fits(const Rule& rule, std::size_t data_bytes) noexcept;

// The only maker of requests. Error: bug for anything but the commands of the table.
Result<Bytes> build_request(std::uint32_t address, Command command, ByteView parameters = {});

struct Frame {
  Frame() = default;
  std::uint32_t address = 0;
  std::uint8_t command = 0;
  ByteView data;  // of the bytes it was parsed from
};

// Error: truncated, checksum.
Result<Frame> parse_frame(ByteView wire);

// While bytes come: the first echo of the request, or answer to it, by their ends, so that every
// cut gives the same.
[[nodiscard]] Cut find_answer(ByteView arrived, ByteView request);
// When nothing more comes: what came as one frame where its CRC is right, or why it is none.
[[nodiscard]] Cut settle_answer(ByteView arrived, ByteView request);

[[nodiscard]] std::string name_of(std::uint8_t command);  // "2F"

}  // namespace meterbridge::protocol::mercury200
