// SPDX-License-Identifier: MIT
// Captured bytes and transcripts, offline.
#pragma once

#include "protocol/registry.hpp"

#include <vector>

namespace meterbridge::protocol::iec62056_21 {

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings);
std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings);

}  // namespace meterbridge::protocol::iec62056_21
