// SPDX-License-Identifier: MIT
// What bytes that nobody understands say about the line that they came over. Pure: bytes in, words
// out. For `doctor`.
#pragma once

#include "core/bytes.hpp"
#include "core/line_settings.hpp"
#include "core/setting.hpp"
#include "protocol/registry.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

// What a receiver makes of bytes that follow one another without a pause, when it is set to other
// settings than the sender, or sees the line inverted. Bytes with a wrong stop bit are delivered,
// as the system does it.
[[nodiscard]] Bytes as_received(ByteView bytes, const LineSettings& sender,
                                const LineSettings& receiver, bool inverted = false);

// How alike two streams are by how often each byte occurs in them, from 0 to 1.
[[nodiscard]] double likeness(ByteView a, ByteView b);

struct Guess {
  LineSettings line;
  bool inverted = false;
};

// Which settings of the sender make `typical` (a telegram of this kind) look like what was heard.
// Nothing when none does, or several do, or it looks right as it is.
[[nodiscard]] std::optional<Guess> guess_line(ByteView heard, ByteView typical,
                                              const LineSettings& receiver);

// The settings that meters use, the usual ones first.
[[nodiscard]] std::span<const LineSettings> usual_lines() noexcept;

struct Conversation {
  Conversation() = default;
  const Protocol* protocol = nullptr;
  const SettingValues* settings = nullptr;  // of the meter
  LineSettings line;                        // as it was opened
  bool serial = false;                      // whether it has speed and parity
  Bytes sent;
  Bytes heard;    // with the echo, if there is one
  Bytes typical;  // what the meter sends when all is well; may be empty
};

struct Symptom {
  Symptom() = default;
  std::string_view name;             // "echo"
  std::string words;                 // what is seen
  std::string advice;                // the one thing to do
  std::optional<LineSettings> line;  // worth a try
};

// The first pattern that fits, of a table; nothing when none does.
[[nodiscard]] std::optional<Symptom> symptom_of(const Conversation& conversation);

}  // namespace meterbridge::protocol
