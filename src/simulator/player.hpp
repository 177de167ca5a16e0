// SPDX-License-Identifier: MIT
// One simulated meter: its house, its side of the protocol, its faults. Without input and output.
#pragma once

#include "core/bytes.hpp"
#include "core/time.hpp"
#include "protocol/responder.hpp"
#include "protocol/speed_change.hpp"
#include "simulator/faults.hpp"
#include "simulator/load_model.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::simulator {

class Player {
 public:
  // Different seeds give different faults. limit = number of transmissions
  // after which the meter falls silent; nothing = never.
  Player(std::string id, std::unique_ptr<protocol::Responder> responder, LoadModel house,
         std::uint64_t seed, const FaultRates& rates, std::optional<std::uint64_t> limit);

  // See protocol::SpeedChange.
  [[nodiscard]] bool hears_at(std::uint32_t baud) {
    return speed_change_ != nullptr && speed_change_->hears_at(baud);
  }

  // What the bridge sent, in any cut; what goes back, in order.
  [[nodiscard]] std::vector<Emission> received(ByteView bytes, Seconds now);
  // The next telegram of a pushing meter; nothing from a polled one.
  [[nodiscard]] std::optional<Emission> push(Seconds now);
  // The same as messages. However many they are, they are one transmission.
  [[nodiscard]] std::vector<Emission> posts(Seconds now);

  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  [[nodiscard]] bool done() const noexcept { return limit_ && sent_ >= *limit_; }

  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

  [[nodiscard]] const Faults& faults() const noexcept { return faults_; }

 private:
  [[nodiscard]] Faults::Mood prepare(Seconds now);

  std::string id_;
  std::unique_ptr<protocol::Responder> responder_;
  protocol::SpeedChange* speed_change_;  // the same, or null
  LoadModel house_;
  Faults faults_;
  std::optional<std::uint64_t> limit_;
  std::uint64_t sent_ = 0;
};

}  // namespace meterbridge::simulator
