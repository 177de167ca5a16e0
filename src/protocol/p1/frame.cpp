// SPDX-License-Identifier: MIT
#include "protocol/p1/frame.hpp"

#include "protocol/p1/cipher.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::size_t longest_header = 96;  // 64 by the standard
constexpr std::size_t longest_check =
    16;  // what may stand behind the exclamation mark, four digits as a rule
constexpr std::size_t letters = 3;
constexpr unsigned char slash = '/';
constexpr unsigned char parity_slash = 0xAF;  // with its even parity bit
constexpr unsigned char mark = '!';           // has an even number of ones: the same with parity
constexpr unsigned char line_feed = '\n';     // likewise
constexpr unsigned char carriage_return = '\r';
constexpr unsigned char parity_return = 0x8D;
constexpr unsigned char glo_ciphering = 0xDB;
constexpr unsigned char hdlc_flag = 0x7E;
constexpr unsigned char sml_escape = 0x1B;
constexpr unsigned char low_seven = 0x7F;
constexpr unsigned char whole_byte = 0xFF;

bool is_letter(unsigned char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_line_end(unsigned char c) noexcept {
  return c == line_feed || c == carriage_return;
}

bool even(unsigned char c) noexcept {
  return std::popcount(c) % 2 == 0;
}

// Inside a line of data a slash may stand in a message; a header has neither groups nor controls.
bool fits_header(unsigned char c) noexcept {
  return c >= ' ' && c < low_seven && c != '(' && c != ')' && c != mark;
}

}  // namespace

void Framer::push(ByteView bytes) {
  if (ended_) {  // a new stretch after a silence: what is left belongs to nothing
    ended_ = false;
    base_ += buffer_.size();
    buffer_.clear();
    start_ = 0;
    state_ = State::hunting;
    after_line_end_ = true;
  }
  if (start_ > 0) {
    after_line_end_ = is_line_end(byte(start_ - 1));
    buffer_.erase(0, start_);
    base_ += start_;
    searched_ -= std::min(searched_, start_);
    start_ = 0;
  }
  if (bytes.empty()) return;
  const std::size_t before = buffer_.size();
  // Bytes are read as characters here.  NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!seven_bit_) return;
  for (std::size_t i = before; i < buffer_.size(); ++i) {
    buffer_[i] = static_cast<char>(byte(i) & low_seven);
  }
}

std::optional<Frame> Framer::next() {
  while (true) {
    const State before = state_;
    std::optional<Frame> frame;
    switch (state_) {
      case State::hunting:
        frame = hunt();
        break;
      case State::plain:
        frame = in_plain();
        break;
      case State::encrypted:
        frame = in_encrypted();
        break;
    }
    if (frame) return frame;
    if (state_ == before) return std::nullopt;
  }
}

bool Framer::line_starts(std::size_t at) const noexcept {
  return at == 0 ? after_line_end_ : is_line_end(byte(at - 1));
}

// A header begins with a slash and three letters. At the start of a line the rest may be damaged
// (the check sum will tell); elsewhere only a clean header counts, because messages may contain
// slashes.
Framer::Shape Framer::plain_shape(std::size_t at, std::size_t limit) const noexcept {
  const bool strict = !line_starts(at);
  for (std::size_t i = 1; i <= longest_header; ++i) {
    if (at + i >= limit) return Shape::undecided;
    const unsigned char c = byte(at + i);
    if (i <= letters) {
      if (!is_letter(c)) return Shape::no;
    } else if (is_line_end(c)) {
      return Shape::plain;
    } else if (strict && !fits_header(c)) {
      return Shape::no;
    }
  }
  return Shape::no;
}

Framer::Shape Framer::parity_shape(std::size_t at, std::size_t limit) const noexcept {
  for (std::size_t i = 1; i <= longest_header; ++i) {
    if (at + i >= limit) return Shape::undecided;
    const unsigned char c = byte(at + i);
    const unsigned char plain = c & low_seven;
    if (!even(c)) return Shape::no;
    if (i <= letters) {
      if (!is_letter(plain)) return Shape::no;
    } else if (is_line_end(plain)) {
      return Shape::parity;
    } else if (!fits_header(plain)) {
      return Shape::no;
    }
  }
  return Shape::no;
}

Framer::Shape Framer::shape(std::size_t at, std::size_t limit) const noexcept {
  switch (byte(at)) {
    case slash:
      return plain_shape(at, limit);
    case parity_slash:
      return parity_shape(at, limit);
    case glo_ciphering: {
      const FrameLength length = encrypted_length(std::string_view(buffer_).substr(at, limit - at));
      if (length.verdict == FrameLength::Verdict::none) return Shape::no;
      return length.verdict == FrameLength::Verdict::frame ? Shape::encrypted : Shape::undecided;
    }
    default:
      return Shape::no;
  }
}

