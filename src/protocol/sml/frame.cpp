// SPDX-License-Identifier: MIT
#include "protocol/sml/frame.hpp"

#include "protocol/crc16.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::sml {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view start_mark = "\x1B\x1B\x1B\x1B\x01\x01\x01\x01"sv;
constexpr unsigned char escape_byte = 0x1B;
constexpr unsigned char begin_byte = 0x01;
constexpr unsigned char end_byte = 0x1A;
constexpr std::size_t escape_size = 4;
constexpr std::size_t doubled = 2 * escape_size;
constexpr std::size_t tail_size = 4;  // 1A, padding, check sum

ByteView bytes_in(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

std::string hex16(unsigned value) {
  const std::array bytes{static_cast<std::byte>(value >> 8U), static_cast<std::byte>(value)};
  return to_hex_upper(bytes);
}

// Four escape bytes that stand twice are four bytes of the payload.
void unescape(std::string_view raw, std::string& payload) {
  constexpr std::string_view twice = "\x1B\x1B\x1B\x1B\x1B\x1B\x1B\x1B"sv;
  payload.clear();
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t found = std::min(raw.find(twice, at), raw.size());
    payload.append(raw.substr(at, found - at));
    if (found < raw.size()) payload.append(twice.substr(0, escape_size));
    at = found + doubled;
  }
}

}  // namespace

void Framer::push(ByteView bytes) {
  ended_ = false;
  if (start_ > 0) {
    buffer_.erase(0, start_);
    base_ += start_;
    at_ -= std::min(at_, start_);
    start_ = 0;
  }
  // Bytes are read as characters here.  NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<Frame> Framer::next() {
  waiting_ = false;
  while (!waiting_) {
    if (auto frame = inside_ ? inside() : hunt()) return frame;
  }
  return std::nullopt;
}

std::optional<Frame> Framer::wait() {
  waiting_ = true;
  return std::nullopt;
}

std::string_view Framer::noise_hint() const noexcept {
  if (reported_.bytes == 0) return {};
  if (reported_.hdlc > reported_.bytes / 512) return "it looks like DLMS in HDLC frames";
  if (reported_.text > reported_.bytes - reported_.bytes / 16) {
    return "it is text: a meter that speaks IEC 62056-21 (mode D) or P1";
  }
  return {};
}

std::optional<Frame> Framer::skip_noise(std::size_t until) {
  // Noise is reported every noise_limit bytes, wherever the blocks were cut.
  const std::size_t from = start_;
  until = std::min(until, start_ + noise_limit - noise_.bytes);
  for (; start_ < until; ++start_) {
    const unsigned char c = byte(start_);
    const unsigned char plain = c & 0x7FU;
    ++noise_.bytes;
    noise_.text += (plain >= ' ' && plain < 0x7F) || plain == '\r' || plain == '\n' ? 1 : 0;
    noise_.hdlc += noise_.last == 0x7E && (c & 0xF0U) == 0xA0 ? 1 : 0;
    noise_.last = c;
  }
  if (noise_.bytes < noise_limit) return std::nullopt;
  reported_ = std::exchange(noise_, Noise());
  Frame frame;
  frame.offset = base_ + from;
  frame.length = start_ - from;
  return frame;
}

std::optional<Frame> Framer::hunt() {
  const std::size_t found = buffer_.find(start_mark, start_);
  if (found != std::string::npos) {
    if (auto noise = skip_noise(found)) return noise;
    noise_ = Noise();
    inside_ = true;
    escaped_ = false;
    at_ = start_ + start_mark.size();
    return std::nullopt;
  }
  // The last bytes may be the beginning of a mark.
  const std::size_t open = ended_ ? 0 : start_mark.size() - 1;
  const std::size_t until = std::max(start_, buffer_.size() - std::min(open, buffer_.size()));
  if (auto noise = skip_noise(until)) return noise;
  return wait();
}

