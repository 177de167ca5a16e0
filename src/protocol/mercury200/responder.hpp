// SPDX-License-Identifier: MIT
// The meter's side of the 200/206 protocol.
#pragma once

#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/options.hpp"
#include "protocol/responder.hpp"

#include <memory>

namespace meterbridge::protocol::mercury200 {

class Mercury200Responder final : public Responder {
 public:
  static constexpr std::uint32_t default_address = 1;

  explicit Mercury200Responder(const Options& options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  [[nodiscard]] Bytes data_of(Command command) const;  // empty: this meter is silent
  [[nodiscard]] Bytes energy(bool reactive) const;
  [[nodiscard]] Bytes instant() const;
  [[nodiscard]] Bytes clock() const;

  Options options_;
  std::uint32_t address_;
  MeterFace face_;
  Mischief mischief_;
  Bytes arrived_;
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury200
