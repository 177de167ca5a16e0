// SPDX-License-Identifier: MIT
// A thread for what blocks: files on a slow card, a share of the network that hangs.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::sink {

class Worker {
 public:
  explicit Worker(const boost::asio::any_io_executor& executor);
  // Waits for a job only for a moment: one that hangs is left alone, and what it uses must be its
  // own.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // One job after the other, in the order in which they came. True when it is done, false when the
  // caller was cancelled: a job that began goes on then, and must own all that it uses; one that
  // did not is forgotten.
  boost::asio::awaitable<bool> run(std::function<void()> job);

 private:
  struct Shared;

  static void work(const std::shared_ptr<Shared>& shared);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace meterbridge::sink
