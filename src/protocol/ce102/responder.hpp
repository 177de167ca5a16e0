// SPDX-License-Identifier: MIT
// The meter's side of the CE protocol.
#pragma once

#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/options.hpp"
#include "protocol/responder.hpp"

#include <memory>
#include <string>

namespace meterbridge::protocol::ce102 {

class Ce102Responder final : public Responder {
 public:
  static constexpr std::uint16_t default_address = 1;

  explicit Ce102Responder(const Options& options);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView bytes) override;

  Bytes push() override { return {}; }

 private:
  // Data of a good answer, or the code of an error.
  struct Answer {
    Answer() = default;
    Bytes data;
    std::optional<std::uint8_t> error;
  };

  std::optional<Bytes> answer(ByteView wire);
  [[nodiscard]] bool admitted(const Frame& request);
  [[nodiscard]] Answer execute(const Frame& request) const;
  [[nodiscard]] Answer version(ByteView parameters) const;
  [[nodiscard]] Answer serial_part(ByteView parameters) const;
  [[nodiscard]] Answer date_time() const;
  [[nodiscard]] Answer energy(ByteView parameters) const;
  [[nodiscard]] Answer energy_total(ByteView parameters) const;
  [[nodiscard]] Answer status() const;
  [[nodiscard]] Answer phases(Query query) const;
  [[nodiscard]] Bytes count_of(int tariff) const;

  [[nodiscard]] bool classic() const { return options_.family == Family::classic; }

  Options options_;
  std::string serial_;
  MeterFace face_;
  Mischief mischief_;
  int wrong_passwords_ = 0;
  Bytes arrived_;
};

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings);

}  // namespace meterbridge::protocol::ce102
