// SPDX-License-Identifier: MIT
#include "sink/worker.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::sink {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds farewell{500};

struct Ticket {
  explicit Ticket(const asio::any_io_executor& executor)
      : bell(executor, std::chrono::steady_clock::time_point::max()) {}

  bool done = false;  // touched on the loop only
  asio::steady_timer bell;
};

struct Job {
  const Ticket* ticket;  // whose it is
  std::function<void()> work;
  std::function<void()> tell;
};

}  // namespace

struct Worker::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool over = false;
  bool idle = true;
};

Worker::Worker(const asio::any_io_executor& executor)
    : executor_(executor), shared_(std::make_shared<Shared>()) {}

Worker::~Worker() {
  if (!thread_.joinable()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->over = true;
  shared_->jobs.clear();
  shared_->changed.notify_all();
  const bool idle = shared_->changed.wait_for(lock, farewell, [this] { return shared_->idle; });
  lock.unlock();
  if (idle) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Worker::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->over || !shared->jobs.empty(); });
    if (shared->over) return;
    auto job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    shared->idle = false;
    lock.unlock();
    job.work();
    job.work = nullptr;
    lock.lock();
    shared->idle = true;
    shared->changed.notify_all();
    // After the end there is no loop any more that could be told.
    if (!shared->over) job.tell();
  }
}

asio::awaitable<bool> Worker::run(std::function<void()> job) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto ticket = std::make_shared<Ticket>(executor_);
  auto tell = [ticket, executor = executor_] {
    asio::post(executor, [ticket] {
      ticket->done = true;
      ticket->bell.cancel();
    });
  };
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->jobs.push_back({ticket.get(), std::move(job), std::move(tell)});
  }
  if (!thread_.joinable()) {
    // Signals belong to the loop's thread.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([shared = shared_] { work(shared); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  shared_->changed.notify_all();
  while (!ticket->done) {
    (void)co_await ticket->bell.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) break;
  }
  if (!ticket->done) {
    // Behind one that hangs they would pile up, one for each attempt.
    const std::lock_guard lock(shared_->mutex);
    std::erase_if(shared_->jobs,
                  [&](const Job& waiting) { return waiting.ticket == ticket.get(); });
  }
  co_return ticket->done;
}

}  // namespace meterbridge::sink
