// SPDX-License-Identifier: MIT
// Frames of Modbus on a serial line and on TCP.
//
//   rtu   unit, PDU, CRC-16 with the low byte first; also inside a TCP stream ("RTU over TCP")
//   tcp   transaction (2), 0 0, length of the rest (2), unit, PDU
//
// An RTU frame carries no length and no mark, and its pauses do not survive adapters and gateways:
// its end follows from what it says, and its beginning is where unit, function and CRC fit.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/modbus/pdu.hpp"

#include <optional>

namespace meterbridge::protocol::modbus {

enum class Framing : std::uint8_t { rtu, tcp };

struct Frame {
  Frame() = default;
  std::uint16_t transaction = 0;  // tcp only
  std::uint8_t unit = 0;
  Bytes pdu;
};

inline constexpr std::size_t rtu_overhead = 3;
inline constexpr std::size_t tcp_header = 7;
inline constexpr std::size_t shortest_rtu = 4;
inline constexpr std::size_t longest_rtu = 256;

[[nodiscard]] Bytes wrap(Framing framing, const Frame& frame);
// Exactly one frame. Errors: truncated, malformed, checksum.
Result<Frame> unwrap(Framing framing, ByteView wire);

// What a master waits for.
struct Awaited {
  Awaited() = default;
  Framing framing = Framing::rtu;
  std::uint16_t transaction = 0;
  std::uint8_t unit = 1;
  std::uint8_t function = 3;
  Bytes request;  // as sent: its echo is told apart from an answer by it
};

// Finds the next frame: an answer, an answer of somebody else, or the echo of the request.
[[nodiscard]] Cut find_reply(const Awaited& awaited, ByteView arrived);
// The same for a device, which waits for requests.
[[nodiscard]] Cut find_request(Framing framing, ByteView arrived);

// How long the RTU frame is that begins here, if it is an answer or a request; one more than there
// is while that cannot be told yet; nothing when it can be neither.
[[nodiscard]] std::optional<std::size_t> rtu_reply_length(ByteView from) noexcept;
[[nodiscard]] std::optional<std::size_t> rtu_request_length(ByteView from) noexcept;
[[nodiscard]] bool rtu_sum_fits(ByteView frame) noexcept;

// Could this be the beginning of a frame of Modbus TCP? Nothing = more bytes are needed.
[[nodiscard]] std::optional<bool> is_tcp_header(ByteView from) noexcept;
// Of a frame whose header is whole.
[[nodiscard]] std::size_t tcp_length(ByteView frame) noexcept;

}  // namespace meterbridge::protocol::modbus
