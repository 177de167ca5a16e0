// SPDX-License-Identifier: MIT
#include "protocol/sml/tlv.hpp"

namespace meterbridge::protocol::sml {
namespace {

constexpr std::size_t most_digits = 8;  // bytes of an integer
constexpr std::size_t most_heads = 4;   // bytes of type and length
constexpr unsigned more_bit = 0x80;
constexpr unsigned nibble = 0x0F;
constexpr unsigned type_bits = 0x70;

bool is_type(unsigned type) noexcept {
  return type == 0 || (type >= 4 && type <= 7);
}

}  // namespace

std::optional<std::uint64_t> Element::unsigned_value() const noexcept {
  if (!is_integer() || bytes.empty() || bytes.size() > most_digits) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::byte b : bytes)
    value = value << 8U | u8(b);
  return value;
}

std::optional<std::int64_t> Element::signed_value() const noexcept {
  const auto bits = unsigned_value();
  if (!bits) return std::nullopt;
  if (type == TlvType::number) {
    if (*bits > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(*bits);
  }
  const auto unused = static_cast<unsigned>(8 * (most_digits - bytes.size()));
  return static_cast<std::int64_t>(*bits << unused) >> unused;
}

void TlvReader::skip_ends() noexcept {
  while (at_ < bytes_.size() && u8(bytes_[at_]) == 0)
    ++at_;
}

std::optional<Element> TlvReader::next() noexcept {
  std::size_t at = at_;
  if (at >= bytes_.size()) return std::nullopt;
  unsigned head = u8(bytes_[at++]);
  const unsigned type = (head & type_bits) >> 4U;
  std::size_t length = head & nibble;
  while ((head & more_bit) != 0) {
    if (at >= bytes_.size() || at - at_ >= most_heads) return std::nullopt;
    head = u8(bytes_[at++]);
    if ((head & type_bits) != 0) return std::nullopt;
    length = length << 4U | (head & nibble);
  }
  if (!is_type(type)) return std::nullopt;
  Element element;
  element.type = static_cast<TlvType>(type);
  if (element.type == TlvType::list) {
    element.count = length;
    at_ = at;
    return element;
  }
  // The length counts its own bytes; 00 is the end of a message.
  const std::size_t heads = at - at_;
  if (length < heads || length - heads > bytes_.size() - at) return std::nullopt;
  element.bytes = bytes_.subspan(at, length - heads);
  at_ = at + element.bytes.size();
  return element;
}

// Without recursion: a list only adds to what is still to come, and each element takes a byte.
bool TlvReader::skip() noexcept {
  for (std::size_t left = 1; left > 0; --left) {
    const auto element = next();
    if (!element) return false;
    if (element->type == TlvType::list) left += element->count;
  }
  return true;
}

}  // namespace meterbridge::protocol::sml
