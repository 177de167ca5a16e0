// SPDX-License-Identifier: MIT
// The sinks of a house, each a task beside the meters: begun, changed and ended with the
// configuration. Nothing of it runs when none is configured.
#pragma once

#include "app/sink_plan.hpp"
#include "app/wait.hpp"
#include "sink/mqtt/mqtt.hpp"
#include "sink/runner.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

class Sinks {
 public:
  using Log = std::function<void(bool warning, const std::string& line)>;

  struct Health {
    Health() = default;
    std::string name;
    sink::RunnerStatus status;
  };

  // Journal and clock outlive the sinks.
  Sinks(const boost::asio::any_io_executor& executor, journal::Journal& journal, const Clock& clock,
        Log log);
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;

  // The way to our own broker, for those that need it; before apply().
  void set_office(sink::mqtt::PostOffice office) { office_ = std::move(office); }

  // Begins what is new, ends what is gone; what changed is ended and begun anew, from where it was.
  // True when something did.
  bool apply(const config::Settings& settings);
  void tick();
  // What is committed is written without waiting for more: somebody wants to see it.
  void write_now();
  // Writes what is in the journal, and ends; what is not over by then is cancelled.
  boost::asio::awaitable<void> finish(Steady::time_point until);

  [[nodiscard]] std::vector<Health> health() const;

  [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }

 private:
  struct Task {
    Task() = default;
    config::SinkSettings settings;
    std::unique_ptr<sink::Runner> runner;
    boost::asio::cancellation_signal stop;
    bool running = false;
    bool leaving = false;
    std::optional<config::SinkSettings> next;  // takes its place when it has ended
  };

  void launch(config::SinkSettings settings);
  void ended(Task& task);
  void end(Task& task);

  boost::asio::any_io_executor executor_;
  journal::Journal& journal_;
  const Clock& clock_;
  Log log_;
  sink::mqtt::PostOffice office_;
  std::string state_directory_;
  std::string instance_;
  std::list<Task> tasks_;
  boost::asio::steady_timer ended_;
};

}  // namespace meterbridge::app
