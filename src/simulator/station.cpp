// SPDX-License-Identifier: MIT
#include "simulator/station.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

constexpr Milliseconds reader_pause{10};

// A task that throws has a bug: it must not vanish silently.
void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

Station::Station(asio::any_io_executor executor, std::unique_ptr<Port> port,
                 std::vector<Seat> seats, Faults line_faults, StationOptions options)
    : executor_(executor),
      port_(std::move(port)),
      seats_(std::move(seats)),
      line_faults_(std::move(line_faults)),
      options_(std::move(options)),
      wake_(executor),
      pace_(executor) {}

void Station::start() {
  asio::co_spawn(executor_, listen(), rethrow);
  asio::co_spawn(executor_, send(), rethrow);
  for (Seat& seat : seats_) {
    if (seat.period) asio::co_spawn(executor_, push(seat), rethrow);
  }
}

void Station::stop() {
  stopping_ = true;
  port_->close();
  wake_.cancel();
  pace_.cancel();
  for (auto& beat : beats_)
    beat->cancel();
}

void Station::enqueue(Emission emission) {
  queue_.emplace(SteadyClock::now() + emission.delay, std::move(emission));
  wake_.cancel();
}

void Station::tell_if_finished() {
  const auto done = [](const Seat& seat) { return seat.player.done(); };
  if (told_ || sending_ || !queue_.empty() || !std::all_of(seats_.begin(), seats_.end(), done))
    return;
  told_ = true;
  if (options_.finished) options_.finished();
}

asio::awaitable<void> Station::listen() {
  while (!stopping_) {
    const Bytes block = co_await port_->read();
    if (block.empty()) break;
    if (line_faults_.echoes()) enqueue(Emission(block));
    const auto speed = port_->baud();
    for (Seat& seat : seats_) {
      if (speed && seat.player.hears_at(*speed)) follows_ = true;
      for (Emission& emission : seat.player.received(block, options_.now())) {
        enqueue(std::move(emission));
      }
    }
  }
}

// Absolute times: no drift. A beat that finds nobody there, or the last telegram still on its way,
// is left out.
asio::awaitable<void> Station::push(Seat& seat) {
  asio::steady_timer& beat = *beats_.emplace_back(std::make_unique<asio::steady_timer>(executor_));
  auto due = SteadyClock::now();
  while (!stopping_ && !seat.player.done()) {
    due = std::max(due + *seat.period, SteadyClock::now());
    beat.expires_at(due);
    co_await beat.async_wait(asio::as_tuple(asio::use_awaitable));
    if (stopping_ || !port_->attended() || sending_) continue;
    if (port_->carries_messages()) {
      for (Emission& emission : seat.player.posts(options_.now()))
        enqueue(std::move(emission));
    } else if (auto emission = seat.player.push(options_.now())) {
      enqueue(std::move(*emission));
    }
  }
}

asio::awaitable<void> Station::send() {
  while (!stopping_) {
    wake_.expires_at(queue_.empty() ? SteadyClock::time_point::max() : queue_.begin()->first);
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    while (!stopping_ && !queue_.empty() && queue_.begin()->first <= SteadyClock::now()) {
      const Emission emission = std::move(queue_.extract(queue_.begin()).mapped());
      if (port_->carries_messages()) {
        if (!emission.bytes.empty()) port_->post(emission.topic, emission.bytes);
        continue;
      }
      sending_ = true;
      co_await transmit(emission.bytes);
      if (emission.hang_up && !stopping_) co_await port_->hang_up(options_.away);
      sending_ = false;
    }
    tell_if_finished();
  }
}

std::uint32_t Station::baud() const {
  return follows_ && options_.baud != 0 ? port_->baud().value_or(options_.baud) : options_.baud;
}

// In portions of ten milliseconds of the line's speed (a byte is ten bits); a network takes all at
// once.
asio::awaitable<void> Station::transmit(const Bytes& bytes) {
  ByteView rest = bytes;
  auto next = SteadyClock::now();
  auto taken = next;
  while (!rest.empty() && !stopping_ && port_->attended()) {
    const std::uint32_t speed = baud();
    const std::size_t portion = speed != 0 ? std::max<std::size_t>(1, speed / 1000) : bytes.size();
    const auto byte_time = std::chrono::microseconds(speed != 0 ? 10'000'000 / speed : 0);
    const std::size_t count = port_->offer(rest.first(std::min(portion, rest.size())));
    rest = rest.subspan(count);
    const auto now = SteadyClock::now();
    if (count > 0) {
      taken = now;
      next += byte_time * static_cast<std::int64_t>(count);
    } else {
      if (now - taken > options_.patience) break;
      next = now + reader_pause;
    }
    pace_.expires_at(next);
    co_await pace_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace meterbridge::simulator
