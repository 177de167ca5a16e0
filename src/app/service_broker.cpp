// SPDX-License-Identifier: MIT
// Where the broker is, when Home Assistant is to say it.
#include "app/log.hpp"
#include "app/service.hpp"
#include "app/supervisor.hpp"
#include "io/backoff.hpp"

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr Milliseconds first_pause{1000};
constexpr Milliseconds longest_pause{10000};
constexpr auto look_again = 5s;  // while the broker is there

}  // namespace

bool Service::broker_known() const {
  return !around_.app || service_ || !needs_service(house_.settings.mqtt, around_.app->options);
}

void Service::start_broker() {
  broker_running_ = true;
  asio::co_spawn(context_, broker_->run(), [this](std::exception_ptr failure) {
    broker_running_ = false;
    if (failure && !stopping_) {
      log::critical("the broker task ended by an exception");
      begin_shut_down(70);
    }
    ended_.cancel();
  });
}

// Until it is known, and again whenever it does not take us in: it is registered anew with every
// start of its app, with another password (P42).
asio::awaitable<void> Service::ask_for_broker() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Supervisor supervisor(context_.get_executor(), around_.app->supervisor, around_.app->token);
  io::Backoff backoff(first_pause, longest_pause);
  supervisor_words_ = "the Supervisor is asked";
  for (;;) {
    const bool ending = co_await stopping();
    if (ending || stopping_) co_return;
    if (broker_->connected() || !needs_service(house_.settings.mqtt, around_.app->options)) {
      backoff.reset();
      co_await wait_until(asking_, Steady::now() + look_again);
      continue;
    }
    auto found = co_await supervisor.mqtt_service();
    if (stopping_) co_return;
    if (!found) {
      const std::string words = found.error().detail();
      if (words != std::exchange(supervisor_words_, words))
        log::warn("{}; asked again and again", words);
    } else if (!service_ || !(*service_ == *found)) {
      log::info("Home Assistant's broker is {}:{}{}", found->host, found->port,
                service_ ? ", with another login or address than before" : "");
      service_ = std::move(*found);
      broker_again_ = true;
      spawn_reload();
    }
    const auto pause = backoff.next();
    co_await wait_until(asking_, Steady::now() + pause);
  }
}

asio::awaitable<void> Service::renew_broker() {
  config::MqttSettings wanted = house_.settings.mqtt;
  complete(wanted, around_.app->options, service_);
  const bool same = wanted == house_.settings.mqtt;
  if (same && broker_running_) co_return;
  house_.settings.mqtt = std::move(wanted);
  co_await reconnect();
  if (stopping_) co_return;
  if (!broker_running_) start_broker();
  (void)co_await bridges_->take_over(house_.settings);
}

}  // namespace meterbridge::app