Framer::Found Framer::find_start(std::size_t from, std::size_t limit) const noexcept {
  for (std::size_t at = from; at < limit; ++at) {
    const unsigned char c = byte(at);
    if (c != slash && c != glo_ciphering && c != parity_slash) continue;
    const Shape found = shape(at, limit);
    if (found != Shape::no) return {at, found};
  }
  return {limit, Shape::no};
}

void Framer::skip_noise(std::size_t until) noexcept {
  for (; start_ < until; ++start_) {
    const unsigned char c = byte(start_);
    ++noise_.bytes;
    noise_.high += c > low_seven ? 1 : 0;
    noise_.even += even(c) ? 1 : 0;
    noise_.hdlc += noise_.last == hdlc_flag && (c & 0xF0U) == 0xA0 ? 1 : 0;
    noise_.escapes = c == sml_escape ? noise_.escapes + 1 : 0;
    noise_.sml += noise_.escapes == 4 ? 1 : 0;
    noise_.last = c;
  }
}

void Framer::enter(const Found& found) {
  noise_ = {};
  if (found.shape == Shape::encrypted) {
    state_ = State::encrypted;
    total_ = encrypted_length(std::string_view(buffer_).substr(found.at)).total;
  } else {
    state_ = State::plain;
    parity_ = found.shape == Shape::parity;
    searched_ = found.at + 1;
  }
}

// Of a beginning at start_ that the end of the stream cut: too short to be sure, but no accident.
bool Framer::worth_a_report() const noexcept {
  constexpr unsigned char title_size = 8;
  const std::size_t left = buffer_.size() - start_;
  if (byte(start_) == glo_ciphering) return left > 2 && byte(start_ + 1) == title_size;
  return line_starts(start_) && left > letters;
}

std::optional<Frame> Framer::hunt() {
  if (noise_.bytes >= noise_limit) noise_ = {};
  while (start_ < buffer_.size()) {
    const Found found = find_start(start_, buffer_.size());
    // Noise is reported every noise_limit bytes, wherever the blocks were cut.
    const std::size_t until = std::min(found.at, start_ + noise_limit - noise_.bytes);
    const std::size_t from = start_;
    skip_noise(until);
    if (noise_.bytes >= noise_limit) {
      Frame noise;
      noise.offset = base_ + from;
      noise.length = until - from;
      return noise;
    }
    if (found.shape == Shape::no) return std::nullopt;
    if (found.shape != Shape::undecided) {
      enter(found);
      return std::nullopt;
    }
    if (!ended_) return std::nullopt;
    if (worth_a_report()) return drop(Frame::Kind::cut, buffer_.size());
    skip_noise(start_ + 1);
  }
  return std::nullopt;
}

std::size_t Framer::find_at_line_start(unsigned char wanted, std::size_t from,
                                       std::size_t limit) const noexcept {
  while (from < limit) {
    const void* hit = std::memchr(buffer_.data() + from, wanted, limit - from);
    if (hit == nullptr) return limit;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - buffer_.data());
    if (is_line_end(byte(at - 1)) || byte(at - 1) == parity_return) return at;
    from = at + 1;
  }
  return limit;
}

// The index behind the line with the exclamation mark. Nothing: more bytes are needed.
std::optional<std::size_t> Framer::end_of_check(std::size_t at) const noexcept {
  const unsigned char mask = parity_ ? low_seven : whole_byte;
  const std::size_t limit = std::min(buffer_.size(), at + 1 + longest_check);
  for (std::size_t i = at + 1; i < limit; ++i) {
    const unsigned char c = byte(i) & mask;
    if (c == line_feed) return i + 1;
    if (c != carriage_return) continue;
    if (i + 1 < buffer_.size()) return byte(i + 1) == line_feed ? i + 2 : i + 1;
    return ended_ ? std::optional(i + 1) : std::nullopt;
  }
  if (limit == at + 1 + longest_check || ended_) return limit;
  return std::nullopt;
}

