// SPDX-License-Identifier: MIT
#include "protocol/dlms/link.hpp"

#include "protocol/crc16.hpp"
#include "protocol/dlms/cipher.hpp"

#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::uint8_t mbus_start = 0x68;
constexpr std::uint8_t mbus_stop = 0x16;
constexpr std::size_t mbus_header = 5;    // C A CI STSAP DTSAP
constexpr std::size_t mbus_overhead = 6;  // 68 L L 68 in front, sum and stop byte behind
constexpr std::uint8_t hdlc_flag = 0x7E;
constexpr std::size_t crc_size = 2;

std::uint8_t at(ByteView bytes, std::size_t i) noexcept {
  return u8(bytes[i]);
}

std::uint8_t sum_of(ByteView bytes) noexcept {
  unsigned sum = 0;
  for (const std::byte b : bytes)
    sum += u8(b);
  return static_cast<std::uint8_t>(sum & 0xFFU);
}

// CRC-16/X-25, low byte first.
bool crc_fits(ByteView bytes, std::size_t covered) {
  const unsigned sent = at(bytes, covered) | static_cast<unsigned>(at(bytes, covered + 1)) << 8U;
  return crc16(bytes.first(covered), Crc16::Kind::x25) == sent;
}

// E6 E7 00 or E6 E6 00.
bool has_llc(ByteView bytes, std::size_t where) noexcept {
  constexpr std::uint8_t all = 0xE6;
  constexpr std::uint8_t answer = 0xE7;
  return bytes.size() >= where + 3 && at(bytes, where) == all &&
         (at(bytes, where + 1) == all || at(bytes, where + 1) == answer) &&
         at(bytes, where + 2) == 0;
}

struct HdlcHeader {
  enum class Verdict : std::uint8_t { none, undecided, good };
  Verdict verdict = Verdict::none;
  std::size_t size = 0;    // from the format to the control byte, the flag not counted
  std::size_t length = 0;  // of everything between the flags
  bool segmented = false;
};

// `bytes` begins behind the flag. Addresses of 1, 2 and 4 bytes: the lowest bit ends each.
HdlcHeader hdlc_header(ByteView bytes) {
  using Verdict = HdlcHeader::Verdict;
  constexpr std::uint8_t type = 0xA0;
  constexpr std::size_t longest_address = 4;
  if (bytes.empty()) return {Verdict::undecided, 0, 0, false};
  if ((at(bytes, 0) & 0xF0U) != type) return {};
  if (bytes.size() < 2) return {Verdict::undecided, 0, 0, false};
  HdlcHeader header;
  header.length = (at(bytes, 0) & 0x07U) << 8U | at(bytes, 1);
  header.segmented = (at(bytes, 0) & 0x08U) != 0;
  std::size_t where = 2;
  for (int address = 0; address < 2; ++address) {
    for (std::size_t size = 1;; ++size, ++where) {
      if (size > longest_address) return {};
      if (where >= bytes.size()) return {Verdict::undecided, 0, 0, false};
      if ((at(bytes, where) & 1U) != 0) break;
    }
    ++where;
  }
  header.size = where + 1;  // the control byte
  // Without content there is no second check sum.
  if (header.length != header.size + crc_size && header.length < header.size + 2 * crc_size)
    return {};
  header.verdict = Verdict::good;
  return header;
}

}  // namespace

void Framer::push(ByteView bytes) {
  constexpr std::size_t worth_moving = 4096;
  if (at_ >= worth_moving || at_ == buffer_.size()) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    base_ += at_;
    at_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  if (!bytes.empty()) ended_ = false;
}

// L counts from C. Older T210-D put 257 bytes into a frame and write them modulo 256: a length
// below five cannot be true. Any other length is taken as written.
Framer::Look Framer::look_mbus(ByteView bytes) {
  constexpr std::size_t intro = 4;
  constexpr std::uint8_t segment_bits = 0x0F;
  constexpr std::uint8_t last_bit = 0x10;
  constexpr std::uint8_t other_ci = 0xE0;
  Look look;
  if (bytes.size() < intro) {
    const bool fits = bytes.size() < 3 || at(bytes, 1) == at(bytes, 2);
    look.verdict = fits ? Look::Verdict::wait : Look::Verdict::none;
    return look;
  }
  if (at(bytes, 3) != mbus_start || at(bytes, 1) != at(bytes, 2)) return look;
  std::size_t length = at(bytes, 1);
  if (length < mbus_header) length += 0x100;
  look.frame.length = length + mbus_overhead;
  look.credible = true;
  look.verdict = Look::Verdict::wait;
  if (bytes.size() < look.frame.length) return look;
  look.verdict = Look::Verdict::frame;
  const ByteView body = bytes.subspan(intro, length);
  const bool sum_fits = sum_of(body) == at(bytes, intro + length);
  look.consumed = 1;
  look.frame.kind = LinkFrame::Kind::damaged;
  if (at(bytes, intro + length + 1) != mbus_stop) {
    look.frame.error = "the M-Bus frame does not end where its length says";
    return look;
  }
  if (!sum_fits) {
    look.frame.error = "the sum of the M-Bus frame is wrong";
    return look;
  }
  look.consumed = look.frame.length;
  const std::uint8_t control = at(body, 2);
  if ((control & other_ci) != 0) {
    look.frame.kind = LinkFrame::Kind::unsupported;
    look.frame.error = "an M-Bus frame with CI " + to_hex_upper(body.subspan(2, 1)) +
                       " is no DLMS push (OMS and meters that want to be asked are not read)";
    return look;
  }
  look.frame.kind = LinkFrame::Kind::mbus;
  look.frame.segment = control & segment_bits;
  look.frame.last = (control & last_bit) != 0;
  look.frame.content = body.subspan(mbus_header);
  return look;
}

