// SPDX-License-Identifier: MIT
// A P1 meter that is not there: pushes telegrams as the meters of its country do, encrypted when it
// has a key.
#pragma once

#include "protocol/p1/cipher.hpp"
#include "protocol/p1/decode.hpp"
#include "protocol/responder.hpp"

namespace meterbridge::protocol::p1 {

class P1Responder final : public Responder {
 public:
  // automatic: Hungary (E.ON), with a key Luxembourg.
  P1Responder(Country country, CipherKeys keys);

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView) override { return {}; }  // P1 meters hear nothing

  Bytes push() override;

 private:
  Country country_;
  CipherKeys keys_;
  MeterFace face_;
  Mischief mischief_;
  std::uint32_t counter_ = 0;
};

// One telegram in clear, from the slash to the last line feed. number tells two meters apart.
[[nodiscard]] std::string telegram_text(Country country, const MeterFace& face, int number = 1);

}  // namespace meterbridge::protocol::p1
