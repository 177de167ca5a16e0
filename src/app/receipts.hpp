// SPDX-License-Identifier: MIT
// Messages whose sender wants to know what became of them.
#pragma once

#include "mqtt/broker.hpp"
#include "mqtt/outbox.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace meterbridge::app {

// Belongs to one broker's outbox (OutboxLimits::keeper), and outlives it.
class Receipts final : public mqtt::Keeper {
 public:
  using Done = std::function<void(bool arrived)>;

  // With QoS 1 or 2. `done` is called once: when the broker has acknowledged it, or refused it; not
  // before this returns, but where nobody could take it. What the outbox drops for want of room
  // counts as arrived: who numbers his messages is asked for it.
  void send(mqtt::Broker& broker, mqtt::Message message, Done done) {
    broker_ = &broker;
    next_ = std::move(done);
    broker.publish(std::move(message));
    if (const Done refused = std::exchange(next_, nullptr)) refused(false);
  }

  std::uint64_t keep(const mqtt::Message&) override {
    if (!next_) return 0;
    waiting_.emplace(++last_, std::exchange(next_, nullptr));
    return last_;
  }

  void forget(std::uint64_t id) override {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    const Done done = std::move(found->second);
    waiting_.erase(found);
    // Each refusal is counted just before its message is forgotten.
    const std::uint64_t denials = broker_->denials();
    done(std::exchange(denials_, denials) == denials);
  }

 private:
  mqtt::Broker* broker_ = nullptr;
  std::uint64_t denials_ = 0;
  Done next_;  // of the message that is being published
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Done> waiting_;
};

}  // namespace meterbridge::app
