// SPDX-License-Identifier: MIT
// How long a task has not kept its promise.
#pragma once

#include "app/wait.hpp"

namespace meterbridge::app {

// Counts looks. A task that promised anew between two of them is alive, late as it may be at each:
// a poll each second and a look each second may keep step for ever, the look always a moment before
// the task wakes up.
class Overdue {
 public:
  unsigned look(Steady::time_point promised, Steady::time_point now) noexcept {
    const bool renewed = promised != promised_;
    promised_ = promised;
    if (renewed || now <= promised) looks_ = 0;
    if (now > promised) ++looks_;
    return looks_;
  }

  [[nodiscard]] unsigned looks() const noexcept { return looks_; }

 private:
  Steady::time_point promised_{};
  unsigned looks_ = 0;
};

}  // namespace meterbridge::app
