// SPDX-License-Identifier: MIT
// An SML meter that is not there: sends the list of its model.
#pragma once

#include "protocol/responder.hpp"
#include "protocol/sml/models.hpp"

namespace meterbridge::protocol::sml {

class SmlResponder final : public Responder {
 public:
  explicit SmlResponder(const Model& model) : model_(model) {}

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView) override { return {}; }  // nothing can be asked

  Bytes push() override;

 private:
  const Model& model_;
  MeterFace face_;
  Mischief mischief_;
  std::uint32_t number_ = 0;  // of the file
};

// Escaped, padded, and with its check sum.
[[nodiscard]] Bytes file_of(ByteView payload, CheckKind check);

}  // namespace meterbridge::protocol::sml
