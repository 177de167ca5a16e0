// SPDX-License-Identifier: MIT
// The meter's side of IEC 62056-21: a readout, or codes in programming mode or without a session.
#pragma once

#include "protocol/iec62056_21/models.hpp"
#include "protocol/iec62056_21/options.hpp"
#include "protocol/responder.hpp"
#include "protocol/speed_change.hpp"

#include <memory>
#include <optional>
#include <string>

namespace meterbridge::protocol::iec62056_21 {

class Iec62056Responder final : public Responder, public SpeedChange {
 public:
  explicit Iec62056Responder(Options options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

  bool hears_at(std::uint32_t baud) override;

 private:
  enum class State : std::uint8_t { idle, identified, operand_sent, open };

  std::optional<Bytes> take_request();
  [[nodiscard]] bool is_deaf();
  [[nodiscard]] bool is_mine(std::string_view line) const;
  std::optional<Bytes> on_sign_on(const std::string& line);
  std::optional<Bytes> on_select(char speed, char mode);
  std::optional<Bytes> on_command(ByteView frame);
  std::optional<Bytes> on_fast_read(const std::string& line, ByteView frame);
  [[nodiscard]] Bytes answer_to(const Block& block) const;
  [[nodiscard]] std::string group_of(std::string_view names) const;
  [[nodiscard]] std::string values_of(std::string_view name, bool repeat) const;
  [[nodiscard]] std::string value_of(const CodeRow& row) const;
  [[nodiscard]] std::string serial() const;
  [[nodiscard]] Bytes readout() const;
  [[nodiscard]] std::uint32_t baud_of(char character) const;
  void wait_for_sign_on();

  Options options_;
  const Model& model_;
  Family family_ = Family::none;
  Check rule_ = Check::exclusive_or;
  std::string identification_;
  CodeTable table_;
  MeterFace face_;
  Mischief mischief_;
  State state_ = State::idle;
  Bytes arrived_;
  std::uint32_t baud_;          // at which it listens
  std::uint32_t heard_at_ = 0;  // of the line; 0 = nobody knows
  bool parity_ = false;         // the other side sends its parity in bit 7
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::iec62056_21
