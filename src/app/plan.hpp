// SPDX-License-Identifier: MIT
// From a valid configuration to the things that run: transports, meters, broker settings.
#pragma once

#include "app/bridge.hpp"
#include "app/link.hpp"
#include "app/state_store.hpp"
#include "config/settings.hpp"
#include "io/topics.hpp"
#include "meter/configuration.hpp"
#include "meter/meter.hpp"
#include "mqtt/broker.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::app {

// `profile_line` counts where the link does not say its own speed. A link from MQTT hears nothing:
// it is made by make_way, which knows the broker.
std::unique_ptr<io::Transport> make_transport(const boost::asio::any_io_executor& executor,
                                              const config::LinkSettings& settings,
                                              const LineSettings& profile_line);

// A valid configuration with its meters made. The meters refer to the library, and share it: those
// that go on while the configuration is read anew keep the one they were made from.
struct House {
  House() = default;
  config::Settings settings;
  std::shared_ptr<const meter::ProfileLibrary> library;
  std::vector<std::unique_ptr<meter::Meter>> meters;
  std::function<decltype(make_transport)> transport = make_transport;  // another one in tests
};

// Error: invalid, with the meter's id in front.
Result<House> build_house(meter::Configuration configuration);

[[nodiscard]] const config::LinkSettings* find_link(const config::Settings& settings,
                                                    std::string_view name);
// The transport of a link; `topics` where it listens to the broker.
std::unique_ptr<io::Transport> make_way(const boost::asio::any_io_executor& executor,
                                        const House& house, const config::LinkSettings& settings,
                                        const LineSettings& profile_line, io::Topics& topics);
std::unique_ptr<Link> make_link(const boost::asio::any_io_executor& executor,
                                const config::LinkSettings& settings,
                                std::unique_ptr<io::Transport> transport);
MeterPlan plan_of(const meter::Meter& meter, const config::Settings& settings);
std::vector<MeterPlan> plans_of(const House& house);
mqtt::BrokerSettings broker_settings(const config::ConnectionSettings& settings,
                                     const std::string& client_id, mqtt::Message will);
std::string random_id();  // eight hexadecimal digits
// "meterbridge-3f9c12ab": kept over restarts, so that two installations never throw each other out.
std::string new_client_id(const std::string& instance);
// What was announced (Known), and what was read (Memory).
[[nodiscard]] StateStore known_store(const config::Settings& settings, StateStore::Log log);
[[nodiscard]] StateStore memory_store(const config::Settings& settings, StateStore::Log log);

}  // namespace meterbridge::app
