// SPDX-License-Identifier: MIT
// What a Broker knows. broker.cpp has the doors and the bookkeeping, session.cpp the coroutines.
#pragma once

#include "mqtt/broker.hpp"
#include "mqtt/client.hpp"
#include "mqtt/contest.hpp"
#include "mqtt/signal.hpp"
#include "mqtt/tls.hpp"

#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::mqtt {

struct Lookup;

struct Broker::State {
  using Executor = boost::asio::any_io_executor;
  using TimePoint = Signal::TimePoint;
  using Wait = boost::asio::posix::stream_descriptor::wait_type;
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  State(const Executor& loop, BrokerSettings wanted, BrokerEvents listeners);

  // broker.cpp: bookkeeping, never waits.
  [[nodiscard]] std::string place() const;
  void tell(const std::string& sentence) const;
  void fail(Error error);              // the connection is over; the first reason wins
  void report(Error error);            // to the owner, once per series
  void step(const Result<>& outcome);  // after each call of the library
  void absorb();
  void answered(const ClientRecord& record);
  void subscribe(const Subscription& wanted);
  void subscribed(const ClientRecord::Answer& answer);
  void acknowledged(const ClientRecord::Answer& answer);
  void denied(const std::string& topic, int reason);
  void ready();
  // Hands waiting messages to the library as far as window and socket allow. True: there is more to
  // send.
  bool send_waiting();
  bool send_one();
  void wake_flushers();
  void drop_connection();

  // session.cpp: coroutines.
  Awaitable<void> run();
  Awaitable<void> pause(std::chrono::milliseconds delay);
  Awaitable<Error> attempt();
  Awaitable<Result<std::vector<std::string>>> resolve();
  Awaitable<Result<>> open(std::string address);
  Awaitable<void> serve();
  Awaitable<void> handshake();
  Awaitable<void> readable();
  Awaitable<void> writable();
  Awaitable<void> housekeeping();
  Awaitable<void> farewell();
  Awaitable<bool> socket_ready(Wait direction, TimePoint deadline);
  Awaitable<bool> stopping();
  Awaitable<bool> interrupted();  // the same, or other settings are waiting
  void take_settings();
  void judge_end(const Error& why);
  void judge_duration();

  Executor executor;
  BrokerSettings settings;
  std::optional<BrokerSettings> next_settings;
  BrokerEvents events;
  Outbox outbox;
  std::vector<Subscription> subscriptions;
  std::vector<boost::asio::steady_timer*> flushers;

  Signal wake;  // for whichever coroutine waits: sending, pausing
  boost::asio::steady_timer patience;
  std::shared_ptr<Lookup> lookup;
  bool leaving = false;
  bool mqtt5 = true;       // what the next attempt speaks
  int early_hang_ups = 0;  // in a row, before an answer to CONNECT
  bool told_version = false;
  bool told = false;  // the owner knows that there is no connection
  std::string last_told;
  Contest contest;
  bool contested = false;  // the end of the last connection was part of one
  std::set<std::string> told_topics;
  std::uint64_t denials = 0;

  // One connection.
  std::unique_ptr<TlsContext> tls;
  std::unique_ptr<Client> client;
  boost::asio::posix::stream_descriptor socket;  // a dup of the client's descriptor
  TimePoint answer_by;
  TimePoint connected_at;
  bool accepted = false;
  bool connected = false;
  std::optional<Error> ended;
  std::optional<int> end_reason;  // of the broker's DISCONNECT
  std::size_t window = 0;
  std::unordered_map<int, Outbox::Ticket> tickets;
  std::unordered_map<int, std::string> awaited;  // subscriptions without an answer yet
};

}  // namespace meterbridge::mqtt
