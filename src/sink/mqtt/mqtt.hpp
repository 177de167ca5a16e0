// SPDX-License-Identifier: MIT
// Every sample on <base>/<meter>/sample, over the connection of the house to its own broker: for
// hubs and archives.
#pragma once

#include "sink/sink.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace meterbridge::sink::mqtt {

// The way to our own broker, which the service has.
struct PostOffice {
  std::string base;     // of our topics
  std::string journal;  // name of the journal that is read
  // With QoS 1, not retained. `done` is told once whether it arrived, or was refused.
  std::function<void(std::string topic, std::string payload, std::function<void(bool)> done)> send;
  // A number such that the meter has no sample between it and this one.
  std::function<journal::Sequence(std::string_view meter, journal::Sequence number)> before;
};

[[nodiscard]] std::unique_ptr<Sink> make(const boost::asio::any_io_executor& executor, Setup setup,
                                         PostOffice office);
// The sinks that it makes have no way to a broker: they are looked at, not written to.
[[nodiscard]] Kind kind();

}  // namespace meterbridge::sink::mqtt
