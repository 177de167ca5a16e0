// SPDX-License-Identifier: MIT
// Runs one coroutine to its end on a loop of its own, whatever else is still waiting there.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace meterbridge::fakes {

class Loop {
 public:
  [[nodiscard]] boost::asio::io_context& context() noexcept { return io_; }

  [[nodiscard]] boost::asio::any_io_executor executor() noexcept { return io_.get_executor(); }

  // Throws what the work threw, or a complaint when it hangs.
  template <class T>
  T run(boost::asio::awaitable<T> work, std::chrono::seconds patience = std::chrono::seconds(20)) {
    std::optional<T> result;
    std::exception_ptr thrown;
    boost::asio::co_spawn(io_, std::move(work), [&](std::exception_ptr failure, T value) {
      thrown = failure;
      result = std::move(value);
    });
    until([&] { return result.has_value(); }, patience);
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
  }

  // From inside the loop, as the program does it: there a task that was spawned before has begun.
  // With Boost 1.83 one that is cancelled before throws out of the loop.
  void cancel(boost::asio::cancellation_signal& stop) {
    boost::asio::post(io_, [&stop] { stop.emit(boost::asio::cancellation_type::terminal); });
  }

  // Does what can be done without waiting.
  void poll() {
    io_.restart();
    io_.poll();
  }

  // Lets the loop work until the condition holds.
  template <class Condition>
  void until(Condition condition, std::chrono::seconds patience = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    io_.restart();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end)
        throw std::runtime_error("the work does not come to its end");
      if (io_.run_one_for(std::chrono::seconds(1)) == 0) io_.restart();
    }
  }

 private:
  boost::asio::io_context io_;
};

}  // namespace meterbridge::fakes
