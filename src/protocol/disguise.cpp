// SPDX-License-Identifier: MIT
#include "protocol/disguise.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace meterbridge::protocol {
namespace {

constexpr std::size_t least_digits = 5;
constexpr std::size_t most_digits = 18;
constexpr std::size_t least_binary = 3;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The longest run of digits: the number in "1EMH0012345678".
std::string_view digits_of(std::string_view text) {
  std::string_view best;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end]))
      ++end;
    if (end - at > best.size()) best = text.substr(at, end - at);
    at = std::max(end, at + 1);
  }
  return best;
}

// 00000000 is nobody's number, and stands everywhere.
bool tells_nothing(ByteView bytes) {
  return std::ranges::all_of(bytes, [&](std::byte b) { return b == bytes.front(); });
}

std::optional<std::uint64_t> value_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc() || digits.size() > most_digits) return std::nullopt;
  return value;
}

Bytes big_endian(std::uint64_t value) {
  Bytes bytes;
  for (; value != 0; value >>= 8U)
    bytes.insert(bytes.begin(), static_cast<std::byte>(value & 0xFFU));
  return bytes;
}

Bytes reversed(Bytes bytes) {
  std::ranges::reverse(bytes);
  return bytes;
}

// Two digits a byte: 12 34 as 0x12 0x34 (base 16), or as 12 34 (base 10).
Bytes paired(std::string_view digits, unsigned base) {
  std::string even(digits);
  if (even.size() % 2 != 0) even.insert(even.begin(), '0');
  Bytes bytes;
  for (std::size_t i = 0; i < even.size(); i += 2) {
    const auto high = static_cast<unsigned>(even[i] - '0');
    bytes.push_back(static_cast<std::byte>(high * base + static_cast<unsigned>(even[i + 1] - '0')));
  }
  return bytes;
}

// One letter alone may belong to a serial number: E0047000012345678.
bool is_hex_of_octets(std::string_view text) {
  constexpr std::size_t least = 12;
  std::size_t letters = 0;
  for (const char c : text) {
    const bool letter = (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
    if (!letter && !is_digit(c)) return false;
    letters += letter ? 1 : 0;
  }
  const bool server_id = text.size() == 20 && (text.starts_with("06") || text.starts_with("0A01") ||
                                               text.starts_with("0901"));
  return (letters >= 2 || server_id) && text.size() >= least && text.size() % 2 == 0;
}

std::size_t maker_end(ByteView octets) {
  constexpr std::size_t letters = 3;
  for (std::size_t at = 0; at + letters <= octets.size() && at <= 2; ++at) {
    const ByteView three = octets.subspan(at, letters);
    const bool upper =
        std::ranges::all_of(three, [](std::byte b) { return u8(b) >= 'A' && u8(b) <= 'Z'; });
    if (upper) return at + letters;
  }
  return 0;
}

}  // namespace

// Numbers that look like any others, and are the same in every run: nothing of the real ones goes
// into them.
std::uint32_t Disguise::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return static_cast<std::uint32_t>((z ^ (z >> 31U)) >> 32U);
}

std::string Disguise::invented(std::string_view text, bool whatever) {
  const auto wide = [](std::string_view of) {
    const auto value = value_of(digits_of(of));
    return value ? big_endian(*value).size() : 0;
  };
  constexpr int most_tries = 1000;
  std::string made(text);
  for (int i = 0; i < most_tries; ++i) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool leading = at == 0 || !is_digit(text[at - 1]);
      const char c = text[at];
      // Leading zeros stay: a number is written with as many digits.
      const bool zeros = c == '0' && (leading || (made[at - 1] == '0' && text[at - 1] == '0'));
      if (is_digit(c) && !zeros) made[at] = static_cast<char>('1' + next() % 9);
      if (whatever && is_letter(c))
        made[at] = static_cast<char>((c >= 'a' ? 'a' : 'A') + static_cast<int>(next() % 26));
    }
    if (made != text && wide(made) == wide(text)) break;
  }
  return made;
}

void Disguise::add(Bytes from, Bytes to) {
  if (from.size() < least_binary || from.size() != to.size() || tells_nothing(from)) return;
  const auto same = [&](const Pattern& known) { return known.from == from; };
  if (std::ranges::any_of(patterns_, same)) return;
  const auto shorter = [&](const Pattern& known) { return known.from.size() < from.size(); };
  const auto place = std::ranges::find_if(patterns_, shorter);
  patterns_.insert(place, Pattern{std::move(from), std::move(to)});
}

