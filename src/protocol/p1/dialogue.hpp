// SPDX-License-Identifier: MIT
// Listens to a pushing P1 meter. Lives as long as the link is open; see protocol/dialogue.hpp.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/p1/receiver.hpp"
#include "protocol/remembering.hpp"

namespace meterbridge::protocol::p1 {

class P1Dialogue final : public Dialogue {
 public:
  // memory and cipher belong to the driver. patience: how long no byte may arrive.
  P1Dialogue(const ReceiverOptions& options, Milliseconds patience, Memory& memory, Cipher& cipher)
      : receiver_(options, memory, cipher), patience_(patience) {}

  Result<Step> next() override;

  void received(ByteView bytes) override { receiver_.push(bytes); }

  void silence() override;

 private:
  Receiver receiver_;
  Milliseconds patience_;
  bool silent_ = false;
};

class P1Driver final : public Driver, public Remembering {
 public:
  P1Driver(const ReceiverOptions& options, Milliseconds patience, CipherKeys keys)
      : options_(options), patience_(patience), cipher_(std::move(keys)) {}

  std::unique_ptr<Dialogue> begin() override;

  [[nodiscard]] std::string memory() const override { return memory_.counters.text(); }

  void remember(std::string_view memory) override { memory_.counters.remember(memory); }

 private:
  ReceiverOptions options_;
  Milliseconds patience_;
  Memory memory_;
  Cipher cipher_;
};

}  // namespace meterbridge::protocol::p1
