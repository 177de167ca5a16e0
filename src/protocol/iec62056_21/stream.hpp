// SPDX-License-Identifier: MIT
// Readouts and blocks in a stream of captured bytes.
#pragma once

#include "protocol/iec62056_21/options.hpp"
#include "protocol/telegram.hpp"

#include <vector>

namespace meterbridge::protocol::iec62056_21 {

[[nodiscard]] Decoded entry(Status status, std::string error);
[[nodiscard]] Decoded failed(const Error& error);

// 7E1 that was captured as 8N1 has its parity in bit 7.
[[nodiscard]] bool carries_parity(ByteView bytes);

// Everything in order, the broken ones too. Blocks without their request give items only.
[[nodiscard]] std::vector<Decoded> decode_stream(ByteView bytes, const Options& options);

}  // namespace meterbridge::protocol::iec62056_21
