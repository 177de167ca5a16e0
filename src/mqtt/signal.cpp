// SPDX-License-Identifier: MIT
#include "mqtt/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::mqtt {

void Signal::notify() {
  raised_ = true;
  if (!waiting_) return;
  waiting_ = false;
  timer_.cancel();
}

boost::asio::awaitable<void> Signal::wait(TimePoint deadline) {
  if (!raised_) {
    waiting_ = true;
    timer_.expires_at(deadline);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    waiting_ = false;
  }
  raised_ = false;
}

}  // namespace meterbridge::mqtt
