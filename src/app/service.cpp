// SPDX-License-Identifier: MIT
#include "app/service.hpp"

#include "app/black_box_files.hpp"
#include "app/driver_memory.hpp"
#include "app/log.hpp"
#include "app/version.hpp"
#include "app/write_log.hpp"
#include "io/footprint.hpp"
#include "io/links.hpp"
#include "io/loop_guard.hpp"
#include "io/notify.hpp"
#include "io/state_file.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <random>
#include <thread>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto task_farewell = 1s;  // how long tasks have to end after SIGTERM
constexpr auto broker_farewell = 500ms;
constexpr auto longest_teardown = 300ms;
constexpr auto save_every = 5s;  // of what was announced, at most
constexpr auto values_every =
    30min;                        // of what was read: a new file each time wears out flash memory
constexpr auto loop_limit = 30s;  // a loop that is blocked for so long is dead
constexpr Milliseconds cool_down_first{1000};
constexpr Milliseconds cool_down_ceiling = facts_of(Rung::cool_down).deadline;
// Looks, not time: a program that was stopped and goes on has lost time, but its tasks get as many
// seconds as always to show themselves.
constexpr unsigned overdue_looks = 15;

// The resolver's thread cannot be interrupted: with a name server that does not answer, the
// destructors would wait for it. What must be written is written by now.
void leave_in_time(int exit_code) {
  std::thread([exit_code] {
    std::this_thread::sleep_for(longest_teardown);
    std::_Exit(exit_code);
  }).detach();
}

}  // namespace

Service::Service(House house, std::string file, Surroundings around)
    : house_(std::move(house)),
      file_(std::move(file)),
      around_(std::move(around)),
      store_(known_store(house_.settings, write_log)),
      values_(memory_store(house_.settings, write_log)),
      known_(store_.load_as<Known>()),
      topics_([this](const std::string& filter) { broker_->subscribe(filter, 1); },
              [this](const std::string& filter) { broker_->unsubscribe(filter); }),
      leaf_memory_(house_.settings, write_log),
      signals_(context_),
      beat_(context_),
      announcement_(context_),
      ended_(context_),
      replaced_(context_),
      stamp_seen_(around_.stamp),
      stamp_taken_(around_.stamp),
      asking_(context_) {
  run_id_ = random_id();
  configuration_.path = file_.path();
  configuration_.since = clock_.now();
  configuration_.problems = around_.problems;
  if (known_.client_id.empty()) {
    known_.client_id = new_client_id(house_.settings.instance);
    store_.save(known_.json());
  }
  if (auto claim = claim_instance(house_.settings); claim) {
    claim_ = std::move(*claim);
  } else {
    log::warn("{}. Both would say the same things of the same meters: stop one of them",
              claim.error().detail());
  }
  bridge_ = std::make_unique<Bridge>(
      house_.settings, plans_of(house_), clock_, known_,
      [this](mqtt::Message message) { broker_->publish(std::move(message)); }, write_log);
  const auto memory = values_.load_as<Memory>();
  bridge_->restore(memory);
  for (const auto& meter : house_.meters)
    remind_driver(*meter, house_.settings, memory);
  mqtt::BrokerEvents events;
  events.connected = [this] { broker_connected(); };
  events.disconnected = [this](const Error& error) {
    bridge_->disconnected();
    if (error.detail().empty()) return;
    broker_error_ = error.detail();
    asking_.cancel();  // the Supervisor may know another password by now
    broker_lost_ = Steady::now();
    if (!stopping_) log::warn("broker: {}", error.detail());
  };
  events.notice = [this](const std::string& line) {
    log::warn("broker: {}", line);
    if (broker_->connected()) return;
    broker_error_ = line;  // another reason why it is still away
    asking_.cancel();
  };
  events.received = [this](const mqtt::Message& message) { received(message); };
  auto settings = broker_settings(house_.settings.mqtt, known_.client_id, bridge_->will());
  settings.outbox.keeper = &receipts_;
  broker_ = std::make_unique<mqtt::Broker>(context_.get_executor(), std::move(settings),
                                           std::move(events));
  bridges_ = std::make_unique<BrokerBridges>(context_.get_executor(), known_.client_id);
  broker_->subscribe(bridge_->facts().base + "/+/set/+", 1, true);
  broker_->subscribe(homeassistant::bridge_health_topic(bridge_->facts()), 1);
  subscribe_homeassistant();
  for (auto& meter : std::exchange(house_.meters, {}))
    make_task(std::move(meter));
  apply_sinks();
  load_leaves();
}

