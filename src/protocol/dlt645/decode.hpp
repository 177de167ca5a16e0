// SPDX-License-Identifier: MIT
// Captured bytes and transcripts of DL/T 645, offline.
#pragma once

#include "core/setting.hpp"
#include "protocol/registry.hpp"

#include <span>
#include <vector>

namespace meterbridge::protocol::dlt645 {

// Answers say what they answer: readings come of them without their requests, too.
[[nodiscard]] std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings);
// Answers with their requests, matched strictly.
[[nodiscard]] std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                                     const SettingValues& settings);

}  // namespace meterbridge::protocol::dlt645
