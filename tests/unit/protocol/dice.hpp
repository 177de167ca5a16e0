// SPDX-License-Identifier: MIT
// Deterministic pseudo-random numbers: a failing seed can be repeated.
#pragma once

#include "core/bytes.hpp"

namespace meterbridge::protocol::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2 + 1) {}

  std::size_t below(std::size_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state_ >> 33U) % limit;
  }

  Bytes bytes(std::size_t size) {
    Bytes all(size);
    for (std::byte& b : all)
      b = static_cast<std::byte>(below(256));
    return all;
  }

 private:
  std::uint64_t state_;
};

}  // namespace meterbridge::protocol::test
