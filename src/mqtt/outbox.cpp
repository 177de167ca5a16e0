// SPDX-License-Identifier: MIT
#include "mqtt/outbox.hpp"

#include <algorithm>

namespace meterbridge::mqtt {

void Outbox::put(Message message) {
  if (message.retain) {
    const auto found = retained_.find(message.topic);
    if (found != retained_.end()) {
      found->second->message = std::move(message);
      return;
    }
    waiting_.push_back({0, std::move(message)});
    retained_.emplace(waiting_.back().message.topic, std::prev(waiting_.end()));
    return;
  }
  waiting_.push_back({0, std::move(message)});
  ++events_;
  bound_events();
}

void Outbox::bound_events() {
  while (events_ > max_events_) {
    const auto oldest = std::find_if(waiting_.begin(), waiting_.end(),
                                     [](const Entry& entry) { return !entry.message.retain; });
    waiting_.erase(oldest);
    --events_;
    ++dropped_;
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
  if (found != flying_.end()) flying_.erase(found);
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
      flying_.erase(last);
      continue;
    }
    waiting_.splice(waiting_.begin(), flying_, last);
  }
  bound_events();
}

std::size_t Outbox::waiting() const noexcept {
  return waiting_.size();
}

std::size_t Outbox::in_flight() const noexcept {
  return flying_.size();
}

}  // namespace meterbridge::mqtt
