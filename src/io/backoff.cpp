// SPDX-License-Identifier: MIT
#include "io/backoff.hpp"

#include <algorithm>

namespace meterbridge::io {

Milliseconds Backoff::next() {
  step_ = step_ == Milliseconds::zero() ? first_ : std::min(step_ * 2, ceiling_);
  step_ = std::min(step_, ceiling_);
  // 75 to 100 %: many bridges that lost the same gateway must not come back in the same second.
  std::uniform_int_distribution<std::int64_t> jitter(step_.count() * 3 / 4, step_.count());
  return Milliseconds(jitter(random_));
}

}  // namespace meterbridge::io
