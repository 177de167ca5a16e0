// SPDX-License-Identifier: MIT
// JSON as its values with their places: numbers keep the digits they were sent with.
#pragma once

#include "core/decimal.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {

inline constexpr std::size_t max_document = 65536;  // bytes
inline constexpr std::size_t max_depth = 32;
inline constexpr std::size_t max_values = 4096;
inline constexpr std::size_t max_pointer = 1024;  // bytes; each value keeps its own

enum class Kind : std::uint8_t { null, boolean, number, text };

// A value that holds no others, and its JSON pointer (RFC 6901); empty for a document that is one
// value. `text` of a number is the number as sent.
struct Leaf {
  Leaf() = default;
  std::string pointer;
  Kind kind = Kind::null;
  std::string text;
};

// Known malformations, each of one firmware.
enum class Tolerance : std::uint8_t {
  none,
  repeated,  // rtl_433 may use a name twice: all values of that name are left out
  okosmero,  // no comma between the members LastMonth and Message of the document
};

// The values of one document, in their order. Names that stand twice are refused: nobody can say
// which one counts. Error: malformed, with the place in words.
Result<std::vector<Leaf>> parse(std::string_view text, Tolerance tolerance = Tolerance::none);

// "2.5e3" is 2500; nothing when it is no number, or has more digits than are exact here.
[[nodiscard]] std::optional<Decimal> number_of(std::string_view text);

// Why it is no JSON pointer; empty when it is one. The empty pointer is the whole document.
[[nodiscard]] std::string_view pointer_fault(std::string_view pointer) noexcept;

}  // namespace meterbridge::protocol::json
