// SPDX-License-Identifier: MIT
#include "protocol/ce102/frame.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace meterbridge::protocol::ce102 {
namespace {

constexpr std::byte escape{0xDB};
constexpr std::byte escaped_end{0xDC};
constexpr std::byte escaped_escape{0xDD};
constexpr std::byte option{0x48};  // 16-bit addresses, 8-bit CRC
constexpr std::uint8_t request_bit = 0x80;
constexpr std::size_t max_data = 15;

// Offsets inside the unstuffed body, which begins with OPT and has neither END nor CRC.
constexpr std::size_t reply_serv = 5;
constexpr std::size_t request_serv = 9;
constexpr std::size_t after_serv = 3;  // Serv and Cmd

constexpr std::array<std::uint8_t, 256> make_crc_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 0x80U) != 0 ? (crc << 1U) ^ 0xB5U : crc << 1U;
    table[i] = static_cast<std::uint8_t>(crc & 0xFFU);
  }
  return table;
}

constexpr auto crc_table = make_crc_table();

std::byte low(std::uint32_t value, unsigned index) {
  return static_cast<std::byte>((value >> (8U * index)) & 0xFFU);
}

// Adds CRC, stuffing and END marks.
Bytes wrap(Bytes body) {
  body.push_back(std::byte{crc8(body)});
  Bytes wire{end_mark};
  for (const std::byte b : body) {
    if (b == end_mark || b == escape) {
      wire.push_back(escape);
      wire.push_back(b == end_mark ? escaped_end : escaped_escape);
    } else {
      wire.push_back(b);
    }
  }
  wire.push_back(end_mark);
  return wire;
}

Result<Bytes> unstuff(ByteView stuffed) {
  Bytes body;
  for (std::size_t i = 0; i < stuffed.size(); ++i) {
    if (stuffed[i] != escape) {
      body.push_back(stuffed[i]);
      continue;
    }
    if (++i == stuffed.size())
      return Error(Errc::malformed, "an escape byte right before the end mark");
    if (stuffed[i] != escaped_end && stuffed[i] != escaped_escape) {
      return Error(Errc::malformed,
                   "escape byte DB followed by " + to_hex_upper(stuffed.subspan(i, 1)));
    }
    body.push_back(stuffed[i] == escaped_end ? end_mark : escape);
  }
  return body;
}

// The body without END marks, stuffing and CRC.
Result<Bytes> unwrap(ByteView wire) {
  if (wire.size() < 2 || wire.front() != end_mark || wire.back() != end_mark) {
    return Error(Errc::malformed, "not between two end marks");
  }
  if (wire.size() - 2 > max_raw) return Error(Errc::malformed, "longer than any frame");
  auto body = unstuff(wire.subspan(1, wire.size() - 2));
  if (!body) return body.error();
  if (body->size() < reply_serv + after_serv + 1)
    return Error(Errc::malformed, "too short for a frame");
  const std::byte sent = body->back();
  body->pop_back();
  const std::byte computed{crc8(*body)};
  if (sent != computed) {
    return Error(Errc::checksum, "CRC is " + to_hex_upper(ByteView(&computed, 1)) +
                                     ", the frame says " + to_hex_upper(ByteView(&sent, 1)));
  }
  if (body->front() != option) {
    return Error(Errc::malformed,
                 "option byte " + to_hex_upper(ByteView(*body).first(1)) + " instead of 48");
  }
  return body;
}

bool has_shape(ByteView body, std::size_t serv_at, bool request) {
  if (body.size() < serv_at + after_serv) return false;
  const std::uint8_t serv = u8(body[serv_at]);
  const unsigned access = (serv >> 4U) & 7U;
  if (((serv & request_bit) != 0) != request) return false;
  if (access != class_execute && (request || access != class_error)) return false;
  return body.size() == serv_at + after_serv + (serv & 0x0FU);
}

bool fits_either(ByteView body) {
  return has_shape(body, reply_serv, false) || has_shape(body, request_serv, true);
}