void Disguise::add_digits(const std::string& from, const std::string& to) {
  const auto old_value = value_of(from);
  const auto new_value = value_of(to);
  if (!old_value || !new_value) return;
  for (const unsigned base : {16U, 10U}) {
    add(paired(from, base), paired(to, base));
    add(reversed(paired(from, base)), reversed(paired(to, base)));
  }
  const Bytes old_bytes = big_endian(*old_value);
  const Bytes new_bytes = big_endian(*new_value);
  add(old_bytes, new_bytes);
  add(reversed(old_bytes), reversed(new_bytes));
  // 2-1-4-3, as registers and Mercury's counters lie.
  if (old_bytes.size() == 4) {
    const auto swapped = [](const Bytes& b) { return Bytes{b[1], b[0], b[3], b[2]}; };
    const auto words = [](const Bytes& b) { return Bytes{b[2], b[3], b[0], b[1]}; };
    add(swapped(old_bytes), swapped(new_bytes));
    add(words(old_bytes), words(new_bytes));
  }
}

void Disguise::add_forms(const std::string& from, const std::string& to) {
  add(to_bytes(from), to_bytes(to));
  add(reversed(to_bytes(from)), reversed(to_bytes(to)));
  const std::string upper_from = to_hex_upper(to_bytes(from));
  add(to_bytes(upper_from), to_bytes(to_hex_upper(to_bytes(to))));
  add(to_bytes(to_hex(to_bytes(from))), to_bytes(to_hex(to_bytes(to))));
}

void Disguise::learn(std::string_view given, bool whatever) {
  const std::string from(trimmed(given));
  if (from.size() < least_digits || texts_.contains(from)) return;
  const std::string digits(digits_of(from));
  if (!whatever && digits.size() < least_digits) return;
  // Hex digits of octets: a server id, a system title. Their letters are digits.
  if (from.starts_with("0x")) return learn(std::string_view(from).substr(2), whatever);
  const bool octets_as_hex = is_hex_of_octets(from);
  if (octets_as_hex) {
    if (const auto octets = from_hex(from)) learn(ByteView(*octets));
  }
  // What is known already stands in it: the number of a title in another form.
  std::string to = text(from);
  if (to == from) to = invented(from, whatever);
  texts_.emplace(from, to);
  add_forms(from, to);
  if (octets_as_hex) return;
  const std::string new_digits = to.substr(from.find(digits), digits.size());
  if (digits.size() < least_digits || !std::ranges::all_of(new_digits, is_digit)) return;
  if (digits != from) add_forms(digits, new_digits);
  add_digits(digits, new_digits);
  const std::size_t zeros = digits.find_first_not_of('0');
  if (zeros != digits.npos && zeros > 0 && digits.size() - zeros > least_digits)
    add_forms(digits.substr(zeros), new_digits.substr(zeros));
}

// An identification after DIN 43863-5 in ten bytes: 0A 01, the maker's letters, a block, and a
// number that is printed in decimal. The printed one leads. Empty for other octets.
Bytes Disguise::numbered(ByteView octets) {
  constexpr std::size_t size = 10;
  constexpr std::size_t block = 5;
  constexpr std::size_t number_digits = 8;
  if (octets.size() != size || (u8(octets[0]) | 3U) != 0x0B || u8(octets[1]) != 1) return {};
  if (maker_end(octets) != block) return {};
  const std::uint64_t number = *ByteReader(octets.last(4)).big(4);
  std::string digits = std::to_string(number);
  if (digits.size() > number_digits) return {};
  digits.insert(0, number_digits - digits.size(), '0');
  const std::string head = "1" + to_text(octets.subspan(2, 3));
  const std::string printed = head + to_hex_upper(octets.subspan(block, 1)) + digits;
  learn(printed);
  const std::string made = text(printed);
  const auto fresh = value_of(made.substr(made.size() - number_digits));
  const auto fresh_block = from_hex(made.substr(head.size(), 2));
  if (!fresh || !fresh_block) return {};
  Bytes to(octets.begin(), octets.end());
  to[block] = fresh_block->front();
  for (std::size_t i = 0; i < 4; ++i)
    to[size - 1 - i] = static_cast<std::byte>((*fresh >> (8 * i)) & 0xFFU);
  const auto number_at = [](const Bytes& of) { return Bytes(of.end() - 4, of.end()); };
  const Bytes from(octets.begin(), octets.end());
  if (number > 0xFFFFFF) add(number_at(from), number_at(to));
  return to;
}

