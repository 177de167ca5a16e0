// SPDX-License-Identifier: MIT
// A DLMS meter that is not there: pushes the list of its model, encrypted when it has a key.
#pragma once

#include "protocol/dlms/cipher.hpp"
#include "protocol/dlms/models.hpp"
#include "protocol/responder.hpp"

namespace meterbridge::protocol::dlms {

class DlmsResponder final : public Responder {
 public:
  DlmsResponder(const Model& model, CipherKeys keys) : model_(model), keys_(std::move(keys)) {}

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView) override { return {}; }  // nothing can be asked

  Bytes push() override;

 private:
  Bytes apdu();

  const Model& model_;
  CipherKeys keys_;
  MeterFace face_;
  Mischief mischief_;
  std::uint32_t counter_ = 0;
};

// The plain data-notification of a model. foreign: of another meter of the same kind.
[[nodiscard]] Bytes notification_of(const Model& model, const MeterFace& face,
                                    std::uint32_t invocation, bool foreign = false);
// The frames of a line, one after the other, around an APDU.
[[nodiscard]] Bytes framed(Line line, ByteView apdu);
[[nodiscard]] Bytes mbus_frame(std::uint8_t control, ByteView part);
[[nodiscard]] Bytes hdlc_frame(bool more, ByteView part);

}  // namespace meterbridge::protocol::dlms
