// SPDX-License-Identifier: MIT
// Captured bytes and transcripts of the 23x protocol, offline.
#pragma once

#include "core/setting.hpp"
#include "protocol/registry.hpp"

#include <span>
#include <vector>

namespace meterbridge::protocol::mercury {

// Answers without their requests: what they are cannot be told, so their bytes are their items.
[[nodiscard]] std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings);
// Answers with their requests, matched strictly.
[[nodiscard]] std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                                     const SettingValues& settings);

}  // namespace meterbridge::protocol::mercury
