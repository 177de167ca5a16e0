// SPDX-License-Identifier: MIT
// Small waits for tasks that end by return, not by exception (throw_if_cancelled(false)).
//
// g++ 12.2 miscompiles `if (co_await f()) co_return x;` without a warning (the frame of the caller
// is resumed after it was freed): the result of a co_await is always named before it is tested.
// docs/contributing.md says so, too.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

using Steady = std::chrono::steady_clock;

// True when the running task was told to end.
boost::asio::awaitable<bool> stopping();
// Until the moment, or until the timer is cancelled by somebody who wants us awake, or the task is
// cancelled.
boost::asio::awaitable<void> wait_until(boost::asio::steady_timer& timer,
                                        Steady::time_point moment);

}  // namespace meterbridge::app
