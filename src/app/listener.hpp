// SPDX-License-Identifier: MIT
// A connection of its own to the broker, for links from MQTT where no service has one.
#pragma once

#include "app/wait.hpp"
#include "config/settings.hpp"
#include "io/topics.hpp"
#include "mqtt/broker.hpp"

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

class Listener {
 public:
  // Connects, in the background and again and again. leave() must have ended before it goes.
  Listener(const boost::asio::any_io_executor& executor, const config::Settings& settings);

  [[nodiscard]] io::Topics& topics() noexcept { return topics_; }

  // Until the broker has taken us in, has refused us, or the time is up.
  boost::asio::awaitable<void> settled(std::chrono::milliseconds at_most);
  boost::asio::awaitable<void> leave();

 private:
  std::unique_ptr<mqtt::Broker> broker_;
  io::Topics topics_;
  boost::asio::steady_timer changed_;
  bool answered_ = false;
  bool ended_ = false;
};

}  // namespace meterbridge::app
