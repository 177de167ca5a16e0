// SPDX-License-Identifier: MIT
// The long-running bridge: one supervised task per meter, the broker, the clockwork that watches
// them, and the way out.
#pragma once

#include "app/app_options.hpp"
#include "app/bridge.hpp"
#include "app/broker_bridges.hpp"
#include "app/claim.hpp"
#include "app/configuration_file.hpp"
#include "app/leaf_memory.hpp"
#include "app/memory.hpp"
#include "app/overdue.hpp"
#include "app/plan.hpp"
#include "app/poller.hpp"
#include "app/receipts.hpp"
#include "app/recorder.hpp"
#include "app/resender.hpp"
#include "app/sinks.hpp"
#include "app/state_store.hpp"
#include "http/server.hpp"
#include "io/topics.hpp"
#include "mqtt/broker.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

// As the app of Home Assistant.
struct AppPlace {
  AppPlace() = default;
  AppOptions options;
  std::string supervisor;  // its address
  Secret token;
  http::ServerOptions pages;  // of the ingress page
};

struct Surroundings {
  Surroundings() = default;
  std::optional<AppPlace> app;  // nothing: a service
  std::string stamp;            // of the file that the house was made from
  std::vector<http::ProblemStatus> problems;
};

class Service {
 public:
  // `file` is where the house came from: read again on SIGHUP, and in the app when it changes.
  Service(House house, std::string file, Surroundings around = Surroundings());
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Blocks until SIGTERM or SIGINT (0), or until a task cannot be ended (70).
  int run();

 private:
  struct Task {
    Task() = default;
    std::shared_ptr<const meter::ProfileLibrary> library;  // the meter's profile is in it
    std::unique_ptr<meter::Meter> meter;
    std::unique_ptr<Poller> poller;
    boost::asio::cancellation_signal stop;
    bool running = false;
    Overdue overdue;
    Fault fault = Fault::starting;           // a second ago
    std::optional<Steady::time_point> kept;  // its last case
  };

  Task& make_task(std::unique_ptr<meter::Meter> meter);
  void launch(Task& task);
  void watch_link(Link& link, const std::string& serial);
  void start();
  boost::asio::awaitable<void> keep(Task& task);
  boost::asio::awaitable<void> clockwork();
  boost::asio::awaitable<void> shut_down();
  // service_reload.cpp
  void begin_reload();
  void spawn_reload();
  boost::asio::awaitable<void> reload();
  boost::asio::awaitable<void> reload_file();
  [[nodiscard]] std::optional<House> load();
  boost::asio::awaitable<void> take_over(House& fresh);
  boost::asio::awaitable<bool> end_tasks(const std::vector<std::string>& ids);
  void close_links(const std::vector<std::string>& changed);
  boost::asio::awaitable<void> reconnect();
  // service_sinks.cpp
  void apply_sinks();
  void write_sinks_now();
  void commit_samples();
  boost::asio::awaitable<void> finish_sinks();
  [[nodiscard]] std::vector<homeassistant::SinkHealthFacts> sink_health() const;
  // service_leaves.cpp
  [[nodiscard]] sink::mqtt::PostOffice office();
  void send_again(std::string_view meter, const std::string& payload);
  void load_leaves();
  void save_leaves();
  void share_leaves();
  bool leaves_settled(Steady::time_point now);
  [[nodiscard]] bool hear_hub(const mqtt::Message& message);
  [[nodiscard]] std::set<std::string> share_groups() const;
  // service_pages.cpp
  class Pages;
  void open_pages();
  // service_desk.cpp
  void watch_file();
  void write_configuration(const std::string& text, const std::string& hash,
                           std::function<void(http::Taken)> done);
  Result<> poll_now(std::string_view meter);
  // service_black_box.cpp
  void tend_black_boxes();
  void keep_cases();
  Result<std::string> capture(std::string_view meter);
  // service_broker.cpp
  [[nodiscard]] bool broker_known() const;
  void start_broker();
  boost::asio::awaitable<void> ask_for_broker();
  boost::asio::awaitable<void> renew_broker();
  void watch_signals();
  void begin_shut_down(int exit_code);
  void second();
  void find_stuck_tasks();
  void say_bridge_health();
  void hear_bridge_health(const mqtt::Message& message);
  void subscribe_homeassistant();
  [[nodiscard]] std::string own_document_topic() const;
  void hear_own_document(const mqtt::Message& message);
  [[nodiscard]] bool is_retained_command(const mqtt::Message& message, std::string_view meter);
  void save_values();
  void guard_command(std::string_view meter, std::string_view what, const std::string& payload);
  void say_status();
  void broker_connected();
  void received(const mqtt::Message& message);
  void refuse_without_task(const std::string& topic, std::string_view meter);
  void command(Task& task, std::string_view what, const std::string& payload);
  Task* find_task(std::string_view id);

