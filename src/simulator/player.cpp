// SPDX-License-Identifier: MIT
#include "simulator/player.hpp"

namespace meterbridge::simulator {

Player::Player(std::string id, std::unique_ptr<protocol::Responder> responder, LoadModel house,
               std::uint64_t seed, const FaultRates& rates, std::optional<std::uint64_t> limit)
    : id_(std::move(id)),
      responder_(std::move(responder)),
      speed_change_(dynamic_cast<protocol::SpeedChange*>(responder_.get())),
      house_(std::move(house)),
      faults_(rates, seed),
      limit_(limit) {}

Faults::Mood Player::prepare(Seconds now) {
  const Faults::Mood mood = faults_.mood();
  protocol::MeterFace face = house_.at(now);
  Faults::alter(mood, face);
  responder_->misbehave(mood.mischief);
  responder_->show(face);
  return mood;
}

std::vector<Emission> Player::received(ByteView bytes, Seconds now) {
  std::vector<Emission> out;
  if (done()) return out;
  const Faults::Mood mood = prepare(now);
  for (Bytes& answer : responder_->received(bytes)) {
    if (done()) break;
    faults_.spoken(mood);
    out.push_back(faults_.distort(std::move(answer)));
    ++sent_;
  }
  return out;
}

std::optional<Emission> Player::push(Seconds now) {
  if (done()) return std::nullopt;
  const Faults::Mood mood = prepare(now);
  Bytes telegram = responder_->push();
  if (telegram.empty()) return std::nullopt;
  faults_.spoken(mood);
  ++sent_;
  return faults_.distort(std::move(telegram));
}

std::vector<Emission> Player::posts(Seconds now) {
  std::vector<Emission> out;
  if (done()) return out;
  const Faults::Mood mood = prepare(now);
  for (protocol::Post& post : responder_->posts()) {
    out.push_back(faults_.distort(std::move(post.payload)));
    out.back().topic = std::move(post.topic);
  }
  if (out.empty()) return out;
  faults_.spoken(mood);
  ++sent_;
  return out;
}

}  // namespace meterbridge::simulator
