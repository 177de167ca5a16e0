// SPDX-License-Identifier: MIT
// Numbers and texts out of the bytes of an entry or a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace meterbridge::journal {

// Each returns nothing when the bytes end too early.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) return std::nullopt;
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      if (shift == 63 && byte > 1) return std::nullopt;
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80U) return value;
    }
    return std::nullopt;
  }

  std::optional<std::int64_t> signed_number() {
    const auto value = number();
    if (!value) return std::nullopt;
    return static_cast<std::int64_t>((*value >> 1U) ^ ((*value & 1U) != 0 ? ~std::uint64_t{0} : 0));
  }

  std::optional<std::string_view> text() {
    const auto size = number();
    if (!size || *size > left_.size()) return std::nullopt;
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(*size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  [[nodiscard]] std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
};

}  // namespace meterbridge::journal
