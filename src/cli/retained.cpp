// SPDX-License-Identifier: MIT
#include "cli/retained.hpp"

#include "app/plan.hpp"
#include "app/wait.hpp"
#include "mqtt/broker.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
constexpr auto connect_patience = 5s;
constexpr auto quiet = 500ms;
constexpr auto listen_patience = 5s;

// One short visit to the broker: connect, do something, leave.
struct Visit {
  explicit Visit(const config::Settings& settings) : Visit(settings.mqtt, settings.instance) {}

  Visit(const config::ConnectionSettings& connection, const std::string& instance)
      : activity(context) {
    mqtt::BrokerEvents events;
    events.connected = [this] { activity.cancel(); };
    events.disconnected = [this](const Error& error) {
      trouble = error;
      if (hasty) activity.cancel();
    };
    events.notice = [this](const std::string& line) { notices.push_back(line); };
    events.received = [this](const mqtt::Message& message) {
      if (!message.retain) return;  // said just now: neither kept nor a reason to wait longer
      if (!message.payload.empty()) retained[message.topic] = message.payload;
      last = app::Steady::now();
    };
    auto wanted = app::broker_settings(connection, "", {});
    wanted.will.reset();
    wanted.client_id = app::new_client_id(instance + "-visit");
    broker = std::make_unique<mqtt::Broker>(context.get_executor(), std::move(wanted),
                                            std::move(events));
  }

  asio::io_context context{1};
  asio::steady_timer activity;
  std::unique_ptr<mqtt::Broker> broker;
  Retained retained;
  app::Steady::time_point last{};
  std::optional<Error> trouble;
  std::vector<std::string> notices;
  bool hasty = false;  // the first failure is the answer
  bool done = false;
};

asio::awaitable<bool> connect(Visit& visit) {
  const auto patience = app::Steady::now() + connect_patience;
  while (!visit.broker->connected() && app::Steady::now() < patience) {
    if (visit.hasty && visit.trouble) break;
    co_await app::wait_until(visit.activity, patience);
  }
  co_return visit.broker->connected();
}

Result<> make(Visit& visit, asio::awaitable<void> work) {
  asio::co_spawn(visit.context, visit.broker->run(), asio::detached);
  asio::co_spawn(visit.context, std::move(work),
                 [&visit](std::exception_ptr) { visit.context.stop(); });
  visit.context.run();
  if (visit.done) return {};
  return visit.trouble.value_or(Error(Errc::timeout, "the broker did not answer within 5 s"));
}

asio::awaitable<void> listen(Visit& visit) {
  const bool connected = co_await connect(visit);
  if (!connected) co_return;
  visit.last = app::Steady::now();
  const auto end = visit.last + listen_patience;
  while (app::Steady::now() < std::min(visit.last + quiet, end))
    co_await app::wait_until(visit.activity, std::min(visit.last + quiet, end));
  visit.broker->leave();
  visit.done = true;
}

asio::awaitable<void> clear(Visit& visit, const std::vector<std::string>& topics) {
  const bool connected = co_await connect(visit);
  if (!connected) co_return;
  for (const std::string& topic : topics)
    visit.broker->publish(mqtt::Message(topic, "", true, 1));
  visit.done = co_await visit.broker->flush(connect_patience);
  visit.broker->leave();
}

}  // namespace

Result<Retained> collect_retained(const config::Settings& settings,
                                  const std::vector<std::string>& filters) {
  Visit visit(settings);
  for (const std::string& filter : filters)
    visit.broker->subscribe(filter, 1);
  auto made = make(visit, listen(visit));
  if (!made) return made.error();
  return std::move(visit.retained);
}

Result<Retained> visit_broker(const config::ConnectionSettings& connection,
                              const std::string& instance, const std::vector<std::string>& filters,
                              std::vector<std::string>& notices) {
  Visit visit(connection, instance);
  visit.hasty = true;
  for (const std::string& filter : filters)
    visit.broker->subscribe(filter, 1);
  auto made = make(visit, listen(visit));
  notices = std::move(visit.notices);
  if (!made) return made.error();
  return std::move(visit.retained);
}

Result<Retained> retained_of_service(const config::Settings& settings) {
  const std::string base =
      settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  auto retained = collect_retained(settings, {base + "/status", base + "/+/state"});
  if (!retained) return retained.error();
  const auto status = retained->find(base + "/status");
  if (status == retained->end() || status->second != "online") {
    return Error(Errc::not_found, "the broker knows of no running service under \"" + base + "\"");
  }
  return retained;
}

Result<> clear_retained(const config::Settings& settings, const std::vector<std::string>& topics) {
  Visit visit(settings);
  return make(visit, clear(visit, topics));
}

}  // namespace meterbridge::cli
