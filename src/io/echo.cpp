// SPDX-License-Identifier: MIT
#include "io/echo.hpp"

#include <algorithm>

namespace meterbridge::io {

void EchoFilter::sent(ByteView bytes) {
  if (!active_) return;
  // Bytes that are sent in pieces come back as one echo.
  awaited_.insert(awaited_.end(), bytes.begin(), bytes.end());
}

void EchoFilter::received(ByteView bytes) {
  const auto awaited = ByteView(awaited_).subspan(equal_);
  const auto common = std::min(awaited.size(), bytes.size());
  const auto differs = !std::equal(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(common), awaited.begin());
  if (differs) {
    kept_.insert(kept_.end(), awaited_.begin(),
                 awaited_.begin() + static_cast<std::ptrdiff_t>(equal_));
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
  } else {
    equal_ += common;
    const auto rest = bytes.subspan(common);
    kept_.insert(kept_.end(), rest.begin(), rest.end());
  }
  if (differs || equal_ == awaited_.size()) {
    awaited_.clear();
    equal_ = 0;
  }
}

std::size_t EchoFilter::take(std::span<std::byte> into) {
  const auto count = std::min(into.size(), kept_.size() - taken_);
  std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(taken_), count, into.begin());
  taken_ += count;
  if (taken_ == kept_.size()) {
    kept_.clear();
    taken_ = 0;
  }
  return count;
}

void EchoFilter::clear() noexcept {
  awaited_.clear();
  kept_.clear();
  equal_ = 0;
  taken_ = 0;
}

}  // namespace meterbridge::io
