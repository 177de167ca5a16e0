// SPDX-License-Identifier: MIT
// From the stream to telegrams: frames found, checks made, contents decoded.
#pragma once

#include "protocol/frame_counters.hpp"
#include "protocol/p1/cipher.hpp"
#include "protocol/p1/decode.hpp"
#include "protocol/p1/frame.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::p1 {

enum class CheckMode : std::uint8_t { on, off, x25 };

struct ReceiverOptions {
  CheckMode check = CheckMode::on;
  bool seven_bit = false;
  Country country = Country::automatic;
  // All telegrams come from one meter: a check sum in any of them obliges all. Otherwise each
  // header for itself.
  bool one_meter = true;
};

// What must survive the end of a conversation: whether the meter sends check sums, and the frame
// counters.
class Memory {
 public:
  void note_check(std::string_view header);
  [[nodiscard]] bool expects_check(std::string_view header, bool one_meter) const;
  FrameCounters counters;
  // How many frames in a row had their tag refused.
  int refused_tags = 0;

 private:
  std::vector<std::string> checked_;
};

class Receiver {
 public:
  // memory and cipher outlive the receiver.
  Receiver(const ReceiverOptions& options, Memory& memory, Cipher& cipher)
      : options_(options), memory_(memory), cipher_(cipher), framer_(options.seven_bit) {}

  void push(ByteView bytes) { framer_.push(bytes); }

  void finish() noexcept { framer_.finish(); }

  // The next telegram, good or broken, in the order of the stream. Noise is skipped, or, when
  // `stop_at_noise`, ends the call with nothing and is described by take_noise().
  [[nodiscard]] std::optional<Decoded> next(bool stop_at_noise = false);
  [[nodiscard]] std::optional<Error> take_noise();

 private:
  struct Verdict {
    Status status = Status::ok;
    std::string error;
    bool proved = false;  // by a good check sum
  };

  [[nodiscard]] Verdict judge(std::string_view text, std::size_t mark);
  [[nodiscard]] Verdict judge_open(const Frame& frame);
  Decoded plain(const Frame& frame);
  Decoded encrypted(const Frame& frame);
  Decoded decrypted(const Frame& frame, const EncryptedFrame& fields, std::string_view text);
  [[nodiscard]] Decoded broken(const Frame& frame, Status status, std::string error) const;
  Decoded rejected(const Frame& frame, Status status, std::string error);
  [[nodiscard]] Decoded accepted(const Frame& frame, std::string_view text, bool proved) const;

  ReceiverOptions options_;
  Memory& memory_;
  Cipher& cipher_;
  Framer framer_;
  std::optional<Error> noise_;
};

}  // namespace meterbridge::protocol::p1
