// SPDX-License-Identifier: MIT
// Cuts what a pushing meter sends into telegrams, in whatever pieces it arrives.
#pragma once

#include "protocol/iec62056_21/options.hpp"
#include "protocol/telegram.hpp"

#include <deque>
#include <optional>
#include <string>

namespace meterbridge::protocol::iec62056_21 {

class Receiver {
 public:
  // A telegram of mode D is a screen of lines; more than this without an end is none.
  static constexpr std::size_t longest = 16384;
  // So many bytes without a telegram are worth a word.
  static constexpr std::size_t noise_limit = 2048;

  explicit Receiver(const Options& options) : options_(options), parity_(options.software_parity) {
    options_.software_parity = false;  // it is taken off as the bytes come
  }

  void push(ByteView bytes);

  // Nothing more comes for now: what is there is all of it.
  void finish() noexcept { over_ = true; }

  // The next telegram, good or broken.
  [[nodiscard]] std::optional<Decoded> next();
  [[nodiscard]] std::optional<Error> take_noise();

  // Something has begun and not ended.
  [[nodiscard]] bool pending() const noexcept { return !text_.empty(); }

 private:
  [[nodiscard]] bool drop_to_header();
  [[nodiscard]] std::size_t end_of_telegram(std::size_t header_end) const;
  [[nodiscard]] std::size_t next_header(std::size_t from, std::size_t limit) const;
  void drop(std::size_t count);
  void take(std::size_t length);

  Options options_;
  bool parity_;
  std::string text_;
  std::deque<Decoded> found_;
  bool over_ = false;
  std::size_t noise_ = 0;  // bytes since the last telegram
  std::size_t high_ = 0;   // of these with bit 7
};

}  // namespace meterbridge::protocol::iec62056_21
