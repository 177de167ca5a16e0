// SPDX-License-Identifier: MIT
// What still has to reach the broker. Retained messages keep only the newest per topic; others
// queue in order.
#pragma once

#include "mqtt/message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace meterbridge::mqtt {

// Bounded by topics for retained messages, by `max_events` for the others (oldest dropped and
// counted). The order of first arrival is kept; a newer message of a waiting topic takes the older
// one's place in the queue.
class Outbox {
 public:
  using Ticket = std::uint64_t;

  explicit Outbox(std::size_t max_events = 1000) : max_events_(max_events) {}

  void put(Message message);

  // The next message that is not in flight; it is in flight from now on.
  struct Departure {
    Ticket ticket;
    Message message;
  };

  std::optional<Departure> take();
  void acknowledged(Ticket ticket);
  // The message of a ticket in flight; valid until the next call. Null when it is not in flight.
  [[nodiscard]] const Message* flying(Ticket ticket) const noexcept;
  // The connection ended: what was in flight goes back to the front, unless a newer message of its
  // topic waits.
  void connection_lost();

  [[nodiscard]] std::size_t waiting() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept;

  // Half of the room for events is taken: who can wait should.
  [[nodiscard]] bool crowded() const noexcept { return events_ > max_events_ / 2; }

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

  [[nodiscard]] bool empty() const noexcept { return waiting() == 0 && in_flight() == 0; }

 private:
  void bound_events();

  struct Entry {
    Ticket ticket;
    Message message;
  };

  std::size_t max_events_;
  Ticket next_ = 1;
  std::uint64_t dropped_ = 0;
  std::size_t events_ = 0;
  std::list<Entry> waiting_;
  std::unordered_map<std::string, std::list<Entry>::iterator> retained_;  // topic -> waiting entry
  std::list<Entry> flying_;
};

}  // namespace meterbridge::mqtt
