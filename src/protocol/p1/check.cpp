// SPDX-License-Identifier: MIT
#include "protocol/p1/check.hpp"

#include <optional>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::size_t most_digits = 4;

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string four_digits(std::uint16_t number) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (unsigned shift = 16; shift > 0; shift -= 4) {
    text += digits[(number >> (shift - 4)) & 0x0FU];
  }
  return text;
}

// Some meters leave out leading zeros (WarmteLink: "!B9F").
std::optional<std::uint16_t> number_of(std::string_view digits) noexcept {
  if (digits.empty() || digits.size() > most_digits) return std::nullopt;
  unsigned number = 0;
  for (const char c : digits) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    number = number * 16 + static_cast<unsigned>(digit);
  }
  return static_cast<std::uint16_t>(number);
}

// With ICRNL every line ends in two line feeds, with IGNCR in one.
std::uint16_t with_returns(std::string_view text, bool doubled, Crc16::Kind kind) {
  Crc16 crc(kind);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    crc.add(text.substr(0, end));
    if (end == std::string_view::npos) break;
    crc.add("\r\n");
    text.remove_prefix(end + 1);
    if (doubled && !text.empty() && text.front() == '\n') text.remove_prefix(1);
  }
  return crc.value();
}

}  // namespace

std::string Check::text() const {
  return "CRC is " + four_digits(calculated) + ", the telegram says " + four_digits(sent);
}

Check check_telegram(std::string_view telegram, std::size_t mark, Crc16::Kind kind) {
  Check check;
  const std::string_view text = telegram.substr(0, mark + 1);
  std::string_view digits = telegram.substr(mark + 1);
  const std::size_t end = digits.find_first_of("\r\n");
  const bool has_end = end != std::string_view::npos;
  digits = digits.substr(0, end);
  // Without an end of line the digits themselves may be missing.
  if (digits.empty() && has_end) {
    check.state = Check::State::absent;
    return check;
  }
  const auto sent = number_of(digits);
  if (!sent) return check;
  check.sent = *sent;
  check.calculated = crc16(text, kind);
  bool good = check.calculated == check.sent;
  if (!good && text.find('\r') == std::string_view::npos) {
    good = with_returns(text, false, kind) == check.sent ||
           with_returns(text, true, kind) == check.sent;
  }
  check.state = good ? Check::State::good : Check::State::bad;
  return check;
}

}  // namespace meterbridge::protocol::p1
