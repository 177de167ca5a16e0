// SPDX-License-Identifier: MIT
#include "io/alarm.hpp"

#include <cstdint>

#include <boost/asio/steady_timer.hpp>

namespace meterbridge::io {

struct Alarm::State {
  State(const boost::asio::any_io_executor& executor, std::function<void()> on_ring)
      : timer(executor), ring(std::move(on_ring)) {}

  boost::asio::steady_timer timer;
  std::function<void()> ring;
  // Counts set and clear, so that a handler knows whether it still means the present wait.
  std::uint64_t turn = 0;
  bool rang = false;
};

Alarm::Alarm(const boost::asio::any_io_executor& executor, std::function<void()> ring)
    : state_(std::make_shared<State>(executor, std::move(ring))) {}

Alarm::~Alarm() {
  clear();
}

void Alarm::set(Deadline deadline) {
  state_->rang = false;
  const auto turn = ++state_->turn;
  state_->timer.expires_at(deadline);
  state_->timer.async_wait([turn, weak = std::weak_ptr<State>(state_)](boost::system::error_code) {
    const auto state = weak.lock();
    if (!state || state->turn != turn) return;
    state->rang = true;
    state->ring();
  });
}

bool Alarm::clear() noexcept {
  ++state_->turn;
  try {
    state_->timer.cancel();
  } catch (const boost::system::system_error&) {
    // The wait goes on, but its handler no longer means anything.
  }
  return std::exchange(state_->rang, false);
}

}  // namespace meterbridge::io
