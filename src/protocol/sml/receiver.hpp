// SPDX-License-Identifier: MIT
// From the stream to telegrams: files found, checks made, lists decoded.
#pragma once

#include "protocol/sml/decode.hpp"
#include "protocol/sml/frame.hpp"

#include <optional>

namespace meterbridge::protocol::sml {

class Receiver {
 public:
  explicit Receiver(const DecodeOptions& options) : options_(options) {}

  void push(ByteView bytes) { framer_.push(bytes); }

  // No more bytes follow what was pushed (end of the stream, or a long silence).
  void finish() noexcept { framer_.finish(); }

  // The next telegram, good or broken, in the order of the stream. Noise is skipped, or, when
  // `stop_at_noise`, ends the call with nothing and is described by take_noise().
  [[nodiscard]] std::optional<Decoded> next(bool stop_at_noise = false);
  [[nodiscard]] std::optional<Error> take_noise();

  // The rest of a telegram is awaited.
  [[nodiscard]] bool pending() const noexcept { return framer_.in_file(); }

 private:
  Decoded read(const Frame& frame, Decoded decoded);

  DecodeOptions options_;
  Framer framer_;
  List list_;
  std::optional<Error> noise_;
};

}  // namespace meterbridge::protocol::sml
