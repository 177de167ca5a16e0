// SPDX-License-Identifier: MIT
// Captured bytes and transcripts of the 200/206 protocol, offline.
#pragma once

#include "core/setting.hpp"
#include "protocol/registry.hpp"

#include <span>
#include <vector>

namespace meterbridge::protocol::mercury200 {

// Answers without their requests: items, no readings.
[[nodiscard]] std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings);
// Answers with their requests, matched strictly.
[[nodiscard]] std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                                     const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury200
