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

// Where messages are written that must survive the process: those with QoS 1 and 2 that are not
// retained, or remove what is.
class Keeper {
 public:
  virtual ~Keeper() = default;
  virtual std::uint64_t keep(const Message& message) = 0;  // 0 = it could not be kept
  virtual void forget(std::uint64_t id) = 0;               // it has arrived, or was dropped
};

struct OutboxLimits {
  std::size_t events = 1000;
  std::size_t bytes = SIZE_MAX;  // of all messages, with what each costs besides
  Keeper* keeper = nullptr;      // outlives the outbox
};

// Bounded by topics for retained messages, by a number for the others, and by bytes for all (oldest
// dropped and counted, retained ones last). The order of first arrival is kept; a newer message of
// a waiting topic takes the older one's place in the queue.
class Outbox {
 public:
  using Ticket = std::uint64_t;

  explicit Outbox(std::size_t max_events = 1000) { limits_.events = max_events; }

  explicit Outbox(OutboxLimits limits) : limits_(limits) {}

  void put(Message message);
  // One that was kept by an earlier process, under this id.
  void restore(Message message, std::uint64_t kept);

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
  [[nodiscard]] bool crowded() const noexcept { return events_ > limits_.events / 2; }

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  [[nodiscard]] bool empty() const noexcept { return waiting() == 0 && in_flight() == 0; }

 private:
  struct Entry {
    Ticket ticket;
    Message message;
    std::uint64_t kept = 0;
  };

  static std::size_t cost(const Message& message) noexcept;
  std::uint64_t keep(const Message& message);
  void bound();
  void append(Message message, std::uint64_t kept);
  void drop_waiting(std::list<Entry>::iterator entry);
  void release(const Entry& entry);

  OutboxLimits limits_;
  Ticket next_ = 1;
  std::uint64_t dropped_ = 0;
  std::uint64_t delivered_ = 0;
  std::size_t bytes_ = 0;
  std::size_t events_ = 0;
  std::list<Entry> waiting_;
  std::unordered_map<std::string, std::list<Entry>::iterator> retained_;  // topic -> waiting entry
  std::list<Entry> flying_;
};

}  // namespace meterbridge::mqtt
