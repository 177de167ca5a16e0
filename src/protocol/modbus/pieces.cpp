// SPDX-License-Identifier: MIT
#include "protocol/modbus/pieces.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

// Of the RTU frame that begins here with a right CRC; 0 = none.
std::size_t sound_length(ByteView from) {
  const std::array lengths{rtu_reply_length(from), rtu_request_length(from)};
  for (const auto& length : lengths) {
    if (length && *length <= from.size() && *length <= longest_rtu &&
        rtu_sum_fits(from.first(*length)))
      return *length;
  }
  return 0;
}

// Bytes that are no sound frame; `ended` when something sound follows them.
Error what_is_wrong(ByteView bytes, bool ended) {
  const auto reply = rtu_reply_length(bytes);
  const auto request = rtu_request_length(bytes);
  if (!reply && !request) {
    if (bytes.size() >= shortest_rtu)
      return {Errc::checksum, "the CRC is wrong, or these are no frames"};
    return {Errc::malformed, "bytes that are no frame"};
  }
  const std::size_t shortest =
      std::min(reply.value_or(longest_rtu + 1), request.value_or(longest_rtu + 1));
  if (bytes.size() < shortest && !ended) return {Errc::truncated, "the frame is cut short"};
  if (bytes.size() < shortest) return {Errc::malformed, "bytes between frames"};
  return {Errc::checksum, "the CRC is wrong"};
}

Piece piece_at(ByteView bytes, std::size_t offset, std::size_t length) {
  Piece piece;
  piece.offset = offset;
  piece.wire = bytes.subspan(offset, length);
  return piece;
}

std::vector<Piece> rtu_pieces(ByteView bytes) {
  std::vector<Piece> all;
  std::size_t begin = 0;  // of what no frame was found in yet
  const auto put_rest = [&](std::size_t end, bool ended) {
    // One byte at the end tells nothing.
    if (end - begin < (ended ? 1U : 2U)) return;
    Piece rest = piece_at(bytes, begin, end - begin);
    rest.broken = what_is_wrong(rest.wire, ended);
    all.push_back(std::move(rest));
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = sound_length(bytes.subspan(at));
    if (length == 0) {
      ++at;
      continue;
    }
    put_rest(at, true);
    Piece piece = piece_at(bytes, at, length);
    if (auto frame = unwrap(Framing::rtu, piece.wire)) piece.frame = std::move(*frame);
    all.push_back(std::move(piece));
    at += length;
    begin = at;
  }
  put_rest(bytes.size(), false);
  return all;
}

std::vector<Piece> tcp_pieces(ByteView bytes) {
  std::vector<Piece> all;
  for (std::size_t at = 0; at < bytes.size();) {
    const ByteView rest = bytes.subspan(at);
    const bool header = is_tcp_header(rest).value_or(false);
    const std::size_t length = header ? std::min(tcp_length(rest), rest.size()) : rest.size();
    Piece piece = piece_at(bytes, at, length);
    auto frame = unwrap(Framing::tcp, piece.wire);
    if (frame) {
      piece.frame = std::move(*frame);
    } else {
      piece.broken = frame.error();
    }
    all.push_back(std::move(piece));
    at += length;
  }
  return all;
}

bool known_function(std::uint8_t code) {
  const unsigned function = code & ~unsigned{refusal_bit};
  return (function >= 1 && function <= 0x17) || function == identity_function;
}

}  // namespace

std::vector<Piece> pieces_of(Framing framing, ByteView bytes) {
  return framing == Framing::rtu ? rtu_pieces(bytes) : tcp_pieces(bytes);
}

Framing guess_framing(ByteView bytes) {
  const bool header = is_tcp_header(bytes).value_or(false);
  const bool tcp = header && bytes.size() > tcp_header && known_function(u8(bytes[tcp_header]));
  return tcp && sound_length(bytes) == 0 ? Framing::tcp : Framing::rtu;
}

}  // namespace meterbridge::protocol::modbus
