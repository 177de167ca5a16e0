// SPDX-License-Identifier: MIT
#include "app/sinks.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto cancelled_ends = 200ms;

// Where something stands in the file is no difference.
bool same(config::SinkSettings a, const config::SinkSettings& b) {
  a.place = b.place;
  a.path = b.path;
  return a == b;
}

}  // namespace

Sinks::Sinks(const asio::any_io_executor& executor, journal::Journal& journal, const Clock& clock,
             Log log)
    : executor_(executor),
      journal_(journal),
      clock_(clock),
      log_(std::move(log)),
      ended_(executor) {}

void Sinks::launch(config::SinkSettings settings) {
  sink::Setup setup;
  setup.state_directory = state_directory_;
  setup.instance = instance_;
  setup.newest = journal_.given();
  setup.batch = settings.batch;
  setup.log = log_;
  const bool posts = settings.type == "mqtt" && office_.send;
  setup.name = settings.name;
  Result<std::unique_ptr<sink::Sink>> made = std::unique_ptr<sink::Sink>();
  if (posts) {
    made = sink::mqtt::make(executor_, std::move(setup), office_);
  } else {
    made = make_sink(executor_, settings, std::move(setup));
  }
  if (!made) {
    // The configuration was checked: only what changed since can be wrong.
    log_(true, "sink " + settings.name + ": " + made.error().detail());
    return;
  }
  sink::RunnerOptions options;
  options.name = settings.name;
  options.batch = settings.batch;
  options.flush_interval = settings.flush_interval;
  options.refused_file = state_directory_ + "/refused-" + settings.name + ".jsonl";
  options.log = log_;
  // The broker is waited for by its connection; nobody is spared by a pause of ours.
  if (posts) options.longest_pause = Milliseconds(2000);
  options.wanted = [settings](const Sample& sample) { return is_wanted(settings, sample); };
  Task& task = tasks_.emplace_back();
  task.settings = std::move(settings);
  task.runner = std::make_unique<sink::Runner>(executor_, journal_, *std::move(made),
                                               std::move(options), clock_);
  task.running = true;
  asio::co_spawn(executor_, task.runner->run(),
                 asio::bind_cancellation_slot(
                     task.stop.slot(), [this, &task](const std::exception_ptr& failure) {
                       if (failure)
                         log_(true,
                              "sink " + task.settings.name + ": its task ended by an exception");
                       ended(task);
                     }));
}

void Sinks::ended(Task& task) {
  task.running = false;
  ended_.cancel();
  if (!task.leaving) return;
  // Its runner is still on the stack. Until then it may be wanted again.
  asio::post(executor_, [this, &task] {
    const std::string name = task.settings.name;
    auto next = std::move(task.next);
    tasks_.remove_if([&](const Task& other) { return &other == &task; });
    if (next) {
      launch(*std::move(next));
    } else {
      journal_.release(name);
    }
  });
}

void Sinks::end(Task& task) {
  if (std::exchange(task.leaving, true)) return;
  task.runner->finish();
}

bool Sinks::apply(const config::Settings& settings) {
  state_directory_ = settings.state_directory;
  instance_ = settings.instance;
  bool changed = false;
  const auto wanted = [&](const std::string& name) {
    return std::ranges::find(settings.sinks, name, &config::SinkSettings::name);
  };
  for (Task& task : tasks_) {
    const auto fresh = wanted(task.settings.name);
    const bool stays = fresh != settings.sinks.end();
    if (stays && !task.leaving && same(task.settings, *fresh)) continue;
    changed = true;
    task.next = stays ? std::optional(*fresh) : std::nullopt;
    end(task);
  }
  for (const config::SinkSettings& fresh : settings.sinks) {
    const bool there = std::ranges::any_of(
        tasks_, [&](const Task& task) { return task.settings.name == fresh.name; });
    if (there) continue;
    changed = true;
    launch(fresh);
  }
  return changed;
}

void Sinks::tick() {
  for (Task& task : tasks_)
    task.runner->tick();
}

void Sinks::write_now() {
  for (Task& task : tasks_)
    task.runner->write_now();
}

asio::awaitable<void> Sinks::finish(Steady::time_point until) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (Task& task : tasks_)
    task.runner->finish();
  const auto running = [this] { return std::ranges::any_of(tasks_, &Task::running); };
  while (running() && Steady::now() < until)
    co_await wait_until(ended_, until);
  for (Task& task : tasks_) {
    if (!task.running) continue;
    log_(true, "sink " + task.settings.name +
                   ": did not take everything in time; the rest waits in the journal");
    task.stop.emit(asio::cancellation_type::terminal);
  }
  const auto end = Steady::now() + cancelled_ends;
  while (running() && Steady::now() < end)
    co_await wait_until(ended_, end);
}

std::vector<Sinks::Health> Sinks::health() const {
  std::vector<Health> all;
  for (const Task& task : tasks_) {
    Health health;
    health.name = task.settings.name;
    health.status = task.runner->status();
    all.push_back(std::move(health));
  }
  return all;
}

}  // namespace meterbridge::app
