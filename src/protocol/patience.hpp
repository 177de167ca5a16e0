// SPDX-License-Identifier: MIT
// How long a listening dialogue waits: for a meter as a whole, and less for the rest of a telegram
// that has begun.
#pragma once

#include "core/time.hpp"

#include <algorithm>

namespace meterbridge::protocol {

class Patience {
 public:
  // meter: how long no byte may arrive; part: how long inside a telegram.
  Patience(Milliseconds meter, Milliseconds part) : meter_(meter), part_(part) {}

  [[nodiscard]] Milliseconds meter() const noexcept { return meter_; }

  // inside: the rest of a telegram is awaited.
  [[nodiscard]] Milliseconds wait(bool inside) const {
    const Milliseconds left = meter_ - silent_;
    return inside ? std::min(left, part_) : left;
  }

  void heard() noexcept { silent_ = Milliseconds(0); }

  // wait(inside) has passed without a byte.
  void silence(bool inside) { silent_ += wait(inside); }

  // True once for each time that the meter was silent for too long.
  [[nodiscard]] bool over() noexcept {
    if (silent_ < meter_) return false;
    silent_ = Milliseconds(0);
    return true;
  }

 private:
  Milliseconds meter_;
  Milliseconds part_;
  Milliseconds silent_{};  // for so long already
};

}  // namespace meterbridge::protocol
