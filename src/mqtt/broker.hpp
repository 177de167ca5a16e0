// SPDX-License-Identifier: MIT
// One connection to one broker: connect, serve, back off, repeat. libmosquitto without its thread.
#pragma once

#include "core/result.hpp"
#include "core/secret.hpp"
#include "mqtt/message.hpp"
#include "mqtt/outbox.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

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
  std::string ca;                // file or directory; empty = the system's store
  std::string certificate, key;  // ours, both or none
  bool insecure = false;         // verify nothing
  std::optional<Message> will;
  std::size_t window = 200;  // messages in flight at most (less when an MQTT 5 broker says so)
  std::chrono::milliseconds connect_timeout{10000};  // for each step until the broker has said yes
  bool binary = false;  // payloads need not be UTF-8 (copies of foreign messages)
  // False: the broker keeps our subscriptions, and messages with QoS 1 and 2, while we are away.
  // Needs a client id that stays the same.
  bool clean_session = true;
  OutboxLimits outbox;
};

// The last three with MQTT 5 only. A broker takes the retain flag off what is published while we
// listen. `flag_as_published`: it shall not; `no_local`: what we publish ourselves does not come
// back; `retained_once`: not with each connection of a kept session.
struct Subscription {
  std::string filter;
  int qos = 1;
  bool flag_as_published = false;
  bool no_local = false;
  bool retained_once = false;
};

// Called on the loop; must not block and not throw. Any may be empty.
struct BrokerEvents {
  // After CONNACK and subscriptions; publish what must be known again.
  std::function<void()> connected;
  // Once per loss, and once per series of failed attempts, in words. Errc::access: the login was
  // refused. Without words when they were said already: another client with our client id throws us
  // out again and again.
  std::function<void(const Error&)> disconnected;
  std::function<void(const Message&)> received;
  // Handed to the connection just now; again after a loss.
  std::function<void(const Message&)> sent;
  // One sentence for the log: a message dropped or denied, MQTT 3.1.1 instead of 5, another reason
  // why there is still no connection.
  std::function<void(const std::string&)> notice;
};

class Broker {
 public:
  Broker(boost::asio::any_io_executor executor, BrokerSettings settings, BrokerEvents events);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Runs until cancelled (terminal) or until leave(); returns in both cases, never throws. The
  // Broker must outlive it. Cancelled without leave() it hangs up, and the broker publishes the
  // will.
  boost::asio::awaitable<void> run();
  // Remembered over reconnects.
  void subscribe(Subscription wanted);
  void subscribe(std::string filter, int qos, bool flag_as_published = false);
  // Also of one that an earlier process left in a kept session.
  void unsubscribe(const std::string& filter);
  // Everything retained is wanted once more.
  void resubscribe();
  // Into the outbox; newest value per retained topic. What no broker would take is dropped with a
  // notice.
  void publish(Message message);
  [[nodiscard]] bool connected() const noexcept;
  // The connection at hand, or the last one, speaks MQTT 5.
  [[nodiscard]] bool speaks_mqtt5() const noexcept;
  [[nodiscard]] const Outbox& outbox() const noexcept;
  // Into the outbox, where an earlier process had it.
  void restore(Message message, std::uint64_t kept);
  // Another client with our client id throws us out again and again (P60).
  [[nodiscard]] bool contested() const noexcept;
  // Messages that the broker acknowledged with a refusal (MQTT 5 only; older brokers say nothing).
  [[nodiscard]] std::uint64_t denials() const noexcept;
  // Waits until the outbox is empty and all is acknowledged, at most so long; false when something
  // is left.
  boost::asio::awaitable<bool> flush(std::chrono::milliseconds at_most);
  // Sends DISCONNECT (so that no will is published); run() returns. For good: there is no way back.
  void leave();
  // Ends the connection or the attempt at hand and connects with these at once. A connection ends
  // by DISCONNECT (no will), and `disconnected` is not called for it.
  void reconfigure(BrokerSettings settings);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string library_version();  // "libmosquitto 2.0.11"

}  // namespace meterbridge::mqtt
