// SPDX-License-Identifier: MIT
#include "mqtt/outbox.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::mqtt {
namespace {

// Lists, tables and the allocator take about so much beside the texts.
constexpr std::size_t overhead = 200;

}  // namespace

std::size_t Outbox::cost(const Message& message) noexcept {
  return message.topic.size() + message.payload.size() + overhead;
}

void Outbox::put(Message message) {
  if (message.retain) {
    const auto found = retained_.find(message.topic);
    if (found != retained_.end()) {
      bytes_ += cost(message);
      bytes_ -= cost(found->second->message);
      if (found->second->kept != 0) limits_.keeper->forget(found->second->kept);
      found->second->kept = keep(message);
      found->second->message = std::move(message);
      bound();
      return;
    }
  }
  const std::uint64_t kept = keep(message);
  append(std::move(message), kept);
}

// What is retained is with the broker that it came from; a removal is nowhere.
std::uint64_t Outbox::keep(const Message& message) {
  const bool lasts = !message.retain || message.payload.empty();
  return limits_.keeper != nullptr && lasts && message.qos > 0 ? limits_.keeper->keep(message) : 0;
}

void Outbox::restore(Message message, std::uint64_t kept) {
  if (const auto older = retained_.find(message.topic); message.retain && older != retained_.end())
    drop_waiting(older->second);
  append(std::move(message), kept);
}

void Outbox::append(Message message, std::uint64_t kept) {
  bytes_ += cost(message);
  waiting_.push_back({0, std::move(message), kept});
  if (waiting_.back().message.retain) {
    retained_.emplace(waiting_.back().message.topic, std::prev(waiting_.end()));
  } else {
    ++events_;
  }
  bound();
}

void Outbox::release(const Entry& entry) {
  bytes_ -= cost(entry.message);
  if (entry.kept != 0) limits_.keeper->forget(entry.kept);
}

void Outbox::drop_waiting(std::list<Entry>::iterator entry) {
  if (entry->message.retain) {
    retained_.erase(entry->message.topic);
  } else {
    --events_;
  }
  release(*entry);
  waiting_.erase(entry);
  ++dropped_;
}

void Outbox::bound() {
  while (events_ > limits_.events || (bytes_ > limits_.bytes && !waiting_.empty())) {
    auto oldest = waiting_.begin();
    if (events_ > 0) {
      oldest = std::find_if(waiting_.begin(), waiting_.end(),
                            [](const Entry& entry) { return !entry.message.retain; });
    }
    drop_waiting(oldest);
  }
}

std::optional<Outbox::Departure> Outbox::take() {
  if (waiting_.empty()) return std::nullopt;
  Entry& entry = waiting_.front();
  if (entry.message.retain) {
    retained_.erase(entry.message.topic);
  } else {
    --events_;
  }
  entry.ticket = next_++;
  Departure departure{entry.ticket, entry.message};
  flying_.splice(flying_.end(), waiting_, waiting_.begin());
  return departure;
}

void Outbox::acknowledged(Ticket ticket) {
  // Acknowledgements come in the order of departure, so the search nearly always ends at the first
  // entry.
  const auto found = std::find_if(flying_.begin(), flying_.end(),
                                  [ticket](const Entry& entry) { return entry.ticket == ticket; });
  if (found == flying_.end()) return;
  release(*found);
  flying_.erase(found);
  ++delivered_;
}

const Message* Outbox::flying(Ticket ticket) const noexcept {
  const auto found = std::find_if(flying_.begin(), flying_.end(),
                                  [ticket](const Entry& entry) { return entry.ticket == ticket; });
  return found == flying_.end() ? nullptr : &found->message;
}

void Outbox::connection_lost() {
  // From the newest to the oldest: of two messages of one topic in flight the newer one goes back
  // first, and the older one then finds it waiting.
  while (!flying_.empty()) {
    const auto last = std::prev(flying_.end());
    if (!last->message.retain) {
      ++events_;
    } else if (!retained_.emplace(last->message.topic, last).second) {
      release(*last);
      flying_.erase(last);
      continue;
    }
    waiting_.splice(waiting_.begin(), flying_, last);
  }
  bound();
}

std::size_t Outbox::waiting() const noexcept {
  return waiting_.size();
}

std::size_t Outbox::in_flight() const noexcept {
  return flying_.size();
}

}  // namespace meterbridge::mqtt
