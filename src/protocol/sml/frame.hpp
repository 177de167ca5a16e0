// SPDX-License-Identifier: MIT
// Finds SML files in a stream of bytes (SML 1.04, transport protocol version 1).
//
//   1B1B1B1B 01010101  payload, escaped  00...  1B1B1B1B 1A <padding> <check sum>
//
// Byte by byte: a lost byte costs the file that it belonged to and no other. Every decision depends
// on the bytes alone, never on how they were cut into blocks.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::sml {

enum class CheckKind : std::uint8_t { x25, kermit };

struct Frame {
  enum class Kind : std::uint8_t {
    whole,     // its check sum is right
    damaged,   // it is not
    cut,       // the next file, or the end of the stream, came before the end
    escape,    // four escape bytes, and then something that has no meaning
    overlong,  // no end within the limit
    noise,     // a run of bytes without any file in them
  };
  Kind kind = Kind::noise;
  std::size_t offset = 0;  // in the stream
  std::size_t length = 0;
  // Only of whole: unescaped, without padding; valid until the next call.
  ByteView payload;
  CheckKind check = CheckKind::x25;
  bool padded_beyond = false;  // whole, but more padding than payload is announced
  std::string error;           // in words; empty when whole
};

class Framer {
 public:
  static constexpr std::size_t longest = 4096;  // of a file; the longest seen has 684 bytes
  static constexpr std::size_t noise_limit = 4096;

  // All of next() must have been taken before.
  void push(ByteView bytes);

  // No more bytes follow what was pushed (end of the stream, or a long silence).
  void finish() noexcept { ended_ = true; }

  [[nodiscard]] std::optional<Frame> next();

  // What the noise before looks like, in words a user can act on; empty if like nothing known.
  [[nodiscard]] std::string_view noise_hint() const noexcept;

  [[nodiscard]] bool in_file() const noexcept { return inside_; }

 private:
  struct Noise {
    std::size_t bytes = 0;
    std::size_t text = 0;  // printable, whatever bit 7 says
    std::size_t hdlc = 0;  // 7E Ax: the beginning of an HDLC frame
    unsigned char last = 0;
  };

  [[nodiscard]] unsigned char byte(std::size_t at) const noexcept {
    return static_cast<unsigned char>(buffer_[at]);
  }

  std::optional<Frame> hunt();
  std::optional<Frame> inside();
  std::optional<Frame> at_escape(std::size_t behind);
  std::optional<Frame> skip_noise(std::size_t until);
  Frame judged(std::size_t end);
  Frame drop(Frame::Kind kind, std::size_t end, std::string error);
  std::optional<Frame> wait();

  std::string buffer_;
  std::size_t base_ = 0;   // offset in the stream of buffer_[0]
  std::size_t start_ = 0;  // of the file, or of what is not yet searched
  std::size_t at_ = 0;     // inside: nothing of interest before this
  bool inside_ = false;
  bool escaped_ = false;  // the payload has escape bytes of its own
  bool ended_ = false;
  bool waiting_ = false;
  std::string payload_;
  Noise noise_;
  Noise reported_;
};

}  // namespace meterbridge::protocol::sml
