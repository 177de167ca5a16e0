// SPDX-License-Identifier: MIT
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <random>

namespace meterbridge::io {

// Doubling delays with jitter (75-100 % of the step): the first at most `first`, none above
// `ceiling`.
class Backoff {
 public:
  Backoff(Milliseconds first, Milliseconds ceiling, std::uint64_t seed = std::random_device{}())
      : first_(first),
        ceiling_(ceiling),
        random_(static_cast<std::minstd_rand::result_type>(seed)) {}

  Milliseconds next();

  void reset() noexcept { step_ = Milliseconds::zero(); }

 private:
  Milliseconds first_;
  Milliseconds ceiling_;
  Milliseconds step_{};
  std::minstd_rand random_;
};

}  // namespace meterbridge::io