std::optional<Frame> Framer::in_plain() {
  const std::size_t limit = std::min(buffer_.size(), start_ + longest);
  const std::size_t end = find_at_line_start(mark, searched_, limit);
  const unsigned char opening = parity_ ? parity_slash : slash;
  for (std::size_t at = searched_; (at = find_at_line_start(opening, at, end)) < end; ++at) {
    const Shape found = shape(at, buffer_.size());
    if (found == Shape::undecided && !ended_) {
      searched_ = at;
      return std::nullopt;
    }
    if (found == Shape::plain || found == Shape::parity) return drop(Frame::Kind::cut, at);
  }
  searched_ = end;
  if (end < limit) {
    const auto behind = end_of_check(end);
    if (!behind) return std::nullopt;
    return take_plain(end, *behind);
  }
  if (limit == start_ + longest) return drop(Frame::Kind::overlong, limit);
  if (ended_) return drop(Frame::Kind::cut, limit);
  return std::nullopt;
}

std::optional<Frame> Framer::in_encrypted() {
  if (buffer_.size() - start_ < total_) {
    if (!ended_) return std::nullopt;
    return drop(Frame::Kind::cut, buffer_.size());
  }
  Frame frame;
  frame.kind = Frame::Kind::encrypted;
  frame.offset = base_ + start_;
  frame.length = total_;
  frame.text = std::string_view(buffer_).substr(start_, total_);
  start_ += total_;
  state_ = State::hunting;
  return frame;
}

// Gives up what begins at start_ and would end at `end`, but not a telegram that begins inside it.
Frame Framer::drop(Frame::Kind kind, std::size_t end) {
  Frame frame;
  frame.kind = kind;
  frame.offset = base_ + start_;
  frame.length = end - start_;
  start_ = end;
  state_ = State::hunting;
  frame.length = reject(frame);
  return frame;
}

Frame Framer::take_plain(std::size_t mark_at, std::size_t end) {
  Frame frame;
  frame.kind = Frame::Kind::plain;
  frame.offset = base_ + start_;
  frame.length = end - start_;
  frame.text = std::string_view(buffer_).substr(start_, frame.length);
  frame.check = mark_at - start_;
  const unsigned char last = byte(end - 1) & (parity_ ? low_seven : whole_byte);
  frame.open_check = ended_ && end == buffer_.size() && !is_line_end(last);
  if (parity_) {
    without_parity_.assign(frame.text);
    for (char& c : without_parity_) {
      frame.wrong_parity = frame.wrong_parity || !even(static_cast<unsigned char>(c));
      c = static_cast<char>(static_cast<unsigned char>(c) & low_seven);
    }
    frame.text = without_parity_;
  }
  start_ = end;
  state_ = State::hunting;
  return frame;
}

std::size_t Framer::reject(const Frame& frame) {
  const std::size_t begin = frame.offset - base_;
  const Found found = find_start(begin + 1, begin + frame.length);
  // The last bytes of the frame may be the beginning of the next one: undecided counts.
  if (found.shape == Shape::no) return frame.length;
  start_ = found.at;
  state_ = State::hunting;
  return found.at - begin;
}

bool Framer::plain_inside(const Frame& frame) const noexcept {
  const std::size_t begin = frame.offset - base_;
  const std::size_t end = begin + frame.length;
  for (std::size_t at = begin + 1; at < end; ++at) {
    if (byte(at) != slash && byte(at) != parity_slash) continue;
    const Shape found = shape(at, end);
    if (found == Shape::plain || found == Shape::parity) return true;
    if (found == Shape::undecided && end - at > letters) return true;
  }
  return false;
}

std::optional<std::size_t> Framer::second_start(const Frame& frame) const {
  const std::size_t begin = frame.offset - base_;
  const std::size_t end = begin + frame.check;
  std::size_t from = begin + 1;
  const unsigned char mask = parity_ ? low_seven : whole_byte;
  while (from < end && !is_line_end(byte(from) & mask)) {
    ++from;
  }
  // A header may contain a slash ("/HLY5/D545-METER"); it is a second header only when it repeats
  // the first.
  const std::string_view header = std::string_view(buffer_).substr(begin, from - begin);
  const std::size_t again = header.find(header.substr(0, 1 + letters), 1);
  if (again != std::string_view::npos) return again;
  const Found found = find_start(from, end);
  if (found.shape == Shape::no || found.shape == Shape::undecided) return std::nullopt;
  return found.at - begin;
}

std::string_view Framer::noise_hint() const noexcept {
  if (noise_.bytes == 0) return {};
  constexpr std::size_t more_than_chance = 4;
  if (noise_.sml > 0) return "this looks like SML: protocol sml";
  if (noise_.hdlc >= more_than_chance) return "this looks like DLMS in HDLC frames: protocol dlms";
  if (noise_.even == noise_.bytes && noise_.high > 0)
    return "this looks like 7E1 text: set seven_bit";
  if (noise_.high * 4 > noise_.bytes) return "wrong speed or parity, or the signal is not inverted";
  return {};
}

}  // namespace meterbridge::protocol::p1
