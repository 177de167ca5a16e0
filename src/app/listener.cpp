// SPDX-License-Identifier: MIT
#include "app/listener.hpp"

#include "app/plan.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;

Listener::Listener(const asio::any_io_executor& executor, const config::Settings& settings)
    : topics_([this](const std::string& filter) { broker_->subscribe(filter, 1); }, nullptr),
      changed_(executor) {
  mqtt::BrokerEvents events;
  events.connected = [this] {
    answered_ = true;
    topics_.set_trouble(std::nullopt);
    changed_.cancel();
  };
  events.disconnected = [this](const Error& error) {
    answered_ = true;
    topics_.set_trouble(error);
    changed_.cancel();
  };
  events.received = [this](const mqtt::Message& message) { topics_.received(message); };
  auto wanted = broker_settings(settings.mqtt, {}, {});
  wanted.client_id = new_client_id(settings.instance + "-read");
  wanted.will.reset();
  broker_ = std::make_unique<mqtt::Broker>(executor, std::move(wanted), std::move(events));
  asio::co_spawn(executor, broker_->run(), [this](std::exception_ptr) {
    ended_ = true;
    changed_.cancel();
  });
}

asio::awaitable<void> Listener::settled(std::chrono::milliseconds at_most) {
  const auto until = Steady::now() + at_most;
  while (!answered_ && Steady::now() < until) {
    co_await wait_until(changed_, until);
    const bool over = co_await stopping();
    if (over) co_return;
  }
}

asio::awaitable<void> Listener::leave() {
  broker_->leave();
  while (!ended_)
    co_await wait_until(changed_, Steady::time_point::max());
}

}  // namespace meterbridge::app
