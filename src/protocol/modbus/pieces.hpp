// SPDX-License-Identifier: MIT
// Captured bytes, cut into frames and what lies between them.
#pragma once

#include "protocol/modbus/frame.hpp"

#include <optional>
#include <vector>

namespace meterbridge::protocol::modbus {

struct Piece {
  Piece() = default;
  std::size_t offset = 0;
  ByteView wire;
  std::optional<Error> broken;  // no frame: why
  Frame frame;                  // else
};

// Nothing is left out: every byte belongs to one piece.
[[nodiscard]] std::vector<Piece> pieces_of(Framing framing, ByteView bytes);
// Which framing the bytes have. RTU unless they only fit Modbus TCP.
[[nodiscard]] Framing guess_framing(ByteView bytes);

}  // namespace meterbridge::protocol::modbus
