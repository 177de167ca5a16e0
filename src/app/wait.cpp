// SPDX-License-Identifier: MIT
#include "app/wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;

asio::awaitable<bool> stopping() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

asio::awaitable<void> wait_until(asio::steady_timer& timer, Steady::time_point moment) {
  timer.expires_at(moment);
  (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace meterbridge::app