std::optional<Frame> Framer::inside() {
  const std::size_t limit = start_ + longest;
  while (true) {
    const std::size_t first =
        std::min(buffer_.find(static_cast<char>(escape_byte), at_), buffer_.size());
    std::size_t behind = first;
    while (behind < buffer_.size() && byte(behind) == escape_byte)
      ++behind;
    at_ = first;
    if (behind == buffer_.size() || behind >= limit) break;
    // Of n escape bytes those of the payload stand in groups of eight; what is left of them is
    // below four, or there is a mark behind.
    const std::size_t run = behind - first;
    if (run % doubled >= escape_size) {
      escaped_ = escaped_ || run >= doubled;
      return at_escape(behind);
    }
    escaped_ = escaped_ || run >= doubled;
    at_ = behind;
  }
  if (buffer_.size() >= limit) {
    return drop(Frame::Kind::overlong, limit,
                "no end within " + std::to_string(longest) + " bytes");
  }
  if (!ended_) return wait();
  return drop(Frame::Kind::cut, buffer_.size(), "the stream ends inside the telegram");
}

// behind: the first byte after the mark's four escape bytes; it is there.
std::optional<Frame> Framer::at_escape(std::size_t behind) {
  const std::size_t limit = start_ + longest;
  const std::string_view mark = std::string_view(buffer_).substr(behind, tail_size);
  const auto open = [&] {
    if (buffer_.size() >= limit) {
      return std::optional(drop(Frame::Kind::overlong, limit,
                                "no end within " + std::to_string(longest) + " bytes"));
    }
    if (!ended_) return wait();
    return std::optional(
        drop(Frame::Kind::cut, buffer_.size(), "the stream ends inside the telegram"));
  };
  if (byte(behind) == end_byte) {
    if (mark.size() < tail_size || behind + tail_size > limit) return open();
    return judged(behind + tail_size);
  }
  const std::size_t same =
      std::min(mark.find_first_not_of(static_cast<char>(begin_byte)), mark.size());
  if (same == tail_size) {
    if (behind + tail_size > limit) return open();
    return drop(Frame::Kind::cut, behind - escape_size, "the next telegram begins inside");
  }
  if (same == mark.size() || behind + same + 1 > limit) return open();
  return drop(Frame::Kind::escape, behind,
              "the escape sequence is followed by 0x" +
                  to_hex_upper(bytes_in(mark.substr(same, 1))) + ", which means nothing");
}

Frame Framer::drop(Frame::Kind kind, std::size_t end, std::string error) {
  Frame frame;
  frame.kind = kind;
  frame.offset = base_ + start_;
  frame.length = end - start_;
  frame.error = std::move(error);
  start_ = end;
  inside_ = false;
  return frame;
}

Frame Framer::judged(std::size_t end) {
  const std::string_view raw = std::string_view(buffer_).substr(start_, end - start_);
  const std::string_view checked = raw.substr(0, raw.size() - 2);
  const auto at = [&raw](std::size_t from_end) {
    return static_cast<unsigned>(static_cast<unsigned char>(raw[raw.size() - from_end]));
  };
  const unsigned low_first = at(2) | at(1) << 8U;
  const unsigned high_first = at(2) << 8U | at(1);
  const unsigned x25 = crc16(checked, Crc16::Kind::x25);
  if (x25 != low_first && crc16(checked, Crc16::Kind::kermit) != high_first) {
    // A file may begin inside, behind escape bytes that were none.
    std::size_t again = raw.find(start_mark, start_mark.size());
    // Where the tail lost bytes, those of the next file stand in their place.
    if (again == std::string_view::npos)
      again = raw.find_last_not_of(static_cast<char>(escape_byte)) + 1;
    return drop(Frame::Kind::damaged, start_ + again,
                "CRC is " + hex16(x25) + ", the telegram says " + hex16(low_first));
  }
  Frame frame = drop(Frame::Kind::whole, end, {});
  frame.check = x25 == low_first ? CheckKind::x25 : CheckKind::kermit;
  std::string_view payload = raw.substr(start_mark.size());
  payload.remove_suffix(escape_size + tail_size);
  if (escaped_) {
    unescape(payload, payload_);
    payload = payload_;
  }
  const std::size_t padding = at(3);
  frame.padded_beyond = padding > payload.size();
  payload.remove_suffix(std::min(padding, payload.size()));
  frame.payload = bytes_in(payload);
  return frame;
}

}  // namespace meterbridge::protocol::sml
