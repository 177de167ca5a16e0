// SPDX-License-Identifier: MIT
// The last bytes that crossed a line, and what came of them: there when somebody asks afterwards.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "protocol/capture.hpp"
#include "protocol/dialogue.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

class BlackBox {
 public:
  // 0 bytes = off.
  void resize(std::size_t bytes);

  [[nodiscard]] bool on() const noexcept { return limit_ > 0; }

  void crossed(bool sent, ByteView bytes, std::string_view meter, Instant now,
               const protocol::Envelope* envelope);
  // What came of an exchange, or of an attempt to open the line. The same sentence again is not
  // kept twice.
  void outcome(std::string_view meter, Instant now, std::string text);

  // Of one meter, and of the line itself; of all when no meter is named.
  [[nodiscard]] std::vector<protocol::CaptureEntry> entries(std::string_view meter = {}) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  void add(protocol::CaptureEntry entry);
  void trim();

  std::deque<protocol::CaptureEntry> entries_;
  std::size_t limit_ = 0;
  std::size_t size_ = 0;  // as cost_of() counts
};

// "bad_checksum: CRC is 99DA, the telegram says 1234"
[[nodiscard]] std::string outcome_text(const Error& error);

}  // namespace meterbridge::app
