// SPDX-License-Identifier: MIT
// What keeps a bridge from talking to itself: the memory of what it sent, and the guard that ends
// a circle.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace meterbridge::mqtt {

using TrafficTime = std::chrono::steady_clock::time_point;

// For brokers without MQTT 5, which send us our own messages: the last ones for some seconds.
class Echoes {
 public:
  void sent(std::string_view topic, std::string_view payload, TrafficTime now);
  // It is one that we sent. Each is recognised once: the same message of somebody else passes.
  [[nodiscard]] bool recognise(std::string_view topic, std::string_view payload, TrafficTime now);

 private:
  void forget_old(TrafficTime now);

  struct Sent {
    std::uint64_t print;
    TrafficTime time;
  };

  std::deque<Sent> order_;
  std::unordered_map<std::uint64_t, std::size_t> counts_;
};

// Counts messages per topic in windows of a second. More than `limit` on one topic are a circle;
// what a broker had kept for us (`backlog`) comes as fast, but never more than `limit` times the
// same.
class StormGuard {
 public:
  explicit StormGuard(unsigned limit) : limit_(limit) {}

  // True: this one is too many.
  [[nodiscard]] bool counts(std::string_view topic, std::string_view payload, bool backlog,
                            TrafficTime now);

 private:
  unsigned limit_;
  TrafficTime window_{};
  std::unordered_map<std::uint64_t, unsigned> topics_;
  std::unordered_map<std::uint64_t, unsigned> messages_;
};

}  // namespace meterbridge::mqtt
