// SPDX-License-Identifier: MIT
// Finds telegrams in a stream of bytes, plain and encrypted ones, in noise, cut and mashed.
//
//   /XXXZ<identification> CR LF CR LF  lines  !<CRC> CR LF         plain
//   DB 08 <system title> <length> ...                              encrypted (cipher.hpp)
//
// Every decision depends on the bytes alone, never on how they were cut into blocks.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::p1 {

struct Frame {
  enum class Kind : std::uint8_t {
    plain,      // from the slash to the end of the line with the exclamation mark
    encrypted,  // by its length field
    cut,        // the next telegram, or the end of the stream, came before the end
    overlong,   // no end within the limit
    noise,      // a run of bytes without any telegram in them
  };
  Kind kind = Kind::noise;
  std::size_t offset = 0;  // in the stream
  std::size_t length = 0;
  // Only of plain and encrypted; valid until the next push(). Parity bits are removed.
  std::string_view text;
  std::size_t check = 0;      // plain: where the exclamation mark stands in `text`
  bool wrong_parity = false;  // a 7E1 telegram read as 8N1, with a damaged byte
  bool open_check = false;    // the stream ended before the line of the exclamation mark did
};

class Framer {
 public:
  static constexpr std::size_t longest = 8192;  // of a telegram; the longest seen has 2405 bytes
  static constexpr std::size_t noise_limit =
      4096;  // bytes without telegram that are worth a report

  // seven_bit: bit 7 of every byte is a parity bit, remove it.
  explicit Framer(bool seven_bit = false) : seven_bit_(seven_bit) {}

  // All of next() must have been taken before.
  void push(ByteView bytes);

  // No more bytes follow what was pushed (end of the stream, or a long silence).
  void finish() noexcept { ended_ = true; }

  [[nodiscard]] std::optional<Frame> next();

  // The frame that next() just returned failed its check: go on at the earliest byte inside it that
  // can begin another one. Returns how many bytes are given up; less than frame.length when there
  // is such a byte.
  std::size_t reject(const Frame& frame);
  // Where a second telegram begins inside this one, in bytes from its start: for telegrams without
  // check sum.
  [[nodiscard]] std::optional<std::size_t> second_start(const Frame& frame) const;
  // A plain telegram begins inside this encrypted frame, which was noise then.
  [[nodiscard]] bool plain_inside(const Frame& frame) const noexcept;
  // What the noise since the last telegram looks like, in words a user can act on; empty if like
  // nothing known.
  [[nodiscard]] std::string_view noise_hint() const noexcept;

  // Bytes of an unfinished telegram are waiting.
  [[nodiscard]] bool in_telegram() const noexcept { return state_ != State::hunting; }

 private:
  enum class State : std::uint8_t { hunting, plain, encrypted };
  enum class Shape : std::uint8_t { no, undecided, plain, parity, encrypted };

  struct Found {
    std::size_t at = 0;
    Shape shape = Shape::no;
  };

  struct Noise {
    std::size_t bytes = 0;
    std::size_t high = 0;     // bit 7 set
    std::size_t even = 0;     // even parity over eight bits
    std::size_t hdlc = 0;     // 7E Ax: the beginning of an HDLC frame
    std::size_t sml = 0;      // 1B 1B 1B 1B
    std::size_t escapes = 0;  // 1B in a row
    unsigned char last = 0;
  };

  [[nodiscard]] unsigned char byte(std::size_t at) const noexcept {
    return static_cast<unsigned char>(buffer_[at]);
  }

  [[nodiscard]] bool line_starts(std::size_t at) const noexcept;
  [[nodiscard]] Shape shape(std::size_t at, std::size_t limit) const noexcept;
  [[nodiscard]] Shape plain_shape(std::size_t at, std::size_t limit) const noexcept;
  [[nodiscard]] Shape parity_shape(std::size_t at, std::size_t limit) const noexcept;
  [[nodiscard]] Found find_start(std::size_t from, std::size_t limit) const noexcept;
  [[nodiscard]] std::size_t find_at_line_start(unsigned char wanted, std::size_t from,
                                               std::size_t limit) const noexcept;
  std::optional<Frame> hunt();
  void enter(const Found& found);
  void skip_noise(std::size_t until) noexcept;
  std::optional<Frame> in_plain();
  std::optional<Frame> in_encrypted();
  [[nodiscard]] std::optional<std::size_t> end_of_check(std::size_t mark) const noexcept;
  [[nodiscard]] Frame drop(Frame::Kind kind, std::size_t end);
  [[nodiscard]] bool worth_a_report() const noexcept;
  [[nodiscard]] Frame take_plain(std::size_t mark, std::size_t end);

  std::string buffer_;
  std::size_t base_ = 0;      // offset in the stream of buffer_[0]
  std::size_t start_ = 0;     // of the telegram, or of what is not yet searched
  std::size_t searched_ = 0;  // in a plain telegram: nothing of interest before this
  std::size_t total_ = 0;     // of an encrypted frame
  State state_ = State::hunting;
  bool parity_ = false;         // the plain telegram at start_ has parity bits
  bool after_line_end_ = true;  // of the byte before buffer_[0]
  bool ended_ = false;
  const bool seven_bit_;
  Noise noise_;
  std::string without_parity_;
};

}  // namespace meterbridge::protocol::p1
