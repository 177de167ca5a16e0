// SPDX-License-Identifier: MIT
// The meter's side of IEC 62056-21: a readout, or codes in programming mode.
#pragma once

#include "protocol/iec62056_21/options.hpp"
#include "protocol/responder.hpp"

#include <memory>
#include <optional>
#include <string>

namespace meterbridge::protocol::iec62056_21 {

class Iec62056Responder final : public Responder {
 public:
  explicit Iec62056Responder(Options options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  enum class State : std::uint8_t { idle, identified, operand_sent, open };

  std::optional<Bytes> take_request();
  std::optional<Bytes> on_sign_on(const std::string& line);
  std::optional<Bytes> on_select(char mode);
  std::optional<Bytes> on_command(ByteView frame);
  [[nodiscard]] Bytes answer_to(const std::string& name) const;
  [[nodiscard]] std::string values_of(const std::string& name) const;
  [[nodiscard]] std::string value_of(const CodeRow& row) const;
  [[nodiscard]] std::string readout() const;
  [[nodiscard]] std::string serial() const;

  Options options_;
  Check rule_ = Check::exclusive_or;
  std::string identification_;
  CodeTable table_;
  MeterFace face_;
  Mischief mischief_;
  State state_ = State::idle;
  Bytes arrived_;
  bool parity_ = false;  // the other side sends its parity in bit 7
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::iec62056_21
