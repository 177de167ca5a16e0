// SPDX-License-Identifier: MIT
// The bridges to further brokers: made from the settings, watched, and ended with the service.
#pragma once

#include "app/state_store.hpp"
#include "config/settings.hpp"
#include "homeassistant/documents.hpp"
#include "mqtt/bridge.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

class BrokerBridges {
 public:
  // `client_id` is that of this installation; those of the bridges begin with it.
  BrokerBridges(boost::asio::any_io_executor executor, std::string client_id);
  BrokerBridges(const BrokerBridges&) = delete;
  BrokerBridges& operator=(const BrokerBridges&) = delete;

  void start(const config::Settings& settings);
  // What differs from the settings at start is ended and begun anew, and so is what had stopped by
  // itself. True when there was anything to do.
  boost::asio::awaitable<bool> take_over(const config::Settings& settings);
  // Ends all of them, within the time.
  boost::asio::awaitable<void> leave(std::chrono::milliseconds at_most);
  // Once a second. True when the state of one has changed.
  bool tick();
  void save();

  [[nodiscard]] std::vector<homeassistant::LinkFacts> facts() const;
  // Connections that have not ended yet.
  [[nodiscard]] bool running() const;

 private:
  struct Entry {
    Entry() = default;
    config::BridgeSettings settings;
    std::unique_ptr<StateStore> store;
    std::unique_ptr<mqtt::BrokerBridge> bridge;
    std::string state;          // as it was told
    std::uint64_t dropped = 0;  // the same
    std::chrono::steady_clock::time_point dropped_said{};
  };

  void add(const config::Settings& settings, const config::BridgeSettings& bridge);
  boost::asio::awaitable<void> end(std::vector<Entry*> entries, std::chrono::milliseconds at_most);
  [[nodiscard]] bool same_as(const Entry& entry, const config::Settings& settings) const;

  boost::asio::any_io_executor executor_;
  std::string client_id_;
  config::MqttSettings mqtt_;  // our own broker, as the bridges know it
  std::vector<std::unique_ptr<Entry>> entries_;
  boost::asio::steady_timer ended_;
};

}  // namespace meterbridge::app
