// SPDX-License-Identifier: MIT
// One connection to one broker: connect, serve, back off, repeat. libmosquitto without its thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "mqtt/message.hpp"
#include "mqtt/outbox.hpp"

namespace meterbridge::mqtt {

struct BrokerSettings {
  std::string host;
  std::uint16_t port = 1883;
  std::string client_id;
  std::string username;
  Secret password;
  int version = 5;  // 3 = MQTT 3.1.1, 5 = MQTT 5
  std::chrono::seconds keepalive{30};
  bool tls = false;
  std::string ca, certificate, key;
  bool insecure = false;
  std::optional<Message> will;
  std::size_t window = 20;  // messages in flight at most
};

// Called on the loop; must not block.
struct BrokerEvents {
  std::function<void()> connected;                     // after CONNACK and subscriptions; publish what must be known again
  std::function<void(const Error&)> disconnected;      // once per loss, and once per series of failed attempts, in words
  std::function<void(const Message&)> received;
};

class Broker {
 public:
  Broker(boost::asio::any_io_executor executor, BrokerSettings settings, BrokerEvents events);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Runs until cancelled. Ends with a clean DISCONNECT when asked by leave() before.
  boost::asio::awaitable<void> run();
  void subscribe(std::string filter, int qos);  // remembered over reconnects
  void publish(Message message);                // into the outbox; newest value per retained topic
  [[nodiscard]] bool connected() const noexcept;
  [[nodiscard]] const Outbox& outbox() const noexcept;
  // Waits until the outbox is empty and all is acknowledged, at most so long; false when something is left.
  boost::asio::awaitable<bool> flush(std::chrono::milliseconds at_most);
  // Sends DISCONNECT (so that no will is published); run() returns.
  void leave();

 private:
  class Session;
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string library_version();  // "libmosquitto 2.0.11"

}  // namespace meterbridge::mqtt
