// SPDX-License-Identifier: MIT
// Listens to a meter that sends SML. Lives as long as the link is open; see protocol/dialogue.hpp.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/patience.hpp"
#include "protocol/sml/receiver.hpp"

#include <string>

namespace meterbridge::protocol::sml {

// A meter sends a telegram in one go.
inline constexpr Milliseconds file_patience{2000};

class SmlDialogue final : public Dialogue {
 public:
  // remark belongs to the driver. patience: how long no byte may arrive.
  SmlDialogue(const DecodeOptions& options, Milliseconds patience, std::string& remark)
      : receiver_(options), patience_(patience, file_patience), remark_(remark) {}

  Result<Step> next() override;
  void received(ByteView bytes) override;
  void silence() override;

 private:
  Receiver receiver_;
  Patience patience_;
  std::string& remark_;
};

class SmlDriver final : public Driver {
 public:
  SmlDriver(const DecodeOptions& options, Milliseconds patience)
      : options_(options), patience_(patience) {}

  std::unique_ptr<Dialogue> begin() override {
    return std::make_unique<SmlDialogue>(options_, patience_, remark_);
  }

  [[nodiscard]] std::string remark() const override { return remark_; }

 private:
  DecodeOptions options_;
  Milliseconds patience_;
  std::string remark_;
};

// Which power the telegram has and nobody can say what it means; empty when there is none.
[[nodiscard]] std::string doubtful_power(const Telegram& telegram);

}  // namespace meterbridge::protocol::sml
