// SPDX-License-Identifier: MIT
// A bridge between our own broker and another one: two connections of its own, a queue for each
// way that survives the process, and the rules that say what crosses. It shares nothing with the
// connection of the meters, so nothing that happens to it can hold them up.
#pragma once

#include "core/topic_rule.hpp"
#include "mqtt/broker.hpp"
#include "mqtt/spool.hpp"
#include "mqtt/traffic.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace meterbridge::mqtt {

struct BridgeSettings {
  std::string name;
  BrokerSettings local;  // without will, limits and session, which the bridge sets
  BrokerSettings remote;
  std::vector<TopicRule> rules;
  bool clean_session = false;
  std::string state_topic;   // retained 1 or 0
  std::string status_topic;  // of the whole program at our own broker, "offline" when it is gone
  std::string spool;         // path of the queues, without their ends
  std::size_t queue_messages = 10000;
  std::size_t queue_bytes = 16UL << 20;
  unsigned storm_limit = 100;
};

// What a bridge must know after a restart.
struct BridgeMemory {
  std::map<std::string, std::int64_t> removed;  // topic there -> when, in seconds of Unix
  std::set<std::string> local_filters, remote_filters;
};

struct BridgeCondition {
  std::string state;                     // connected, local_away, remote_away, stopped
  std::string error;                     // the last one in words; empty while connected
  std::uint64_t sent = 0, received = 0;  // arrived there, arrived here
  std::size_t waiting = 0;               // for either broker
  std::uint64_t dropped = 0;             // more waited than may
  std::uint64_t refused = 0;             // went through too many bridges
  std::size_t removals = 0;              // remembered and repeated
};

class BrokerBridge {
 public:
  // One line for the log, without the bridge's name.
  using Log = std::function<void(bool warning, const std::string& line)>;

  BrokerBridge(boost::asio::any_io_executor executor, BridgeSettings settings, BridgeMemory memory,
               Log log);
  ~BrokerBridge();
  BrokerBridge(const BrokerBridge&) = delete;
  BrokerBridge& operator=(const BrokerBridge&) = delete;

  // Both connections, until leave() or a circle ends them. `ended` is called once after each.
  void start(std::function<void()> ended);
  // Says at both brokers that the bridge is gone, waits until that and what is on its way has
  // arrived, at most so long, and hangs up in order. What has not arrived is kept.
  boost::asio::awaitable<void> leave(std::chrono::milliseconds at_most);

  // Before leave(), when the bridge will not come back: where it is connected, nothing is kept for
  // it.
  void forget_sessions();

  [[nodiscard]] bool running() const noexcept { return running_ > 0; }

  [[nodiscard]] BridgeCondition condition() const;

  [[nodiscard]] const BridgeMemory& memory() const noexcept { return memory_; }

  // True once after a change of what must survive.
  [[nodiscard]] bool take_memory_changed() noexcept;

 private:
  // One end: its connection and what is known of it. A message that comes from one goes to the
  // other.
  struct End {
    Way hears = Way::out;  // the way of what comes from it
    std::string name;      // for the log
    std::unique_ptr<Spool> spool;
    std::unique_ptr<Broker> broker;
    Echoes echoes;
    std::set<std::string>* remembered = nullptr;  // filters of its kept session
    boost::asio::cancellation_signal stop;
    unsigned connects = 0;
    std::chrono::steady_clock::time_point connected_at{};
    std::string error;
  };

  void set_up(End& end, End& other, BrokerSettings settings, const std::string& file);
  void subscribe(End& end);
  void drop_stale_subscriptions(End& end);
  [[nodiscard]] Message gone_at_remote() const;
  void connected(End& end, End& other);
  void disconnected(End& end, const Error& error);
  void heard(End& from, End& to, const Message& message);
  [[nodiscard]] static bool is_early(const End& end);
  [[nodiscard]] bool passes(End& from, const Message& message);
  void note_removal(const Message& there);
  [[nodiscard]] bool is_stale(const Message& there);
  void repeat_removals();
  void say_state();
  void stop_for_storm(const std::string& topic);
  void start(End& end, const std::function<void()>& ended);

  boost::asio::any_io_executor executor_;
  BridgeSettings settings_;
  BridgeMemory memory_;
  Log log_;
  StormGuard storm_;
  End local_, remote_;
  int running_ = 0;
  bool was_connected_ = false;
  bool leaving_ = false;
  bool memory_changed_ = false;
  bool told_hops_ = false;
  std::uint64_t refused_ = 0;
  std::string stopped_;  // why, for good
};

}  // namespace meterbridge::mqtt
