// SPDX-License-Identifier: MIT
// The elements of an SML file: type, length, value (SML 1.04, binary encoding).
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <optional>

namespace meterbridge::protocol::sml {

enum class TlvType : std::uint8_t { octets = 0, boolean = 4, integer = 5, number = 6, list = 7 };

struct Element {
  TlvType type = TlvType::octets;
  ByteView bytes;         // of all but lists
  std::size_t count = 0;  // of a list: how many elements follow

  // An empty octet string stands for a value that is not there.
  [[nodiscard]] bool absent() const noexcept { return type == TlvType::octets && bytes.empty(); }

  [[nodiscard]] bool is_list(std::size_t of) const noexcept {
    return type == TlvType::list && count == of;
  }

  [[nodiscard]] bool is_integer() const noexcept {
    return type == TlvType::integer || type == TlvType::number;
  }

  // Integers of 1 to 8 bytes; nothing for other elements.
  [[nodiscard]] std::optional<std::int64_t> signed_value() const noexcept;     // and if it fits
  [[nodiscard]] std::optional<std::uint64_t> unsigned_value() const noexcept;  // the bits as such
};

// Reads one element after the other; the children of a list are the elements behind it.
class TlvReader {
 public:
  explicit TlvReader(ByteView bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const noexcept { return at_; }

  [[nodiscard]] bool done() const noexcept { return at_ >= bytes_.size(); }

  // Passes the zero bytes that end a message or fill the file up.
  void skip_ends() noexcept;
  // Nothing at the end, at the end of a message, or where the bytes are no element.
  [[nodiscard]] std::optional<Element> next() noexcept;
  // The next element with everything in it. False where next() would have nothing.
  [[nodiscard]] bool skip() noexcept;

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
};

}  // namespace meterbridge::protocol::sml
