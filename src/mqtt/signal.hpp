// SPDX-License-Identifier: MIT
// Wakes one waiting coroutine of the same loop. A notification while nobody waits is kept, so none
// is missed.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::mqtt {

class Signal {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Signal(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  // Cheap when nobody waits, and from the second call on until the waiting coroutine has run.
  void notify();
  // Returns when notified, at the deadline, or when cancelled; the caller looks at what it waited
  // for.
  boost::asio::awaitable<void> wait(TimePoint deadline = TimePoint::max());

 private:
  boost::asio::steady_timer timer_;
  bool raised_ = false;
  bool waiting_ = false;
};

}  // namespace meterbridge::mqtt
