// SPDX-License-Identifier: MIT
// The meter's side of DL/T 645: has the values of the table, and refuses all others.
#pragma once

#include "protocol/dlt645/options.hpp"
#include "protocol/responder.hpp"

#include <memory>

namespace meterbridge::protocol::dlt645 {

class Dlt645Responder final : public Responder {
 public:
  static constexpr std::int64_t default_address = 1;

  explicit Dlt645Responder(Options options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  [[nodiscard]] Bytes answer_to(const Selection& asked) const;
  [[nodiscard]] Bytes payload_of(std::uint32_t code) const;  // empty: no such value
  [[nodiscard]] Bytes value_of(const CodeRow& row) const;

  Options options_;
  std::int64_t address_;
  MeterFace face_;
  Mischief mischief_;
  Bytes arrived_;
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::dlt645
