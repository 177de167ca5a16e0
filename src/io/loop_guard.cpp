// SPDX-License-Identifier: MIT
#include "io/loop_guard.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

namespace meterbridge::io {
namespace {

constexpr int looks_per_limit = 4;

void give_up() {
  constexpr std::string_view text =
      "meterbridge: the event loop is blocked, ending with 70 to be restarted\n";
  // The log belongs to the blocked thread: only what needs no lock is safe here.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
  _exit(70);
}

}  // namespace

class LoopGuard::Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(const boost::asio::any_io_executor& executor, Milliseconds limit, Handler on_stall)
      : timer_(executor),
        period_(std::clamp<Milliseconds>(limit / looks_per_limit, Milliseconds(1),
                                         std::chrono::seconds(1))),
        patience_(std::max<std::int64_t>(limit / period_, 1)),
        on_stall_(on_stall ? std::move(on_stall) : Handler(give_up)) {}

  void start() {
    expect_beat(Milliseconds::zero());
    thread_ = std::thread([this] { look(); });
  }

  void stop() noexcept {
    try {
      {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
      }
      stopped_.notify_all();
      if (thread_.joinable()) thread_.join();
      timer_.cancel();
    } catch (...) {
      // Locks, joins and timers fail only when the process is beyond repair.
      std::terminate();
    }
  }

 private:
  void expect_beat(Milliseconds in) {
    timer_.expires_after(in);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& failure) {
      const auto self = weak.lock();
      if (!self || failure) return;
      self->beats_.fetch_add(1, std::memory_order_relaxed);
      self->expect_beat(self->period_);
    });
  }

  // Counts looks, not time: a process that was stopped and goes on (SIGCONT, suspend) has lost
  // time, but its loop gets as many looks as always to show a beat.
  void look() noexcept {
    std::uint32_t seen = 0;
    std::int64_t silent = 0;
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, period_, [this] { return stopping_; })) {
      const auto beats = beats_.load(std::memory_order_relaxed);
      silent = beats == seen ? silent + 1 : 0;
      seen = beats;
      if (beats == 0 || silent != patience_) continue;
      lock.unlock();
      on_stall_();
      lock.lock();
    }
  }

  boost::asio::steady_timer timer_;
  Milliseconds period_;
  std::int64_t patience_;  // looks without a beat
  Handler on_stall_;
  std::atomic<std::uint32_t> beats_{0};  // of 32 bits: some routers have none of 64
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

LoopGuard::LoopGuard(const boost::asio::any_io_executor& executor, Milliseconds limit,
                     Handler on_stall)
    : watch_(std::make_shared<Watch>(executor, limit, std::move(on_stall))) {
  watch_->start();
}

LoopGuard::~LoopGuard() {
  watch_->stop();
}

}  // namespace meterbridge::io
