// SPDX-License-Identifier: MIT
// SIGHUP: the configuration is read again, and only what changed is touched.
#include "app/reload.hpp"
#include "app/service.hpp"
#include "app/sink_plan.hpp"
#include "app/version.hpp"
#include "io/notify.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto task_limit = 5s;  // a task ends within its next wait; one that does not is a bug
constexpr auto farewell_limit = 500ms;

template <class Container>
bool holds(const Container& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void log_problem(const config::Problem& problem) {
  if (problem.severity == config::Severity::error) {
    spdlog::error("{}", problem.str());
  } else {
    spdlog::warn("{}", problem.str());
  }
}

}  // namespace

void Service::begin_reload() {
  if (stopping_) return;
  // A file that changes while it is taken over is read once more afterwards.
  reload_again_ = true;
  if (std::exchange(reloading_, true)) return;
  asio::co_spawn(context_, reload(), [this](std::exception_ptr failure) {
    reloading_ = false;
    if (!failure || stopping_) return;
    spdlog::critical("taking over the configuration ended by an exception");
    begin_shut_down(70);
  });
}

asio::awaitable<void> Service::reload() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (std::exchange(reload_again_, false) && !stopping_) {
    io::notify_reloading();
    std::optional<House> fresh = load();
    if (fresh) co_await take_over(*fresh);
    if (!stopping_) io::notify_ready("meterbridge " + std::string(version));
  }
}

// Nothing when the file has errors; they are in the log then.
std::optional<House> Service::load() const {
  config::Problems problems;
  auto configuration = load_configuration(file_, problems);
  for (const config::Problem& problem : problems.all())
    log_problem(problem);
  if (problems.any_error()) {
    spdlog::error("{} was not taken over: everything goes on with the configuration before", file_);
    return std::nullopt;
  }
  auto house = build_house(std::move(configuration));
  if (!house) {
    spdlog::error("{} was not taken over: {}", file_, house.error().detail());
    return std::nullopt;
  }
  return std::move(*house);
}

asio::awaitable<void> Service::take_over(House& fresh) {
  Changes changes = compare(house_, fresh);
  for (const std::string& sentence : changes.fixed)
    spdlog::warn("{}: {}", file_, sentence);
  keep_fixed(fresh.settings, house_.settings);
  std::vector<std::string> ending = changes.removed;
  ending.insert(ending.end(), changes.changed.begin(), changes.changed.end());
  const bool ended = co_await end_tasks(ending);
  if (!ended) co_return;
  for (const std::string& id : changes.removed)
    bridge_->remove(id);
  auto meters = std::exchange(fresh.meters, {});
  house_ = std::move(fresh);
  close_links(changes.links);
  apply_sinks();
  if (changes.pages) open_pages();
  if (changes.broker) co_await reconnect();
  if (stopping_) co_return;
  const bool renewed = co_await bridges_->take_over(house_.settings);
  changes.bridges = renewed;
  if (stopping_) co_return;
  if (changes.announcement) bridge_->reconfigure(house_.settings);
  if (changes.announcement) subscribe_homeassistant();
  for (auto& meter : meters) {
    const std::string& id = meter->settings().id;
    if (!holds(changes.changed, id) && !holds(changes.added, id)) continue;
    bridge_->configure(plan_of(*meter));
    launch(make_task(std::move(meter)));
  }
  spdlog::info("configuration taken over: {}", changes.text());
}

// False when the program ends: it was told to, or a task cannot be ended.
asio::awaitable<bool> Service::end_tasks(const std::vector<std::string>& ids) {
  const auto concerned = [&](const std::unique_ptr<Task>& task) {
    return holds(ids, task->meter->settings().id);
  };
  const auto running = [&](const std::unique_ptr<Task>& task) {
    return concerned(task) && task->running;
  };
  for (const auto& task : tasks_) {
    if (concerned(task)) task->stop.emit(asio::cancellation_type::terminal);
  }
  const auto until = Steady::now() + task_limit;
  while (!stopping_ && std::any_of(tasks_.begin(), tasks_.end(), running)) {
    if (Steady::now() >= until) {
      spdlog::critical(
          "a task did not end for the new configuration; the program ends, to be "
          "started again");
      begin_shut_down(70);
    } else {
      co_await wait_until(replaced_, until);
    }
  }
  if (stopping_) co_return false;
  std::erase_if(tasks_, concerned);
  co_return true;
}

// Changed ones, and those that no meter has any more; their tasks have ended.
void Service::close_links(const std::vector<std::string>& changed) {
  const auto& meters = house_.settings.meters;
  std::erase_if(links_, [&](const auto& entry) {
    const auto uses = [&](const config::MeterSettings& meter) { return meter.link == entry.first; };
    return holds(changed, entry.first) || std::none_of(meters.begin(), meters.end(), uses);
  });
}

// To the broker of the new settings; the old one is left in order.
asio::awaitable<void> Service::reconnect() {
  if (broker_->connected()) {
    bridge_->farewell();
    const bool confirmed = co_await broker_->flush(farewell_limit);
    if (!confirmed) spdlog::warn("broker: left with unconfirmed messages");
  }
  bridge_->disconnected();
  broker_->reconfigure(broker_settings(house_.settings.mqtt, known_.client_id, bridge_->will()));
}

}  // namespace meterbridge::app
