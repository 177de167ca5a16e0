// SPDX-License-Identifier: MIT
// Bytes as they come from the wire, and the one bounds-checked way to read numbers from them.
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge {

using ByteView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;

[[nodiscard]] std::string to_hex(ByteView bytes);        // lower case, no blanks
[[nodiscard]] std::string to_hex_upper(ByteView bytes);  // upper case, no blanks
// White space between digits is ignored. Error: malformed, with the position of the first wrong
// character.
Result<Bytes> from_hex(std::string_view text);

// Both copy byte for byte; a std::string is used as a container of characters, not of UTF-8.
[[nodiscard]] std::string to_text(ByteView bytes);
[[nodiscard]] Bytes to_bytes(std::string_view text);

[[nodiscard]] constexpr std::uint8_t u8(std::byte b) noexcept {
  return std::to_integer<std::uint8_t>(b);
}

// A cursor over a view it does not own. Reading past the end returns nothing and moves nothing.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - at_; }

  [[nodiscard]] std::size_t position() const noexcept { return at_; }

  // count = 1..8 bytes as an unsigned number, low byte first / high byte first.
  [[nodiscard]] std::optional<std::uint64_t> little(std::size_t count) noexcept;
  [[nodiscard]] std::optional<std::uint64_t> big(std::size_t count) noexcept;
  [[nodiscard]] std::optional<std::uint8_t> u8() noexcept;
  [[nodiscard]] std::optional<ByteView> take(std::size_t count) noexcept;
  // One byte of packed BCD, 0..99; nothing (and no move) if a digit is above 9.
  [[nodiscard]] std::optional<int> bcd() noexcept;

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

}  // namespace meterbridge
