// SPDX-License-Identifier: MIT
#include "core/bytes.hpp"

namespace meterbridge {
namespace {

constexpr std::size_t max_number_bytes = 8;

std::string hex(ByteView bytes, std::string_view digits) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    out += digits[u8(b) >> 4U];
    out += digits[u8(b) & 0x0FU];
  }
  return out;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_white(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

std::string to_hex(ByteView bytes) {
  return hex(bytes, "0123456789abcdef");
}

std::string to_hex_upper(ByteView bytes) {
  return hex(bytes, "0123456789ABCDEF");
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out;
  out.reserve(text.size() / 2);
  int high = -1;
  std::size_t high_at = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_white(text[at])) continue;
    const int digit = hex_digit(text[at]);
    if (digit < 0) {
      return Error{Errc::malformed, "character " + std::to_string(at + 1) + " is no hex digit"};
    }
    if (high < 0) {
      high = digit;
      high_at = at;
    } else {
      out.push_back(static_cast<std::byte>(high * 16 + digit));
      high = -1;
    }
  }
  if (high >= 0) {
    return Error{Errc::malformed, "the hex digit at character " + std::to_string(high_at + 1) +
                                      " has no second half"};
  }
  return out;
}

std::string to_text(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const std::byte b : bytes)
    out += static_cast<char>(u8(b));
  return out;
}

Bytes to_bytes(std::string_view text) {
  Bytes out;
  out.reserve(text.size());
  for (const char c : text)
    out.push_back(static_cast<std::byte>(c));
  return out;
}

std::optional<std::uint64_t> ByteReader::little(std::size_t count) noexcept {
  if (count == 0 || count > max_number_bytes || count > left()) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = count; i > 0; --i)
    number = (number << 8U) | meterbridge::u8(bytes_[at_ + i - 1]);
  at_ += count;
  return number;
}

std::optional<std::uint64_t> ByteReader::big(std::size_t count) noexcept {
  if (count == 0 || count > max_number_bytes || count > left()) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i)
    number = (number << 8U) | meterbridge::u8(bytes_[at_ + i]);
  at_ += count;
  return number;
}

std::optional<std::uint8_t> ByteReader::u8() noexcept {
  if (left() == 0) return std::nullopt;
  return meterbridge::u8(bytes_[at_++]);
}

std::optional<ByteView> ByteReader::take(std::size_t count) noexcept {
  if (count > left()) return std::nullopt;
  const ByteView part = bytes_.subspan(at_, count);
  at_ += count;
  return part;
}

std::optional<int> ByteReader::bcd() noexcept {
  if (left() == 0) return std::nullopt;
  const int high = meterbridge::u8(bytes_[at_]) >> 4;
  const int low = meterbridge::u8(bytes_[at_]) & 0x0F;
  if (high > 9 || low > 9) return std::nullopt;
  ++at_;
  return high * 10 + low;
}

}  // namespace meterbridge
