// SPDX-License-Identifier: MIT
// SIGHUP: the configuration is read again, and only what changed is touched.
#include "app/log.hpp"
#include "app/reload.hpp"
#include "app/service.hpp"
#include "app/version.hpp"
#include "io/notify.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

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

}  // namespace

void Service::begin_reload() {
  if (stopping_) return;
  // A file that changes while it is taken over is read once more afterwards.
  reload_again_ = true;
  spawn_reload();
}

void Service::spawn_reload() {
  if (std::exchange(reloading_, true)) return;
  asio::co_spawn(context_, reload(), [this](std::exception_ptr failure) {
    reloading_ = false;
    if (!failure || stopping_) return;
    log::critical("taking over the configuration ended by an exception");
    begin_shut_down(70);
  });
}

asio::awaitable<void> Service::reload() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while ((reload_again_ || broker_again_) && !stopping_) {
    if (std::exchange(broker_again_, false)) co_await renew_broker();
    const bool file = std::exchange(reload_again_, false);
    if (file) co_await reload_file();
  }
}

asio::awaitable<void> Service::reload_file() {
  const auto writers = std::exchange(writers_, {});
  auto written = std::exchange(written_, {});
  io::notify_reloading();
  write_sinks_now();
  std::optional<House> fresh = load();
  if (fresh) co_await take_over(*fresh);
  if (!stopping_) io::notify_ready("meterbridge " + std::string(version));
  for (std::size_t i = 0; i < writers.size(); ++i) {
    written[i].text = reloaded_;
    if (configuration_.previous) written[i].outcome = http::Outcome::kept;
    writers[i](written[i]);
  }
}

// Nothing when the file has errors; they are in the log then. In the app a file without meters is
// one that somebody is about to write: what was valid goes on until the next start.
std::optional<House> Service::load() {
  Loaded loaded = file_.load();
  stamp_taken_ = loaded.stamp;
  const http::Validity state = loaded.verdict.state;
  const bool unusable = around_.app && state != http::Validity::valid;
  configuration_.state = state;
  configuration_.problems = std::move(loaded.verdict.problems);
  configuration_.since = clock_.now();
  configuration_.previous = unusable || !loaded.house;
  if (configuration_.previous) {
    reloaded_ = "not taken over: everything goes on with the configuration before";
    log::error("{} was {}", file_.path(), reloaded_);
    return std::nullopt;
  }
  if (around_.app) complete(loaded.house->settings.mqtt, around_.app->options, service_);
  return std::move(*loaded.house);
}

asio::awaitable<void> Service::take_over(House& fresh) {
  Changes changes = compare(house_, fresh);
  for (const std::string& sentence : changes.fixed)
    log::warn("{}: {}", file_.path(), sentence);
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
  if (changes.pages) pages_again_ = true;  // after who asked for it through them has his answer
  if (changes.broker) co_await reconnect();
  // One that was named only now, where Home Assistant has none.
  if (!broker_running_ && !stopping_ && broker_known()) start_broker();
  if (stopping_) co_return;
  const bool renewed = co_await bridges_->take_over(house_.settings);
  changes.bridges = renewed;
  if (stopping_) co_return;
  if (changes.announcement || renewed) bridge_->reconfigure(house_.settings);
  if (changes.announcement) subscribe_homeassistant();
  for (auto& meter : meters) {
    const std::string& id = meter->settings().id;
    if (!holds(changes.changed, id) && !holds(changes.added, id)) continue;
    bridge_->configure(plan_of(*meter, house_.settings));
    launch(make_task(std::move(meter)));
  }
  reloaded_ = changes.text();
  log::info("configuration taken over: {}", reloaded_);
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
      log::critical(
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
    if (!confirmed) log::warn("broker: left with unconfirmed messages");
  }
  bridge_->disconnected();
  broker_->reconfigure(broker_settings(house_.settings.mqtt, known_.client_id, bridge_->will()));
}

}  // namespace meterbridge::app
