// SPDX-License-Identifier: MIT
// Listens to a meter that pushes its lists. Lives as long as the link is open; see
// protocol/dialogue.hpp.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/dlms/receiver.hpp"
#include "protocol/patience.hpp"
#include "protocol/remembering.hpp"

#include <optional>
#include <string>

namespace meterbridge::protocol::dlms {

// Longer than the gap between two parts of a telegram (160 ms were seen), shorter than the shortest
// pause between two telegrams of meters that send in parts (5 s).
inline constexpr Milliseconds part_patience{2500};

class DlmsDialogue final : public Dialogue {
 public:
  // memory and decipher belong to the driver. patience: how long no byte may arrive.
  DlmsDialogue(const ReceiverOptions& options, Milliseconds patience, Memory& memory,
               Decipher& decipher)
      : memory_(memory), receiver_(options, memory, decipher), patience_(patience, part_patience) {}

  Result<Step> next() override;
  void received(ByteView bytes) override;
  void silence() override;

 private:
  std::optional<Error> foreign(const Decoded& decoded);

  Memory& memory_;
  Receiver receiver_;
  Patience patience_;
};

class DlmsDriver final : public Driver, public Remembering {
 public:
  DlmsDriver(const ReceiverOptions& options, Milliseconds patience, CipherKeys keys);

  std::unique_ptr<Dialogue> begin() override;

  [[nodiscard]] std::string memory() const override { return memory_.counters.text(); }

  void remember(std::string_view memory) override { memory_.counters.remember(memory); }

  [[nodiscard]] std::string remark() const override;

 private:
  ReceiverOptions options_;
  Milliseconds patience_;
  Memory memory_;
  Decipher decipher_;
};

}  // namespace meterbridge::protocol::dlms
