// SPDX-License-Identifier: MIT
// Two-wire adapters without direction control hear themselves: takes what we sent out of what
// arrives.
#pragma once

#include "core/bytes.hpp"

#include <span>

namespace meterbridge::io {

class EchoFilter {
 public:
  explicit EchoFilter(bool active) noexcept : active_(active) {}

  void sent(ByteView bytes);

  // Nothing is awaited and nothing is held back: received bytes may be used where they are.
  [[nodiscard]] bool idle() const noexcept { return awaited_.empty() && kept_.empty(); }

  // Drops the awaited echo. Bytes that differ from it are no echo: they are kept with all that was
  // dropped of this echo so far. A part of an echo, equal so far, stays held back until the next
  // bytes decide.
  void received(ByteView bytes);
  // Moves kept bytes out; 0 when there are none.
  std::size_t take(std::span<std::byte> into);
  void clear() noexcept;

 private:
  bool active_;
  Bytes awaited_;          // the echo to come
  std::size_t equal_ = 0;  // so many bytes of it came
  Bytes kept_;             // no echo, for the reader
  std::size_t taken_ = 0;  // of kept_
};

}  // namespace meterbridge::io