Framer::Look Framer::look_hdlc(ByteView bytes) {
  constexpr std::size_t llc_size = 3;
  Look look;
  const HdlcHeader header = hdlc_header(bytes.subspan(1));
  if (header.verdict == HdlcHeader::Verdict::none) return look;
  look.verdict = Look::Verdict::wait;
  if (header.verdict == HdlcHeader::Verdict::undecided) return look;
  const ByteView frame = bytes.subspan(1);
  const std::size_t content = header.size + crc_size;
  // Two flags around whatever a cut left over look like a frame, too. Only what has a good header,
  // or the prefix that each telegram begins with, is worth a word.
  if (frame.size() < content) return look;
  look.frame.length = header.length + 2;
  look.credible = crc_fits(frame, header.size);
  if (!look.credible) {
    if (frame.size() < content + llc_size) return look;
    look.verdict = has_llc(frame, content) ? Look::Verdict::frame : Look::Verdict::none;
    look.consumed = 1;
    look.frame.length = 1 + content;  // the length that it claims may be what is wrong
    look.frame.kind = LinkFrame::Kind::damaged;
    look.frame.error = "the check sum of the HDLC header (HCS) is wrong";
    return look;
  }
  if (bytes.size() < look.frame.length) return look;
  look.verdict = Look::Verdict::frame;
  look.consumed = 1;
  look.frame.kind = LinkFrame::Kind::damaged;
  if (at(bytes, 1 + header.length) != hdlc_flag) {
    look.frame.error = "the HDLC frame does not end where its length says";
    return look;
  }
  const bool empty = header.length == content;
  if (!empty && !crc_fits(frame, header.length - crc_size)) {
    look.frame.error = "the check sum of the HDLC frame (FCS) is wrong";
    return look;
  }
  look.frame.kind = LinkFrame::Kind::hdlc;
  look.frame.last = !header.segmented;
  if (!empty) look.frame.content = frame.subspan(content, header.length - crc_size - content);
  look.consumed = 1 + header.length;  // the closing flag may open the next frame
  return look;
}

// No link layer: a ciphered APDU ends by its length, a plain one where its last element does.
Framer::Look Framer::look_bare(ByteView bytes) {
  Look look;
  const ApduLength length = apdu_length(bytes);
  if (length.verdict == ApduLength::Verdict::none) return look;
  look.frame.length = length.total;
  look.credible = length.credible;
  look.verdict = Look::Verdict::wait;
  if (length.verdict == ApduLength::Verdict::undecided || bytes.size() < length.total) return look;
  look.verdict = Look::Verdict::frame;
  look.consumed = length.total;
  look.frame.kind = LinkFrame::Kind::bare;
  look.frame.content = bytes.first(length.total);
  return look;
}

Framer::Look Framer::look() const {
  const ByteView bytes = rest();
  const std::uint8_t first = at(bytes, 0);
  const bool any = framing_ == Framing::automatic;
  if (first == mbus_start && (any || framing_ == Framing::mbus)) return look_mbus(bytes);
  if (first == hdlc_flag && (any || framing_ == Framing::hdlc)) return look_hdlc(bytes);
  if (bare_ && fresh_) return look_bare(bytes);
  return {};
}

LinkFrame Framer::take(Look&& found) {
  found.frame.offset = base_ + at_;
  at_ += found.consumed;
  noise_ = 0;
  fresh_ = found.frame.kind == LinkFrame::Kind::bare;
  return std::move(found.frame);
}

std::optional<LinkFrame> Framer::skip(std::size_t bytes) {
  at_ += bytes;
  noise_ += bytes;
  fresh_ = false;
  if (noise_ < noise_limit) return std::nullopt;
  LinkFrame noise;
  noise.offset = base_ + at_ - noise_;
  noise.length = noise_;
  noise_ = 0;
  return noise;
}

std::optional<LinkFrame> Framer::next() {
  while (at_ < buffer_.size()) {
    Look found = look();
    if (found.verdict == Look::Verdict::frame) return take(std::move(found));
    if (found.verdict == Look::Verdict::wait) {
      if (!ended_) return std::nullopt;
      if (found.credible) {
        found.frame.kind = LinkFrame::Kind::cut;
        found.frame.length = rest().size();
        found.frame.error =
            "the frame breaks off after " + std::to_string(rest().size()) + " bytes";
        found.consumed = 1;
        return take(std::move(found));
      }
    }
    if (auto noise = skip(1)) return noise;
  }
  // After the end of a stream, or a silence, something new begins.
  if (ended_) fresh_ = true;
  return std::nullopt;
}

}  // namespace meterbridge::protocol::dlms
