// SPDX-License-Identifier: MIT
// One instance of libmosquitto for one connection, without its thread and without its reconnects.
// Its C callbacks only record; the owner drives it when the descriptor is ready and takes the
// record afterwards.
#pragma once

#include "core/result.hpp"
#include "mqtt/broker.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::mqtt {

class TlsContext;

// What happened since the record was taken last.
struct ClientRecord {
  struct Answer {
    int id;      // of the publish or subscribe
    int reason;  // 128 and above: refused
  };

  std::optional<int> connack;
  std::size_t receive_maximum = 65535;  // messages the broker wants in flight at most (MQTT 5)
  std::optional<int> disconnect;        // why the broker ended the connection (MQTT 5)
  std::vector<Answer> acknowledged;
  std::vector<Answer> subscribed;
  std::vector<Message> received;
  std::string tls_log;
};

class Client {
 public:
  // `mqtt5`: the version spoken. `tls` may be null and must outlive the client.
  static Result<std::unique_ptr<Client>> make(const BrokerSettings& settings, bool mqtt5,
                                              const TlsContext* tls);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Starts to connect and does not wait. `address` is numeric: a name would be resolved here,
  // blocking.
  Result<> begin(const std::string& address);
  // libmosquitto closes it at any call: never give it to Asio, only a dup of it. -1 when closed.
  [[nodiscard]] int descriptor() const noexcept;
  // There is no connection, or none any more, by errno; some of the handshake may have happened.
  [[nodiscard]] Error connect_failed(int system_error) const;
  // The peer hung up in the handshake: why, as far as it can be known.
  [[nodiscard]] Error handshake_lost() const;
  [[nodiscard]] const void* ssl() const noexcept;
  [[nodiscard]] bool wants_write() const noexcept;

  // Errors mean that the connection is over. A call reads few packets; exhausted() tells whether it
  // found the socket empty at last.
  Result<> read();
  [[nodiscard]] bool exhausted() const noexcept;
  Result<> write();
  Result<> keep_alive();  // to be called every second

  // The packet's id. Errors: invalid when the message itself is refused; all others end the
  // connection.
  Result<int> publish(const Message& message);
  Result<int> subscribe(const Subscription& wanted);
  void unsubscribe(const std::string& filter);
  void disconnect();

  [[nodiscard]] ClientRecord take_record();

 private:
  struct Callbacks;
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meterbridge::mqtt
