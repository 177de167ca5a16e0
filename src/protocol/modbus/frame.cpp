// SPDX-License-Identifier: MIT
#include "protocol/modbus/frame.hpp"

#include "protocol/crc16.hpp"

#include <algorithm>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::size_t shortest_rest = 2;  // of Modbus TCP: unit and function
constexpr std::size_t longest_rest = 1 + max_pdu;
constexpr std::size_t length_end = 6;  // transaction, protocol, length
constexpr std::size_t identity_head = 8;

unsigned at(ByteView bytes, std::size_t place) noexcept {
  return u8(bytes[place]);
}

unsigned word_at(ByteView bytes, std::size_t place) noexcept {
  return (at(bytes, place) << 8U) | at(bytes, place + 1);
}

void put16(Bytes& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::byte>((value >> 8U) & 0xFFU));
  bytes.push_back(static_cast<std::byte>(value & 0xFFU));
}

// Unit, 2B 0E, level, conformity, more, next, count, then number, length and text of each object.
std::size_t identity_length(ByteView from) noexcept {
  if (from.size() < identity_head) return from.size() + 1;
  std::size_t end = identity_head;
  for (unsigned left = at(from, identity_head - 1); left > 0; --left) {
    if (from.size() < end + 2) return std::max(from.size(), end + 1) + 1;
    end += 2 + at(from, end + 1);
  }
  return end + 2;
}

bool starts_with(ByteView bytes, ByteView front) noexcept {
  return bytes.size() >= front.size() && std::equal(front.begin(), front.end(), bytes.begin());
}

Cut whole(std::size_t drop, std::size_t frame) {
  Cut cut;
  cut.drop = drop;
  cut.frame = frame;
  return cut;
}

Cut find_rtu_reply(const Awaited& awaited, ByteView arrived) {
  Cut broken;
  bool begun = false;  // an answer of ours, whose end is missing
  for (std::size_t i = 0; i + 2 <= arrived.size(); ++i) {
    const ByteView rest = arrived.subspan(i);
    if (starts_with(rest, awaited.request)) return whole(i, awaited.request.size());
    if (starts_with(awaited.request, rest)) break;  // the echo, as far as it came
    const auto length = rtu_reply_length(rest);
    if (!length || *length > longest_rtu) continue;
    const bool ours =
        at(rest, 0) == awaited.unit && (at(rest, 1) & ~unsigned{refusal_bit}) == awaited.function;
    if (*length > rest.size()) {
      begun = begun || ours;
      continue;
    }
    // Inside an answer, data may look like the frame of somebody else.
    if (rtu_sum_fits(rest.first(*length)) && (ours || !begun)) return whole(i, *length);
    if (ours && !begun && !broken.broken) {
      broken.drop = i + 1;
      broken.broken = Error(Errc::checksum, "an answer with a wrong CRC");
    }
  }
  return broken;
}

bool is_ours(const Awaited& awaited, ByteView from) noexcept {
  return from.size() > tcp_header && is_tcp_header(from).value_or(false) &&
         word_at(from, 0) == awaited.transaction && at(from, length_end) == awaited.unit &&
         (at(from, tcp_header) & ~unsigned{refusal_bit}) == awaited.function;
}

// The stream is out of step: our answer is still recognised by its number.
Cut resynchronise(const Awaited& awaited, ByteView arrived) {
  Cut cut;
  for (std::size_t i = 1; i < arrived.size(); ++i) {
    if (!is_ours(awaited, arrived.subspan(i))) continue;
    cut.drop = i;
    cut.broken = Error(Errc::malformed, "bytes between the answers that are no Modbus TCP");
    return cut;
  }
  const auto length = rtu_reply_length(arrived);
  if (length && *length <= arrived.size() && rtu_sum_fits(arrived.first(*length))) {
    cut.drop = arrived.size();
    cut.broken =
        Error(Errc::malformed, "the answer is RTU inside TCP, not Modbus TCP: set `framing: rtu`");
  }
  return cut;
}

Cut find_tcp(ByteView arrived) {
  if (arrived.size() < length_end || arrived.size() < tcp_length(arrived)) return {};
  return whole(0, tcp_length(arrived));
}

}  // namespace

Bytes wrap(Framing framing, const Frame& frame) {
  Bytes wire;
  wire.reserve(frame.pdu.size() + tcp_header);
  if (framing == Framing::tcp) {
    put16(wire, frame.transaction);
    put16(wire, 0);
    put16(wire, frame.pdu.size() + 1);
  }
  wire.push_back(std::byte{frame.unit});
  wire.insert(wire.end(), frame.pdu.begin(), frame.pdu.end());
  if (framing == Framing::rtu) {
    const std::uint16_t sum = crc16(wire, Crc16::Kind::modbus);
    wire.push_back(static_cast<std::byte>(sum & 0xFFU));
    wire.push_back(static_cast<std::byte>(sum >> 8U));
  }
  return wire;
}

