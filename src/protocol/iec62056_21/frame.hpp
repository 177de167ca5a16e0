// SPDX-License-Identifier: MIT
// The characters of IEC 62056-21 on the wire: identification, blocks with their check, parity.
//
//   identification  / XXX Z text CR LF
//   block           SOH C D [STX text] ETX BCC      or      STX text ETX BCC
//   one character   ACK, NAK
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "protocol/exchange_list.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::iec62056_21 {

inline constexpr char soh = '\x01';
inline constexpr char stx = '\x02';
inline constexpr char etx = '\x03';
inline constexpr char ack = '\x06';
inline constexpr char nak = '\x15';

// A readout of a meter with load profile in it may be long; more than this is no readout.
inline constexpr std::size_t max_block = 65536;
inline constexpr std::size_t max_identification = 64;

// The standard says XOR; Energomera and some Kamstrup meters send the sum modulo 128.
enum class Check : std::uint8_t { automatic, exclusive_or, sum, off };

// Which rules are tried with a meter of that maker. `automatic` for makers of whom both are known,
// and for those of whom nothing is.
[[nodiscard]] Check usual_check(std::string_view identification) noexcept;

// One byte of 7 bits over everything behind the first SOH or STX, the ETX included.
[[nodiscard]] std::byte block_check(ByteView covered, Check rule) noexcept;

// The rule by which the last byte of a block fits; `automatic` when both do. Error: checksum.
Result<Check> verify(ByteView block, Check rule);

// A whole block, its check verified.
struct Block {
  Block() = default;
  std::string command;  // "P0", "B0"; empty for data
  std::string text;     // between STX and ETX
  bool whole = false;   // had an STX at all
};

// `block` begins with SOH or STX and ends with the byte behind the ETX. Error: malformed.
Result<Block> parse_block(ByteView block);

// XXX, Z and the rest of an identification line.
struct Identification {
  Identification() = default;
  std::string text;      // all of it, without slash and line end
  std::string maker;     // three letters
  char speed = ' ';      // the baud character, or whatever stands in its place
  std::string model;     // behind it, without the mark of an enhanced identification
  bool hurried = false;  // the third letter is small: answers after 20 ms
};

// The line without slash and line end. Error: malformed.
Result<Identification> parse_identification(std::string_view line);
// Where nothing else proves a telegram: makers' letters are capitals, the third may be small, and a
// name follows.
[[nodiscard]] bool is_plausible(const Identification& identification) noexcept;
// Of a baud character: 300 ... 19200. Digits belong to mode C, letters to mode B.
[[nodiscard]] std::optional<std::uint32_t> speed_of(char character) noexcept;

// What the bridge may send. There is no way to build any other command: W1, W2, E2, P2 do not
// exist here.
enum class Read : std::uint8_t { r1, r2 };
// table: which of its readouts a meter of several is to send, '1' to '9'; '?' = its usual one.
[[nodiscard]] Bytes sign_on(std::string_view address, char table = '?');
// mode: '0' readout, '1' programming.
[[nodiscard]] Bytes option_select(char speed, char mode);
[[nodiscard]] Bytes read_request(Read command, std::string_view name, std::string_view arguments,
                                 Check rule);
// The same without a session: behind the sign-on, in one go.
[[nodiscard]] Bytes fast_read_request(std::string_view address, std::string_view name,
                                      std::string_view arguments, Check rule);
[[nodiscard]] Bytes password_request(std::string_view password, Check rule);
[[nodiscard]] Bytes break_request(Check rule);
// Answers, for the responder. `command` empty = a data block.
[[nodiscard]] Bytes build_block(std::string_view command, std::string_view text, Check rule);

// Framers. An identification comes with its slash and line end; its own echo "/?" is dropped.
[[nodiscard]] Cut find_identification(ByteView arrived);
// ACK or NAK, or a block with its check byte.
[[nodiscard]] Cut find_answer(ByteView arrived);
// A block, or lines up to "!" and line end where a meter sends none.
[[nodiscard]] Cut find_readout(ByteView arrived);

// 7E1 through an adapter that only knows 8N1.
[[nodiscard]] Bytes with_parity(ByteView bytes);
// Bytes of wrong parity become SUB (1A), which is valid nowhere.
[[nodiscard]] Bytes without_parity(ByteView bytes);
[[nodiscard]] bool is_even(std::byte b) noexcept;

}  // namespace meterbridge::protocol::iec62056_21
