// SPDX-License-Identifier: MIT
// Where documents begin and end in a stream: JSON lines, or documents one behind the other.
#pragma once

#include "core/bytes.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace meterbridge::protocol::json {

struct Piece {
  Piece() = default;
  std::size_t offset = 0;  // in the stream
  std::string text;
  bool cut = false;  // its end is missing: another document began, or the stream ended
};

// Takes bytes in any cut. Judges brackets and texts only; whether a piece is JSON is the parser's
// matter. Holds at most one document of the largest size, and what was pushed last.
class Splitter {
 public:
  void push(ByteView bytes);

  // The stream ended, or paused for so long that nothing belongs together any more.
  void finish() noexcept { finished_ = true; }

  [[nodiscard]] std::optional<Piece> next();

  // Something was begun that has no end yet.
  [[nodiscard]] bool pending() const noexcept { return begun_; }

 private:
  void begin();
  Piece end(std::size_t at, bool cut);
  std::optional<Piece> step(char c);
  [[nodiscard]] bool may_open() const noexcept;

  std::string buffer_;
  std::size_t start_ = 0;   // of the piece in the buffer
  std::size_t at_ = 0;      // what was looked at
  std::size_t offset_ = 0;  // of the buffer in the stream
  bool begun_ = false;      // there is a piece at start_
  bool in_text_ = false;
  bool escaped_ = false;
  char last_ = '\0';  // the last character outside of texts that is no blank
  std::string open_;  // brackets that are open; empty within a plain line
  bool finished_ = false;
};

}  // namespace meterbridge::protocol::json