void Disguise::learn(ByteView octets) {
  constexpr std::size_t least = 6;
  if (octets.size() < least || tells_nothing(octets)) return;
  Bytes to = numbered(octets);
  if (to.empty()) to.assign(octets.begin(), octets.end());
  if (std::ranges::equal(to, octets)) apply(to);
  if (std::ranges::equal(to, octets)) {
    // 06 and the letters are followed by what the meter is, not which one.
    const std::size_t kind = u8(octets[0]) == 0x06 && maker_end(octets) != 0 ? 2 : 0;
    for (std::size_t at = maker_end(octets) + kind; at < to.size(); ++at) {
      const char c = static_cast<char>(to[at]);
      const bool printable = c > ' ' && c < '\x7F';
      // Never a byte that some framing would have to escape, and zeros stay what fills up.
      if (is_digit(c))
        to[at] = static_cast<std::byte>('1' + next() % 9);
      else if (c != 0)
        to[at] = static_cast<std::byte>(printable ? 'A' + next() % 26 : 0x81 + next() % 0x38);
    }
  }
  const Bytes from(octets.begin(), octets.end());
  add(from, to);
  add(reversed(from), reversed(to));
  add(to_bytes(to_hex(from)), to_bytes(to_hex(to)));
  add(to_bytes(to_hex_upper(from)), to_bytes(to_hex_upper(to)));
}

void Disguise::apply(std::span<std::byte> bytes) const {
  std::vector<bool> done(bytes.size());
  for (const Pattern& pattern : patterns_) {
    for (auto from = bytes.begin(); from != bytes.end();) {
      const auto found = std::search(from, bytes.end(), pattern.from.begin(), pattern.from.end());
      if (found == bytes.end()) break;
      const auto at = static_cast<std::size_t>(found - bytes.begin());
      bool free = true;
      for (std::size_t i = 0; i < pattern.from.size(); ++i)
        free = free && !done[at + i];
      from = found + 1;
      if (!free) continue;
      std::ranges::copy(pattern.to, found);
      for (std::size_t i = 0; i < pattern.from.size(); ++i)
        done[at + i] = true;
    }
  }
}

std::string Disguise::text(std::string_view given) const {
  if (const auto known = texts_.find(given); known != texts_.end()) return known->second;
  Bytes bytes = to_bytes(given);
  apply(bytes);
  return to_text(bytes);
}

std::uint64_t Disguise::number(std::uint64_t value, std::uint64_t most) {
  if (value == 0) return 0;  // "whoever hears it"
  const auto known = numbers_.find(value);
  if (known != numbers_.end()) return known->second;
  std::uint64_t made = 0;
  const std::string digits = std::to_string(value);
  for (const auto& [from, to] : texts_) {
    const std::string_view old_digits = digits_of(from);
    const std::string_view new_digits = digits_of(to);
    if (!old_digits.ends_with(digits) || new_digits.size() < digits.size()) continue;
    made = value_of(new_digits.substr(new_digits.size() - digits.size())).value_or(0);
  }
  constexpr int most_tries = 1000;
  for (int i = 0; i < most_tries && (made == 0 || made > most || made == value); ++i)
    made = 1 + next() % std::min<std::uint64_t>(most, UINT32_MAX);
  numbers_.emplace(value, made);
  // Two meters of a line stay two.
  return made;
}

void Disguise::apply_piece(std::span<std::byte> bytes) {
  std::string piece = to_text(bytes);
  const std::size_t end = std::min(piece.find('\0'), piece.size());
  piece.resize(end);
  if (piece.empty()) return;
  for (const auto& [from, to] : texts_) {
    for (const bool backwards : {true, false}) {
      std::string source = from;
      std::string target = to;
      if (backwards) std::ranges::reverse(source);
      if (backwards) std::ranges::reverse(target);
      const std::size_t at = source.find(piece);
      if (at == source.npos || source.size() != target.size()) continue;
      std::ranges::copy(to_bytes(target.substr(at, piece.size())), bytes.begin());
      return;
    }
  }
  const std::string made = invented(piece, false);
  texts_.emplace(piece, made);
  std::ranges::copy(to_bytes(made), bytes.begin());
}

bool Disguise::shows_in(ByteView bytes) const {
  // Short forms turn up by accident.
  constexpr std::size_t telling = 4;
  return std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
    if (pattern.from.size() < telling || pattern.from == pattern.to) return false;
    const auto found =
        std::search(bytes.begin(), bytes.end(), pattern.from.begin(), pattern.from.end());
    return found != bytes.end();
  });
}

}  // namespace meterbridge::protocol