Result<Frame> unwrap(Framing framing, ByteView wire) {
  Frame frame;
  ByteView pdu;
  if (framing == Framing::rtu) {
    if (wire.size() < shortest_rtu) return Error(Errc::truncated, "the frame is cut short");
    if (wire.size() > longest_rtu) return Error(Errc::malformed, "longer than any RTU frame");
    if (!rtu_sum_fits(wire)) return Error(Errc::checksum, "the CRC is wrong");
    frame.unit = u8(wire.front());
    pdu = wire.subspan(1, wire.size() - rtu_overhead);
  } else {
    const auto header = is_tcp_header(wire);
    if (header && !*header)
      return Error(Errc::malformed, "bytes 2 to 5 are no header of Modbus TCP");
    if (!header || wire.size() < tcp_length(wire))
      return Error(Errc::truncated, "the frame is cut short");
    if (wire.size() > tcp_length(wire))
      return Error(Errc::malformed, "longer than its header says");
    frame.transaction = static_cast<std::uint16_t>(word_at(wire, 0));
    frame.unit = u8(wire[length_end]);
    pdu = wire.subspan(tcp_header);
  }
  frame.pdu.assign(pdu.begin(), pdu.end());
  return frame;
}

Cut find_reply(const Awaited& awaited, ByteView arrived) {
  if (awaited.framing == Framing::rtu) return find_rtu_reply(awaited, arrived);
  const auto header = is_tcp_header(arrived);
  if (header && !*header) return resynchronise(awaited, arrived);
  return find_tcp(arrived);
}

Cut find_request(Framing framing, ByteView arrived) {
  if (framing == Framing::tcp) {
    const auto header = is_tcp_header(arrived);
    return header && !*header ? whole(1, 0) : find_tcp(arrived);
  }
  for (std::size_t i = 0; i + shortest_rtu <= arrived.size(); ++i) {
    const ByteView rest = arrived.subspan(i);
    for (const auto& length : {rtu_request_length(rest), rtu_reply_length(rest)}) {
      if (length && *length <= rest.size() && rtu_sum_fits(rest.first(*length)))
        return whole(i, *length);
    }
  }
  // What is longer than two frames holds none.
  return arrived.size() > 2 * longest_rtu ? whole(arrived.size() - longest_rtu, 0) : Cut{};
}

std::optional<std::size_t> rtu_reply_length(ByteView from) noexcept {
  if (from.size() < 2) return from.size() + 1;
  const unsigned function = at(from, 1);
  if ((function & refusal_bit) != 0) return 5;
  switch (function) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 0x11:
    case 0x17:
      return from.size() < 3 ? from.size() + 1 : 5 + std::size_t{at(from, 2)};
    case 5:
    case 6:
    case 0x0F:
    case 0x10:
      return 8;
    case 0x16:
      return 10;
    case identity_function:
      if (from.size() >= 3 && at(from, 2) != identity_kind) return std::nullopt;
      return identity_length(from);
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> rtu_request_length(ByteView from) noexcept {
  if (from.size() < 2) return from.size() + 1;
  switch (at(from, 1)) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return 8;
    case 0x0F:
    case 0x10:
      return from.size() < 7 ? from.size() + 1 : 9 + std::size_t{at(from, 6)};
    case 0x11:
      return 4;
    case 0x16:
      return 10;
    case 0x17:
      return from.size() < 11 ? from.size() + 1 : 13 + std::size_t{at(from, 10)};
    case identity_function:
      return 7;
    default:
      return std::nullopt;
  }
}

// The CRC of a frame with its own CRC behind it is 0.
bool rtu_sum_fits(ByteView frame) noexcept {
  return frame.size() >= shortest_rtu && crc16(frame, Crc16::Kind::modbus) == 0;
}

std::optional<bool> is_tcp_header(ByteView from) noexcept {
  if (from.size() >= 3 && at(from, 2) != 0) return false;
  if (from.size() >= 4 && at(from, 3) != 0) return false;
  if (from.size() < length_end) return std::nullopt;
  const unsigned rest = word_at(from, 4);
  return rest >= shortest_rest && rest <= longest_rest;
}

std::size_t tcp_length(ByteView frame) noexcept {
  return length_end + word_at(frame, 4);
}

}  // namespace meterbridge::protocol::modbus
