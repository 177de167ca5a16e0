// SPDX-License-Identifier: MIT
// Text from meters is hostile until it went through here.
#pragma once

#include "core/bytes.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace meterbridge {

inline constexpr std::size_t max_state_text = 255;  // Home Assistant refuses longer states

// Printable UTF-8 of at most `limit` bytes: control characters and broken sequences are dropped,
// blanks trimmed, never cut inside a character.
[[nodiscard]] std::string sanitised(std::string_view text, std::size_t limit = max_state_text);
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;
[[nodiscard]] std::string lower(std::string_view text);  // ASCII only
[[nodiscard]] bool same_ignoring_case(std::string_view a,
                                      std::string_view b) noexcept;  // ASCII only
// DSMR hex text: pairs of hex digits that all decode to printable ASCII. Nothing if one does not.
[[nodiscard]] std::optional<std::string> hex_text(std::string_view text);
// The candidate with the smallest edit distance, if it is near enough to be what was meant; else
// empty.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace meterbridge
