// SPDX-License-Identifier: MIT
#include "protocol/dlms/responder.hpp"

#include "protocol/crc16.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::size_t mbus_part = 245;     // 250 less the five bytes in front
constexpr std::size_t wrapped_part = 252;  // older T210-D: 257 less the same five
constexpr std::size_t hdlc_part = 150;
constexpr std::size_t block_part = 119;
constexpr std::uint8_t last_part = 0x10;

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(Bytes& out, std::initializer_list<unsigned> bytes) {
  for (const unsigned b : bytes)
    out.push_back(static_cast<std::byte>(b & 0xFFU));
}

Bytes with_llc(ByteView apdu) {
  Bytes out;
  append(out, {0xE6, 0xE7, 0x00});
  append(out, apdu);
  return out;
}

Bytes in_mbus(ByteView apdu, std::size_t part_size) {
  Bytes out;
  std::uint8_t number = 0;
  do {
    const ByteView part = apdu.first(std::min(part_size, apdu.size()));
    apdu = apdu.subspan(part.size());
    append(out, mbus_frame(apdu.empty() ? number | last_part : number, part));
    ++number;
  } while (!apdu.empty());
  return out;
}

Bytes in_segments(ByteView apdu) {
  const Bytes whole = with_llc(apdu);
  Bytes out;
  for (ByteView rest = whole; !rest.empty();) {
    const ByteView part = rest.first(std::min(hdlc_part, rest.size()));
    rest = rest.subspan(part.size());
    append(out, hdlc_frame(!rest.empty(), part));
  }
  return out;
}

Bytes in_blocks(ByteView apdu) {
  Bytes out;
  unsigned number = 1;
  do {
    const ByteView part = apdu.first(std::min(block_part, apdu.size()));
    apdu = apdu.subspan(part.size());
    Bytes block;
    append(block, {0xE0, apdu.empty() ? 0xC0U : 0x40U, number >> 8U, number, 0, 0,
                   static_cast<unsigned>(part.size())});
    append(block, part);
    append(out, hdlc_frame(false, number == 1 ? with_llc(block) : block));
    ++number;
  } while (!apdu.empty());
  return out;
}

}  // namespace

Bytes mbus_frame(std::uint8_t control, ByteView part) {
  const auto length = static_cast<unsigned>(part.size() + 5);
  Bytes body;
  append(body, {0x53, 0xFF, control, 0x01, 0x67});
  append(body, part);
  unsigned sum = 0;
  for (const std::byte b : body)
    sum += u8(b);
  Bytes out;
  append(out, {0x68, length, length, 0x68});
  append(out, body);
  append(out, {sum, 0x16});
  return out;
}

Bytes hdlc_frame(bool more, ByteView part) {
  constexpr unsigned type = 0xA0;
  constexpr unsigned segmented = 0x08;
  constexpr std::size_t around = 10;  // format, addresses, control and both check sums
  Bytes frame;
  const auto length = static_cast<unsigned>(part.size() + around);
  append(frame, {type | (more ? segmented : 0U) | length >> 8U, length, 0xCF, 0x02, 0x23, 0x13});
  const auto check = [&frame] {
    const unsigned crc = crc16(ByteView(frame), Crc16::Kind::x25);
    append(frame, {crc, crc >> 8U});
  };
  check();
  append(frame, part);
  check();
  Bytes out;
  append(out, {0x7E});
  append(out, frame);
  append(out, {0x7E});
  return out;
}

Bytes framed(Line line, ByteView apdu) {
  switch (line) {
    case Line::mbus:
      return in_mbus(apdu, mbus_part);
    case Line::mbus_wrapped:
      return in_mbus(apdu, wrapped_part);
    case Line::hdlc:
      return hdlc_frame(false, with_llc(apdu));
    case Line::hdlc_segments:
      return in_segments(apdu);
    case Line::hdlc_blocks:
      return in_blocks(apdu);
  }
  return {};
}

Bytes DlmsResponder::apdu() {
  // Counted on from the time shown, so that a simulation that is started again does not repeat
  // itself.
  const auto seconds =
      static_cast<std::uint32_t>(std::max<std::int64_t>(face_.now.time_since_epoch().count(), 0));
  counter_ = std::max(counter_ + 1, seconds);
  Bytes plain = notification_of(model_, face_, counter_, mischief_.foreign);
  if (keys_.key.empty()) return plain;
  Bytes key = keys_.key;
  if (mischief_.wrong_key) key.front() ^= std::byte{0xFF};
  std::string title(model_.title);
  if (mischief_.foreign) title.back() = '9';
  Sealing sealing;
  sealing.key = key;
  sealing.title = std::as_bytes(std::span(title));
  sealing.counter = counter_;
  sealing.security = model_.security;
  // Every meter has an authentication key, even if nobody is told.
  Bytes authentication = keys_.authentication;
  authentication.resize(gcm_key_size);
  const Bytes additional = additional_data(model_.security, authentication);
  sealing.additional = additional;
  auto sealed = seal_apdu(plain, sealing);
  if (!sealed) return {};
  return *std::move(sealed);
}

Bytes DlmsResponder::push() {
  return framed(model_.line, apdu());
}

}  // namespace meterbridge::protocol::dlms
