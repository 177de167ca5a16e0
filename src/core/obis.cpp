// SPDX-License-Identifier: MIT
#include "core/obis.hpp"

#include "core/text.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace meterbridge {
namespace {

// One group of 1 to 3 digits, 0..255.
std::optional<std::uint8_t> group(std::string_view& rest) noexcept {
  constexpr std::size_t max_digits = 3;
  unsigned number = 0;
  std::size_t used = 0;
  while (used < rest.size() && used <= max_digits && rest[used] >= '0' && rest[used] <= '9') {
    number = number * 10 + static_cast<unsigned>(rest[used] - '0');
    ++used;
  }
  if (used == 0 || used > max_digits || number > 255) return std::nullopt;
  rest.remove_prefix(used);
  return static_cast<std::uint8_t>(number);
}

}  // namespace

Result<Obis> Obis::parse(std::string_view text) {
  constexpr std::string_view separators = "-:..*";
  const auto wrong = [text] {
    return Error{Errc::malformed, "'" + sanitised(text, 40) + "' is no OBIS code (A-B:C.D.E*F)"};
  };
  std::string_view rest = text;
  Obis code;
  for (std::size_t i = 0; i < code.groups_.size(); ++i) {
    if (i > 0) {
      if (i == 5 && rest.empty()) return code;  // reduced: F stays 255
      if (rest.empty() || rest.front() != separators[i - 1]) return wrong();
      rest.remove_prefix(1);
    }
    const auto number = group(rest);
    if (!number) return wrong();
    code.groups_[i] = *number;
  }
  if (!rest.empty()) return wrong();
  return code;
}

std::string Obis::text() const {
  constexpr std::string_view separators = "-:..*";
  std::array<char, 24> out{};  // six groups of three digits and five separators fit
  char* end = out.data();
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (i > 0) *end++ = separators[i - 1];
    end = std::to_chars(end, out.data() + out.size(), groups_[i]).ptr;
  }
  return {out.data(), end};
}

}  // namespace meterbridge
