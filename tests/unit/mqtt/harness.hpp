// SPDX-License-Identifier: MIT
// A Broker under test on a loop of its own, with everything it says written down.
#pragma once

#include "fakes/mosquitto_server.hpp"
#include "mqtt/broker.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace meterbridge::mqtt {

using namespace std::chrono_literals;

// Runs the loop until the condition holds; false when it did not within the time.
inline bool run_until(boost::asio::io_context& loop, const std::function<bool()>& condition,
                      std::chrono::milliseconds at_most = 15s) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (loop.stopped()) loop.restart();
    loop.run_one_for(10ms);
  }
  return true;
}

inline void run_for(boost::asio::io_context& loop, std::chrono::milliseconds time) {
  run_until(
      loop, [] { return false; }, time);
}

class Party {
 public:
  Party(boost::asio::io_context& loop, BrokerSettings settings) : loop_(loop) {
    BrokerEvents events;
    events.connected = [this] {
      ++connects;
      if (on_connected) on_connected();
    };
    events.disconnected = [this](const Error& error) { losses.push_back(error); };
    events.received = [this](const Message& message) { received.push_back(message); };
    events.notice = [this](const std::string& text) { notices.push_back(text); };
    broker_ = std::make_unique<Broker>(loop.get_executor(), std::move(settings), std::move(events));
  }

  ~Party() {
    try {
      cancel();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "the loop threw: " << error.what();
    }
  }

  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  Broker* operator->() const { return broker_.get(); }

  void start() {
    running_ = true;
    boost::asio::co_spawn(
        loop_, broker_->run(),
        boost::asio::bind_cancellation_slot(stop_.slot(), [this](const std::exception_ptr& error) {
          running_ = false;
          threw = error != nullptr;
        }));
  }

  // Terminal cancellation, as at shutdown; true when run() has returned.
  bool cancel() {
    if (!running_) return true;
    // From inside the loop, as the program does it: with Boost 1.83 a task that was not yet begun
    // would throw out of it.
    boost::asio::post(loop_, [this] { stop_.emit(boost::asio::cancellation_type::terminal); });
    return run_until(loop_, [this] { return !running_; });
  }

  [[nodiscard]] bool running() const { return running_; }

  bool wait_connected(int times = 1, std::chrono::milliseconds at_most = 15s) {
    return run_until(
        loop_, [this, times] { return connects >= times; }, at_most);
  }

  bool wait_loss(std::size_t times = 1, std::chrono::milliseconds at_most = 15s) {
    return run_until(
        loop_, [this, times] { return losses.size() >= times; }, at_most);
  }

  bool wait_received(std::size_t count, std::chrono::milliseconds at_most = 15s) {
    return run_until(
        loop_, [this, count] { return received.size() >= count; }, at_most);
  }

  bool wait_flushed(std::chrono::milliseconds at_most = 15s) {
    bool done = false;
    bool flushed = false;
    boost::asio::co_spawn(loop_, broker_->flush(at_most), [&](const std::exception_ptr&, bool all) {
      done = true;
      flushed = all;
    });
    run_until(
        loop_, [&] { return done; }, at_most + 5s);
    return flushed;
  }

  int connects = 0;
  bool threw = false;
  std::function<void()> on_connected;
  std::vector<Error> losses;
  std::vector<Message> received;
  std::vector<std::string> notices;

 private:
  boost::asio::io_context& loop_;
  std::unique_ptr<Broker> broker_;
  boost::asio::cancellation_signal stop_;
  bool running_ = false;
};

inline BrokerSettings settings_for(std::uint16_t port, std::string client_id = "party") {
  BrokerSettings settings;
  settings.host = "127.0.0.1";
  settings.port = port;
  settings.client_id = std::move(client_id);
  return settings;
}

}  // namespace meterbridge::mqtt
