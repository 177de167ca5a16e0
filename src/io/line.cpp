// SPDX-License-Identifier: MIT
#include "io/line.hpp"

#include <algorithm>
#include <chrono>
#include <list>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::io {

namespace asio = boost::asio;
using std::chrono::steady_clock;

struct Line::State {
  // One who waits; lives in the frame of its acquire(). A timer that never runs out is its wake-up
  // bell.
  struct Waiter {
    explicit Waiter(State& to) : state(to), bell(to.executor, steady_clock::time_point::max()) {
      state.waiting.push_back(this);
    }

    // Also runs when the coroutine is destroyed while it waits: then the token it was given goes
    // on.
    ~Waiter() {
      state.waiting.remove(this);
      if (called) state.pass_on();
    }

    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    State& state;
    asio::steady_timer bell;
    bool called = false;  // the token is ours
  };

  State(asio::any_io_executor on, Milliseconds pause)
      : executor(std::move(on)), turnaround(pause) {}

  // The token goes straight to the first who waits, so that nobody who comes later is faster.
  void pass_on() noexcept {
    if (waiting.empty()) {
      taken = false;
      return;
    }
    auto* const first = waiting.front();
    waiting.pop_front();
    first->called = true;
    try {
      first->bell.cancel();
    } catch (const boost::system::system_error&) {
      // Cancelling a timer fails on no system that has one.
    }
  }

  void release() noexcept {
    last_use = steady_clock::now();
    used = true;
    pass_on();
  }

  asio::any_io_executor executor;
  Milliseconds turnaround;
  std::list<Waiter*> waiting;
  bool taken = false;
  bool used = false;
  steady_clock::time_point last_use;
};

Line::Hold& Line::Hold::operator=(Hold&& other) noexcept {
  if (this != &other) {
    release();
    line_ = std::exchange(other.line_, nullptr);
  }
  return *this;
}

void Line::Hold::release() noexcept {
  if (const auto line = std::exchange(line_, nullptr)) line->release();
}

Line::Line(asio::any_io_executor executor, std::unique_ptr<Transport> transport,
           Milliseconds turnaround)
    : transport_(std::move(transport)),
      state_(std::make_shared<State>(std::move(executor), turnaround)) {}

Line::~Line() = default;

asio::awaitable<Line::Hold> Line::acquire() {
  co_await asio::this_coro::throw_if_cancelled(false);
  // Keeps the state alive for as long as this frame does.
  const auto state = state_;
  const auto before = co_await asio::this_coro::cancellation_state;
  if (before.cancelled() != asio::cancellation_type::none) co_return Hold();

  if (state->taken) {
    State::Waiter waiter(*state);
    co_await waiter.bell.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto now = co_await asio::this_coro::cancellation_state;
    if (now.cancelled() != asio::cancellation_type::none) co_return Hold();
    if (!waiter.called) co_return Hold();
    waiter.called = false;  // from here on the Hold answers for it
  }
  state->taken = true;
  Hold hold(state);

  const auto due = state->last_use + state->turnaround;
  if (state->used && due > steady_clock::now()) {
    asio::steady_timer timer(state->executor, due);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto now = co_await asio::this_coro::cancellation_state;
    if (now.cancelled() != asio::cancellation_type::none) co_return Hold();
  }
  co_return hold;
}

}  // namespace meterbridge::io
