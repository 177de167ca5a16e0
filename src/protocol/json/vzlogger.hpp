// SPDX-License-Identifier: MIT
// vzlogger's channels: .../chn0/id says once which register it is, .../chn0/raw and .../chn0/agg
// bring its values, bare or as {"timestamp":milliseconds,"value":number}. No message says a unit.
// Sources: vzlogger, src/mqtt.cpp (topics, what is announced, std::to_string of a double) and its
// documentation of `mqtt` in etc/vzlogger.conf.
#pragma once

#include "protocol/json/decode.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::json {

class Channels {
 public:
  // Nothing: no value (a name, an aggregate beside raw values). Error: unsupported or malformed.
  Result<std::optional<Understood>> take(const Options& options, std::string_view text,
                                         std::string_view topic);

  [[nodiscard]] std::string memory() const;
  void remember(std::string_view memory);

 private:
  struct Channel {
    std::string code;  // OBIS; empty while nobody has said it
    bool raw = false;  // raw values come: the aggregated ones would be the same again
  };

  Channel* channel(std::string_view name);

  std::map<std::string, Channel, std::less<>> channels_;
};

}  // namespace meterbridge::protocol::json
