// SPDX-License-Identifier: MIT
// The meter's side of the 23x protocol.
#pragma once

#include "protocol/mercury/options.hpp"
#include "protocol/mercury/values.hpp"
#include "protocol/responder.hpp"

#include <memory>
#include <optional>

namespace meterbridge::protocol::mercury {

class MercuryResponder final : public Responder {
 public:
  static constexpr std::uint8_t default_address = 1;
  static constexpr std::chrono::seconds open_for{20};  // after the last request

  explicit MercuryResponder(const Options& options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  [[nodiscard]] Bytes answer(std::uint8_t address, ByteView body);
  [[nodiscard]] Bytes execute(Kind kind, ByteView body);
  [[nodiscard]] Bytes open(ByteView body);
  [[nodiscard]] Bytes energy(ByteView body) const;
  [[nodiscard]] Bytes group(std::uint8_t bwri) const;
  [[nodiscard]] Bytes value(std::uint8_t bwri) const;
  [[nodiscard]] Bytes clock() const;
  [[nodiscard]] std::int64_t import_of(int tariff) const;
  [[nodiscard]] std::int64_t export_of(int tariff) const;
  [[nodiscard]] std::optional<Decimal> measured(std::uint8_t bwri) const;

  Options options_;
  std::uint8_t address_;
  MeterFace face_;
  Mischief mischief_;
  Bytes arrived_;
  std::optional<Seconds> open_until_;
  int wrong_passwords_ = 0;
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury
