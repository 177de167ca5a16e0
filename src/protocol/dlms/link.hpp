// SPDX-License-Identifier: MIT
// Step 1 of 5: finds link frames in a stream of bytes, M-Bus and HDLC ones as they come, and bare
// APDUs where there is no link layer at all.
//
//   68 L L 68 C A CI STSAP DTSAP part CS 16         M-Bus long frame, sum of the L bytes
//   7E Ax LL dst src ctl HCS part FCS 7E            HDLC type 3, no octet stuffing
//   0F ... or DB ... or DC ...                      bare, only where nothing unreadable came before
//
// Every decision depends on the bytes alone, never on how they were cut into blocks.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace meterbridge::protocol::dlms {

struct LinkFrame {
  enum class Kind : std::uint8_t {
    mbus,
    hdlc,
    bare,
    damaged,      // a frame whose check sum or end is wrong
    cut,          // a frame whose end never came
    unsupported,  // a frame of another application
    noise,        // very many bytes without any frame
  };
  LinkFrame() = default;
  Kind kind = Kind::noise;
  std::size_t offset = 0;  // in the stream
  std::size_t length = 0;
  ByteView content;          // what stands in the frame; valid until the next push()
  std::uint8_t segment = 0;  // M-Bus: number of this part
  bool last = true;          // no further part of this telegram follows
  std::string error;         // one sentence when broken
};

// What may be on the line.
enum class Framing : std::uint8_t { automatic, mbus, hdlc, bare };

class Framer {
 public:
  static constexpr std::size_t noise_limit = 1024;  // bytes without a frame that are worth a report

  // bare: APDUs without link layer are looked for, too. They have no check of their own.
  Framer(Framing framing, bool bare) : framing_(framing), bare_(bare || framing == Framing::bare) {}

  // All of next() must have been taken before.
  void push(ByteView bytes);

  // No more bytes follow what was pushed (end of the stream, or a long silence).
  void finish() noexcept { ended_ = true; }

  [[nodiscard]] std::optional<LinkFrame> next();

  // Bytes wait for the rest of a frame; a flag alone may have closed the last one.
  [[nodiscard]] bool in_frame() const noexcept { return at_ + 1 < buffer_.size(); }

 private:
  // What can be said of the bytes at the front.
  struct Look {
    enum class Verdict : std::uint8_t { none, wait, frame };
    Verdict verdict = Verdict::none;
    std::size_t consumed = 0;  // bytes to go on behind
    bool credible = false;     // wait: enough of it is there to be worth a word when it never ends
    LinkFrame frame;
  };

  [[nodiscard]] ByteView rest() const noexcept { return ByteView(buffer_).subspan(at_); }

  [[nodiscard]] Look look() const;
  static Look look_mbus(ByteView bytes);
  static Look look_hdlc(ByteView bytes);
  static Look look_bare(ByteView bytes);
  LinkFrame take(Look&& found);
  [[nodiscard]] std::optional<LinkFrame> skip(std::size_t bytes);

  Bytes buffer_;
  std::size_t at_ = 0;    // in the buffer: nothing before it is needed any more
  std::size_t base_ = 0;  // offset in the stream of buffer_[0]
  std::size_t noise_ = 0;
  bool fresh_ = true;  // nothing unreadable came before: a bare APDU may begin here
  bool ended_ = false;
  Framing framing_;
  bool bare_;
};

}  // namespace meterbridge::protocol::dlms
