// SPDX-License-Identifier: MIT
// Messages of a broker as links: each link hears the topics of its filter, message by message.
#pragma once

#include "core/result.hpp"
#include "io/transport.hpp"
#include "mqtt/message.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::io {

// Stands between one broker connection and the links that listen to it. Links may outlive it; they
// hear nothing more then.
class Topics {
 public:
  using Subscription = std::function<void(const std::string& filter)>;

  // Called on the loop, once per filter: when the first link needs it, and when the last is gone.
  Topics(Subscription subscribe, Subscription unsubscribe);
  ~Topics();
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;

  // Every message of the broker, whoever it is for.
  void received(const mqtt::Message& message);
  // There is no connection, and who listens shall know: reads end with this error, and links cannot
  // be opened. Nothing: all is well again. Without it an interruption is not told: how long a link
  // is silent decides.
  void set_trouble(std::optional<Error> trouble);

  [[nodiscard]] std::unique_ptr<Transport> source(boost::asio::any_io_executor executor,
                                                  std::string filter);

 private:
  struct State;
  class Source;
  std::shared_ptr<State> state_;  // with the sources
};

}  // namespace meterbridge::io