Service::Task& Service::make_task(std::unique_ptr<meter::Meter> meter) {
  const config::LinkSettings* settings = find_link(house_.settings, meter->settings().link);
  auto& link = links_[settings->name];
  if (!link) {
    const auto executor = context_.get_executor();
    link = make_link(executor, *settings,
                     make_way(executor, house_, *settings, meter->profile().line, topics_));
    link->box().resize(house_.settings.black_box.size);
    watch_link(*link, settings->serial);
  }
  auto task = std::make_unique<Task>();
  task->library = house_.library;
  task->meter = std::move(meter);
  task->poller = std::make_unique<Poller>(context_.get_executor(), *task->meter, *link, *bridge_,
                                          clock_, settings->silence);
  task->poller->crowded = [this] { return broker_->connected() && broker_->outbox().crowded(); };
  tasks_.push_back(std::move(task));
  return *tasks_.back();
}

// What happens to a line happens to all its meters: lost together, asked at once when it is back.
void Service::watch_link(Link& link, const std::string& serial) {
  // P11: only while the device is there can be seen which stable name it has.
  link.on_open = [this, serial] {
    if (serial.empty() || proposed_.contains(serial)) return;
    const auto stable = io::stable_name(serial);
    if (!stable) return;
    proposed_.insert(serial);
    log::warn(
        "{} may be another device after the next start of this machine: better configure "
        "{}, which is the same port now",
        serial, *stable);
  };
  link.on_unreachable = [this, &link](const Error& error) {
    link.box().outcome({}, clock_.now(), outcome_text(error));
    for (const auto& task : tasks_) {
      if (&task->poller->link() != &link || task->poller->paused()) continue;
      bridge_->report(task->meter->settings().id, error);
      bridge_->link_lost(task->meter->settings().id);
    }
    log::debug("{}", error.detail());
  };
  link.on_notice = [](const std::string& sentence) { log::warn("{}", sentence); };
  link.on_back = [this, &link] {
    for (const auto& task : tasks_) {
      if (&task->poller->link() == &link) task->poller->due_now();
    }
  };
}

int Service::run() {
  const io::LoopGuard guard(context_.get_executor(), loop_limit);
  asio::co_spawn(context_, clockwork(), asio::detached);
  watch_signals();
  start();
  context_.run();
  save_values();
  store_.save(known_.json());
  save_leaves();
  // What such a task holds must not be pulled from under it; and all that matters is written.
  if (running_ > 0 || bridges_->running()) {
    spdlog::shutdown();
    std::_Exit(exit_code_);
  }
  leave_in_time(exit_code_);
  return exit_code_;
}

void Service::start() {
  const std::string broker =
      broker_known() ? house_.settings.mqtt.host + ":" + std::to_string(house_.settings.mqtt.port)
                     : "as Home Assistant says";
  log::info("meterbridge {} started: {} meters on {} links, broker {}", version, tasks_.size(),
            links_.size(), broker);
  if (broker_known()) start_broker();
  if (http::available && around_.app) {
    asio::co_spawn(context_, ask_for_broker(),
                   asio::bind_cancellation_slot(asking_stop_.slot(), asio::detached));
  }
  bridges_->start(house_.settings);
  if (house_.settings.black_box.size > 0) (void)io::make_folder(black_box_folder(house_.settings));
  for (const auto& task : tasks_)
    launch(*task);
  open_pages();
  io::notify_ready("meterbridge " + std::string(version));
}

void Service::launch(Task& task) {
  task.running = true;
  ++running_;
  asio::co_spawn(context_, keep(task),
                 asio::bind_cancellation_slot(task.stop.slot(), [this, &task](std::exception_ptr) {
                   task.running = false;
                   --running_;
                   ended_.cancel();
                   replaced_.cancel();
                 }));
}

// The heartbeat of the house: once a second.
asio::awaitable<void> Service::clockwork() {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto next = Steady::now();
  while (!stopping_) {
    // After a pause of the whole program the seconds are not made up for.
    next = std::max(next + 1s, Steady::now());
    co_await wait_until(beat_, next);
    if (!stopping_) second();
  }
}

// The supervisor of one meter: its task is started again whenever it ends, whyever it ended.
asio::awaitable<void> Service::keep(Task& task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::string& id = task.meter->settings().id;
  const bool local = task.poller->link().transport().local();
  io::Backoff cool_down(cool_down_first, local ? local_cool_down : cool_down_ceiling);
  asio::steady_timer timer(context_);
  for (;;) {
    const bool ending = co_await stopping();
    if (ending) co_return;
    const auto begun = Steady::now();
    std::string bug;
    try {
      (void)co_await task.poller->run();
    } catch (const std::exception& error) {
      bug = error.what();
    }
    const bool over = co_await stopping();
    if (over) co_return;
    if (!bug.empty())
      bridge_->report(id, Error(Errc::bug, "the task ended by an exception: " + bug));
    bridge_->recovered(id, Rung::restart);
    if (Steady::now() - begun > cool_down_ceiling * 5) cool_down.reset();
    bridge_->recovered(id, Rung::cool_down);
    const auto pause = cool_down.next();
    log::debug("{}: task ended, starts again in {}", id, duration_text(pause));
    const auto again = Steady::now() + pause;
    task.poller->promise(again);
    co_await wait_until(timer, again);
  }
}

