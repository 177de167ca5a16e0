// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <unistd.h>

namespace meterbridge::io {

// An open descriptor on its way to whoever keeps it; closed when nobody took it.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}

  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return number_; }

  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace meterbridge::io
