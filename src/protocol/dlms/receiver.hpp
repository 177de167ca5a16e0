// SPDX-License-Identifier: MIT
// From the stream to telegrams: the five steps in their order, each with its own reason to fail.
#pragma once

#include "protocol/dlms/assembly.hpp"
#include "protocol/dlms/cipher.hpp"
#include "protocol/dlms/decode.hpp"
#include "protocol/dlms/link.hpp"
#include "protocol/frame_counters.hpp"
#include "protocol/telegram.hpp"

#include <optional>
#include <string>

namespace meterbridge::protocol::dlms {

struct ReceiverOptions {
  Framing framing = Framing::automatic;
  bool bare = false;  // APDUs without link layer are taken, too; nothing checks them
  DecodeOptions decode;
};

// What must survive the end of a conversation.
struct Memory {
  FrameCounters counters;
  int refused = 0;  // telegrams in a row that the key did not fit
  // Whose telegrams these are (its system title, readable), and how many of somebody else came
  // since the last of them.
  std::string meter;
  int strangers = 0;
  bool crowded = false;  // both were heard, one after the other: two meters are on the line
  bool chosen = false;   // the configuration says whose they are
  std::string stranger;
};

class Receiver {
 public:
  // memory and decipher outlive the receiver.
  Receiver(const ReceiverOptions& options, Memory& memory, Decipher& decipher)
      : options_(options),
        memory_(memory),
        decipher_(decipher),
        framer_(options.framing, options.bare) {}

  void push(ByteView bytes) { framer_.push(bytes); }

  // No more bytes follow what was pushed (end of the stream, or a long silence).
  void finish();
  // The next telegram, good or broken, in the order of the stream. Noise is skipped, or, when
  // `stop_at_noise`, ends the call with nothing and is described by take_noise().
  [[nodiscard]] std::optional<Decoded> next(bool stop_at_noise = false);
  [[nodiscard]] std::optional<Error> take_noise();

  // The system title of the last telegram, readable; empty when it had none.
  [[nodiscard]] std::string title() const { return title_text(title_); }

  // The rest of a frame or of a telegram is awaited.
  [[nodiscard]] bool pending() const noexcept { return framer_.in_frame() || assembly_.pending(); }

 private:
  std::optional<Decoded> damaged(const LinkFrame& frame);
  Decoded understood(const Joined& joined);
  Decoded judge(const Joined& joined);
  Decoded read(const Opened& opened, Decoded decoded);

  ReceiverOptions options_;
  Memory& memory_;
  Decipher& decipher_;
  Framer framer_;
  Assembly assembly_;
  Tree tree_;
  List list_;
  std::optional<Joined> waiting_;  // a good telegram, told after the one that it interrupted
  bool ended_ = false;
  std::string title_;
  std::optional<Error> noise_;
};

}  // namespace meterbridge::protocol::dlms