  House house_;  // its meters are in the tasks
  ConfigurationFile file_;
  Surroundings around_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  std::unique_ptr<io::Descriptor> claim_;
  StateStore store_;
  StateStore values_;
  Known known_;
  std::unique_ptr<Recorder> recorder_;  // null without a journal
  std::unique_ptr<Bridge> bridge_;
  Receipts receipts_;
  std::unique_ptr<mqtt::Broker> broker_;
  std::unique_ptr<BrokerBridges> bridges_;  // to further brokers
  io::Topics topics_;
  std::unique_ptr<Sinks> sinks_;
  std::unique_ptr<Resender> resender_;
  LeafMemory leaf_memory_;
  std::string journal_name_;                                   // as hubs know it
  std::set<std::string> hub_groups_;                           // that we listen to
  std::map<std::string, std::string, std::less<>> hub_words_;  // the last of each
  std::string shared_said_;
  Steady::time_point shared_at_{};
  Steady::time_point settled_at_{};      // all that was heard of leaves was in the journal,
  journal::Sequence settled_until_ = 0;  // up to this entry
  std::map<std::string, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::set<std::string> proposed_;  // ports for which a stable name was proposed
  boost::asio::signal_set signals_;
  boost::asio::steady_timer beat_;
  boost::asio::steady_timer announcement_;  // of a birth message, with its random delay
  boost::asio::steady_timer ended_;         // of the way out
  boost::asio::steady_timer replaced_;      // the same for tasks that a reload ends
  Steady::time_point started_ = Steady::now();
  std::optional<Steady::time_point> broker_lost_;
  Steady::time_point saved_{};
  Steady::time_point values_saved_ = Steady::now();
  Steady::time_point health_said_{};
  Steady::time_point watchdog_fed_{};
  std::size_t running_ = 0;
  std::string run_id_;     // of this process, in the bridge's health
  std::string other_run_;  // of another bridge on our base topic
  Steady::time_point other_said_{};
  Steady::time_point other_base_said_{};
  std::set<std::string> retained_commands_;  // topics on which one was refused
  std::set<std::string> unknown_told_;       // topics of meters that are not here
  std::string broker_error_;                 // why it is not connected, in words
  http::ConfigurationStatus configuration_;
  std::vector<std::function<void(http::Taken)>> writers_;  // who wait for a reload
  std::vector<http::Taken> written_;                       // beside them
  std::string reloaded_;                                   // what came of it, in words
  std::string stamp_seen_;
  std::string stamp_taken_;
  std::optional<MqttService> service_;  // the broker that the Supervisor knows
  std::string supervisor_words_;        // why it does not tell
  boost::asio::cancellation_signal asking_stop_;
  boost::asio::steady_timer asking_;
  std::shared_ptr<Pages> view_;
  std::unique_ptr<http::Server> pages_;  // for monitoring; before the view that it shows
  std::unique_ptr<http::Server> ingress_;
  bool case_failed_ = false;
  bool pages_again_ = false;
  bool broker_again_ = false;
  bool broker_running_ = false;
  bool stopping_ = false;
  bool reloading_ = false;
  bool reload_again_ = false;
  int exit_code_ = 0;
};

}  // namespace meterbridge::app
