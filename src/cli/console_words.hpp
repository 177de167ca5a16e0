// SPDX-License-Identifier: MIT
// The words of the console: what may be typed, and what is shown together.
#pragma once

#include "core/reading_key.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::cli {

[[nodiscard]] std::string_view console_help() noexcept;
// What can be read alone: "energy", "power", ...
[[nodiscard]] std::span<const std::string_view> reading_groups() noexcept;
[[nodiscard]] std::string_view group_of(Quantity quantity) noexcept;

[[nodiscard]] std::vector<std::string> words_of(std::string_view text);
// The words from that one on, with single blanks.
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::size_t from);
// 'l' of "l", "line" and "speed"; '\0' when it is no command.
[[nodiscard]] char letter_of(std::string_view word) noexcept;

}  // namespace meterbridge::cli
