// SPDX-License-Identifier: MIT
// Ends what a stream waits for when a deadline passes: one timer for all reads of a transport, and
// a few hundred nanoseconds a read, where racing two coroutines would cost twenty microseconds.
#pragma once

#include "io/transport.hpp"

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::io {

class Alarm {
 public:
  // `ring` is called from the loop, never after the Alarm is gone; it cancels the stream.
  Alarm(const boost::asio::any_io_executor& executor, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void set(Deadline deadline);
  // Ends the wait. True if the alarm rang since set().
  bool clear() noexcept;

 private:
  struct State;
  // Shared with the timer's handler only: a handler that is queued already runs after the Alarm.
  std::shared_ptr<State> state_;
};

}  // namespace meterbridge::io
