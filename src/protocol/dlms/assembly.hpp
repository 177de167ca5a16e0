// SPDX-License-Identifier: MIT
// Step 2 of 5: joins the parts of a telegram. M-Bus parts carry a number and a last-part bit in CI,
// HDLC parts only a bit for "more follow", and either may carry blocks (General-Block-Transfer):
//
//   E0 | last, streaming, window | number (2), from 1 | acknowledged (2) | length (BER) | block
#pragma once

#include "protocol/dlms/link.hpp"
#include "protocol/telegram.hpp"

#include <optional>
#include <string>

namespace meterbridge::protocol::dlms {

// What became of a telegram: its APDU, or why there is none. offset and length in the stream.
struct Joined {
  Joined() = default;
  Status status = Status::ok;
  std::string error;
  std::size_t offset = 0;
  std::size_t length = 0;
};

class Assembly {
 public:
  static constexpr std::size_t longest = 8192;  // of an APDU; the longest seen has 545 bytes

  // What the frame ends: the telegram before it that was never completed, and its own.
  struct Outcome {
    Outcome() = default;
    std::optional<Joined> lost;
    std::optional<Joined> joined;
  };

  Outcome take(const LinkFrame& frame);
  // A broken frame: it costs the telegram it belonged to, and only one report. The offset of that
  // telegram when there was one.
  std::optional<std::size_t> give_up();
  // Nothing more comes.
  std::optional<Joined> finish();

  [[nodiscard]] bool pending() const noexcept { return parts_.open || blocks_.open; }

  // The whole APDU; valid after take() gave a good `joined`, until the next take().
  [[nodiscard]] ByteView apdu() const noexcept { return apdu_; }

 private:
  // Parts in their order, those of the link or those of a block transfer.
  struct Chain {
    Chain() = default;
    bool open = false;
    std::size_t offset = 0;
    unsigned next = 0;  // number of the part that must follow
    Bytes bytes;
  };

  void begin(Chain& chain, std::size_t offset);
  bool add_mbus(const LinkFrame& frame, Outcome& outcome);
  bool add_hdlc(const LinkFrame& frame, Outcome& outcome);
  void add_block(const LinkFrame& frame, std::size_t offset, Outcome& outcome);
  void deliver(const LinkFrame& frame, std::size_t offset, ByteView whole, Outcome& outcome);
  void orphan(const LinkFrame& frame, std::string error, Outcome& outcome);
  void lose(Chain& chain, const LinkFrame& frame, Outcome& outcome);

  Chain parts_;
  Chain blocks_;
  LinkFrame::Kind link_ = LinkFrame::Kind::noise;  // of the open parts
  bool skipping_ = false;  // the rest of a telegram that was reported already
  std::size_t end_ = 0;    // of the last frame that was taken
  Bytes apdu_;
};

}  // namespace meterbridge::protocol::dlms