Result<Frame> parse(ByteView wire, bool request) {
  const auto body = unwrap(wire);
  if (!body) return body.error();
  const std::size_t serv_at = request ? request_serv : reply_serv;
  if (!has_shape(*body, serv_at, request)) {
    return Error(Errc::malformed, request ? "not a request"
                                          : "the length in the frame is wrong, or it is no answer");
  }
  ByteReader reader(ByteView(*body).subspan(1));
  Frame frame;
  frame.to = static_cast<std::uint16_t>(*reader.little(2));
  frame.from = static_cast<std::uint16_t>(*reader.little(2));
  if (request) frame.password = static_cast<std::uint32_t>(*reader.little(4));
  frame.access = static_cast<std::uint8_t>((*reader.u8() >> 4U) & 7U);
  frame.command = static_cast<std::uint16_t>(*reader.big(2));
  const auto data = *reader.take(reader.left());
  frame.data.assign(data.begin(), data.end());
  return frame;
}

}  // namespace

std::uint8_t crc8(ByteView bytes) noexcept {
  std::uint8_t crc = 0;
  for (const std::byte b : bytes)
    crc = crc_table[crc ^ u8(b)];
  return crc;
}

Result<Bytes> build_request(const Station& station, Query query, ByteView data) {
  const QueryRule* rule = find_rule(query);
  if (rule == nullptr || data.size() < rule->shortest || data.size() > rule->longest) {
    return Error(Errc::bug, "this is no read-only request of the CE protocol");
  }
  const auto command = static_cast<std::uint16_t>(query);
  Bytes body{option, low(station.meter, 0), low(station.meter, 1), low(station.bridge, 0),
             low(station.bridge, 1)};
  for (unsigned i = 0; i < 4; ++i)
    body.push_back(low(station.password, i));
  body.push_back(static_cast<std::byte>(0xD0U | data.size()));
  body.push_back(low(command, 1));
  body.push_back(low(command, 0));
  body.insert(body.end(), data.begin(), data.end());
  return wrap(std::move(body));
}

Bytes build_reply(const Frame& reply) {
  const std::size_t length = std::min(reply.data.size(), max_data);
  Bytes body{option, low(reply.to, 0), low(reply.to, 1), low(reply.from, 0), low(reply.from, 1)};
  body.push_back(
      static_cast<std::byte>((static_cast<std::size_t>(reply.access & 7U) << 4U) | length));
  body.push_back(low(reply.command, 1));
  body.push_back(low(reply.command, 0));
  body.insert(body.end(), reply.data.begin(),
              reply.data.begin() + static_cast<std::ptrdiff_t>(length));
  return wrap(std::move(body));
}

Result<Frame> parse_request(ByteView wire) {
  return parse(wire, true);
}

Result<Frame> parse_reply(ByteView wire) {
  return parse(wire, false);
}

bool is_request(ByteView wire, std::uint16_t bridge) {
  const auto request = parse_request(wire);
  if (!request) return false;
  // A password can make a request look like an answer by accident; then the destination decides.
  const auto reply = parse_reply(wire);
  return !reply || reply->to != bridge;
}

Cut find_frame(ByteView arrived) {
  Cut cut;
  const auto open = std::ranges::find(arrived, end_mark);
  if (open != arrived.begin()) {
    cut.drop = static_cast<std::size_t>(open - arrived.begin());
    return cut;
  }
  if (arrived.size() < 2) return cut;
  if (arrived[1] == end_mark) {  // an empty frame: the second mark opens
    cut.drop = 1;
    return cut;
  }
  const auto close = std::ranges::find(arrived.subspan(1), end_mark);
  const bool closed = close != arrived.subspan(1).end();
  const std::size_t raw = static_cast<std::size_t>(close - arrived.subspan(1).begin());
  if (raw > max_raw) {
    cut.drop = raw + 1;
    cut.broken = Error(Errc::malformed, "more than 64 bytes without an end mark");
    return cut;
  }
  if (!closed) return cut;
  const auto body = unwrap(arrived.first(raw + 2));
  if (body && fits_either(*body)) {
    cut.frame = raw + 2;
    return cut;
  }
  cut.drop = raw + 1;
  cut.broken = body ? Error(Errc::malformed, "the length in the frame is wrong") : body.error();
  return cut;
}

}  // namespace meterbridge::protocol::ce102
