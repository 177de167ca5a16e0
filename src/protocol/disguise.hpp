// SPDX-License-Identifier: MIT
// Invented numbers in place of those that tell whose meter it is: the same one everywhere, as long
// as the old one and of the same characters, in every form in which meters write numbers.
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

// Keys of a disguised capture: published here, so that nobody takes them for anybody's.
inline constexpr std::string_view disguise_key = "6d657465726272696467652074657374";
inline constexpr std::string_view disguise_auth_key = "6d657465726272696467652061757468";

class Disguise {
 public:
  // A serial number or another identification. What has fewer than five digits identifies nobody,
  // unless it is `whatever` (a name, a message): then its letters go, too.
  void learn(std::string_view text, bool whatever = false);
  // One that is no text: a system title, a server id. Letters of the maker stay.
  void learn(ByteView octets);

  // Everything that was learnt, wherever it stands and however it is written, in place.
  void apply(std::span<std::byte> bytes) const;
  [[nodiscard]] std::string text(std::string_view text) const;
  // An address: the end of a serial number that was learnt, or an invented number, from 1 to
  // `most`. The same for the same.
  [[nodiscard]] std::uint64_t number(std::uint64_t value, std::uint64_t most);
  // Part of a text that was learnt, also written backwards: for numbers that come in pieces.
  void apply_piece(std::span<std::byte> bytes);

  // What was learnt stands there, in any form. For those who look afterwards.
  [[nodiscard]] bool shows_in(ByteView bytes) const;

 private:
  struct Pattern {
    Bytes from;
    Bytes to;
  };

  void add(Bytes from, Bytes to);
  void add_forms(const std::string& from, const std::string& to);
  void add_digits(const std::string& from, const std::string& to);
  [[nodiscard]] std::string invented(std::string_view text, bool whatever);
  [[nodiscard]] Bytes numbered(ByteView octets);
  std::uint32_t next();

  std::vector<Pattern> patterns_;  // the longest first
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::uint64_t, std::uint64_t> numbers_;
  std::uint64_t state_ = 0x6D65746572ULL;
};

}  // namespace meterbridge::protocol
