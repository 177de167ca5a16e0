// SPDX-License-Identifier: MIT
// The fourth watchdog: a thread that notices when the loop itself is blocked.
#pragma once

#include "core/time.hpp"

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::io {

// The loop increments a counter by a timer, at least four times in `limit` and at least each
// second; a thread looks at the counter. Watching begins with the first beat. As long as a
// LoopGuard lives, io_context::run() does not run out of work.
class LoopGuard {
 public:
  // Called from the guard's thread, once a stall; must not throw. Without one: a line on stderr,
  // _exit(70).
  using Handler = std::function<void()>;

  LoopGuard(const boost::asio::any_io_executor& executor, Milliseconds limit,
            Handler on_stall = {});
  // Ends the thread, without waiting for the loop.
  ~LoopGuard();
  LoopGuard(const LoopGuard&) = delete;
  LoopGuard& operator=(const LoopGuard&) = delete;

 private:
  class Watch;
  // Shared with the timer's handler, which may be queued still when the guard goes.
  std::shared_ptr<Watch> watch_;
};

}  // namespace meterbridge::io