void Service::second() {
  bridge_->tick();
  if (bridges_->tick()) say_bridge_health();
  commit_samples();
  find_stuck_tasks();
  watch_file();
  tend_black_boxes();
  if (std::exchange(pages_again_, false)) open_pages();
  const auto now = Steady::now();
  if (now - saved_ >= save_every && bridge_->take_known_changed()) {
    saved_ = now;
    store_.save(known_.json());
    io::release_memory();
  }
  if (now - values_saved_ >= values_every || bridge_->take_decided()) save_values();
  if (now - health_said_ >= 60s) {
    health_said_ = now;
    say_bridge_health();
    say_status();
    // Tries to reach servers run through code that nothing needs between them.
    if (!house_.settings.sinks.empty()) io::release_code();
  }
  // Fed by the loop that supervises the tasks, so that systemd sees a stuck supervisor.
  if (const auto limit = io::notify_interval(); limit && now - watchdog_fed_ >= *limit / 3) {
    watchdog_fed_ = now;
    io::notify_alive();
  }
}

void Service::save_values() {
  values_saved_ = Steady::now();
  {
    Memory memory = bridge_->memory();
    for (const auto& task : tasks_)
      note_driver(*task->meter, memory);
    values_.save(memory.json());
  }
  io::release_memory();
}

void Service::find_stuck_tasks() {
  const auto now = Steady::now();
  for (const auto& task : tasks_) {
    const unsigned looks = task->overdue.look(task->poller->promised(), now);
    if (looks < overdue_looks) continue;
    const std::string text =
        "the task has been overdue for " + std::to_string(looks) +
        " s and cannot be ended; the program ends with 70, to be started again";
    log::critical("{}: {}", task->meter->settings().id, text);
    bridge_->report(task->meter->settings().id, Error(Errc::bug, text));
    begin_shut_down(70);
    return;
  }
}

void Service::watch_signals() {
  boost::system::error_code ignored;
  for (const int number : {SIGTERM, SIGINT, SIGHUP})
    signals_.add(number, ignored);
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      begin_reload();
    } else {
      // A repeated signal changes nothing: the way out is bounded and short.
      begin_shut_down(0);
    }
    watch_signals();
  });
}

void Service::begin_shut_down(int exit_code) {
  if (stopping_) return;
  stopping_ = true;
  exit_code_ = exit_code;
  io::notify_stopping("ending");
  asio::co_spawn(context_, shut_down(), asio::detached);
}

asio::awaitable<void> Service::shut_down() {
  co_await asio::this_coro::throw_if_cancelled(false);
  asking_stop_.emit(asio::cancellation_type::terminal);
  asking_.cancel();
  for (const auto& task : tasks_)
    task->stop.emit(asio::cancellation_type::terminal);
  const auto tasks_end = Steady::now() + task_farewell;
  while (running_ > 0 && Steady::now() < tasks_end)
    co_await wait_until(ended_, tasks_end);
  for (const auto& task : tasks_) {
    if (task->running) log::error("{}: the task did not end in time", task->meter->settings().id);
  }
  co_await finish_sinks();
  if (broker_->connected()) {
    bridge_->farewell();
    const bool confirmed = co_await broker_->flush(broker_farewell);
    if (!confirmed) log::warn("broker: left with unconfirmed messages");
  }
  co_await bridges_->leave(broker_farewell);
  broker_->leave();
  const auto broker_end = Steady::now() + broker_farewell;
  while (broker_running_ && Steady::now() < broker_end)
    co_await wait_until(ended_, broker_end);
  log::info("meterbridge ends");
  context_.stop();
}

void Service::broker_connected() {
  bridge_->connected();
  broker_error_.clear();
  health_said_ = {};
  if (broker_->contested()) return;  // it was said, and comes again once a minute
  if (const auto lost = std::exchange(broker_lost_, std::nullopt)) {
    const auto away = std::chrono::duration_cast<std::chrono::seconds>(Steady::now() - *lost);
    log::info("broker: good again after {}", duration_text(away));
  }
  const Totals totals = bridge_->totals();
  log::info("announced {} entities of {} meters to broker {}:{}", totals.entities, totals.meters,
            house_.settings.mqtt.host, house_.settings.mqtt.port);
  io::release_code();
}

Service::Task* Service::find_task(std::string_view id) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(),
                                  [&](const auto& t) { return t->meter->settings().id == id; });
  return found == tasks_.end() ? nullptr : found->get();
}

}  // namespace meterbridge::app
