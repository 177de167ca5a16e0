// SPDX-License-Identifier: MIT
// Frames of the Energomera "CE" protocol.
//
//   END OPT AddrD  AddrS  [Passw]   Serv Cmd   Data   CRC END
//   C0  48  lo hi  lo hi  u32 low   1    hi lo 0..15  1   C0      (Passw in requests only)
//
// Serv: bit 7 request, bits 6..4 access class (5 execute, 7 error), bits 3..0 length of Data. Every
// byte between the END marks is stuffed, the CRC too: C0 -> DB DC, DB -> DB DD. CRC-8, polynomial
// B5, over OPT to the end of Data.
#pragma once

#include "core/bytes.hpp"
#include "protocol/ce102/commands.hpp"
#include "protocol/exchange_list.hpp"

#include <cstdint>
#include <optional>

namespace meterbridge::protocol::ce102 {

inline constexpr std::byte end_mark{0xC0};
inline constexpr std::size_t max_raw = 64;  // between two END marks, as on the wire

inline constexpr std::uint8_t class_execute = 5;
inline constexpr std::uint8_t class_error = 7;

struct Frame {
  Frame() = default;
  std::uint16_t to = 0;
  std::uint16_t from = 0;
  std::uint32_t password = 0;  // requests only
  std::uint8_t access = class_execute;
  std::uint16_t command = 0;
  Bytes data;
};

// Who talks to whom, and with which password.
struct Station {
  Station() = default;
  std::uint16_t meter = 0;
  std::uint16_t bridge = 253;  // the maker's tool
  std::uint32_t password = 0;  // the read-only user
};

[[nodiscard]] std::uint8_t crc8(ByteView bytes) noexcept;

// The only maker of requests. Error: bug for anything that the table of read-only queries does not
// hold.
Result<Bytes> build_request(const Station& station, Query query, ByteView data = {});
// The meter's side (responder, tests). `reply.data` has at most 15 bytes; the request bit is never
// set.
[[nodiscard]] Bytes build_reply(const Frame& reply);

// One frame with both END marks. Errors: malformed (marks, stuffing, lengths), checksum.
Result<Frame> parse_request(ByteView wire);
Result<Frame> parse_reply(ByteView wire);
// What the bytes alone tell of a frame that may be either.
[[nodiscard]] bool is_request(ByteView wire, std::uint16_t bridge = 253);

// Finds the next frame with a right checksum and a right length. The END mark that closes a broken
// frame may be the one that opens the next.
[[nodiscard]] Cut find_frame(ByteView arrived);

}  // namespace meterbridge::protocol::ce102
