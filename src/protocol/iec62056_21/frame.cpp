// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/frame.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::byte low_seven{0x7F};
constexpr std::byte substitute{0x1A};
constexpr std::size_t flag_length = 3;

constexpr std::byte byte_of(char c) {
  return static_cast<std::byte>(static_cast<unsigned char>(c));
}

struct Habit {
  std::string_view maker;
  Check check;
};

// Makers whose telegrams were seen with one rule only. Accepting the other one, too, would let one
// in 128 damaged telegrams pass.
constexpr std::array habits{
    Habit{"ISK", Check::exclusive_or}, Habit{"LGZ", Check::exclusive_or},
    Habit{"LUG", Check::exclusive_or}, Habit{"PAF", Check::exclusive_or},
    Habit{"TPC", Check::exclusive_or}, Habit{"CPZ", Check::exclusive_or},
    Habit{"ACE", Check::exclusive_or}, Habit{"ELS", Check::exclusive_or},
    Habit{"EMH", Check::exclusive_or}, Habit{"ESY", Check::exclusive_or},
    Habit{"LOG", Check::exclusive_or}, Habit{"HAG", Check::exclusive_or},
    Habit{"ITR", Check::exclusive_or}, Habit{"SLB", Check::exclusive_or},
};

bool matches(ByteView covered, std::byte sent, Check rule) {
  return block_check(covered, rule) == sent;
}

std::string hex_of(std::byte b) {
  return to_hex_upper(ByteView(&b, 1));
}

bool is_letter(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_printable(char c) noexcept {
  return c >= ' ' && c < '\x7F';
}

std::size_t position(ByteView bytes, char wanted, std::size_t from = 0) {
  const auto at =
      std::find(bytes.begin() + static_cast<std::ptrdiff_t>(std::min(from, bytes.size())),
                bytes.end(), byte_of(wanted));
  return static_cast<std::size_t>(at - bytes.begin());
}

Cut need_more() {
  return {};
}

Cut drop(std::size_t count, std::optional<Error> broken = {}) {
  Cut cut;
  cut.drop = count;
  cut.broken = std::move(broken);
  return cut;
}

Cut frame(std::size_t before, std::size_t length) {
  Cut cut;
  cut.drop = before;
  cut.frame = length;
  return cut;
}

// From the SOH or STX at the front. The check byte may itself be an ETX: the first ETX behind the
// STX counts.
Cut cut_block(ByteView bytes, std::size_t before) {
  const ByteView rest = bytes.subspan(before);
  const std::size_t end = position(rest, etx, 1);
  if (end + 1 < rest.size()) return frame(before, end + 2);
  if (rest.size() > max_block)
    return drop(bytes.size(), Error(Errc::truncated, "a block without end"));
  return drop(before);
}

}  // namespace

Check usual_check(std::string_view identification) noexcept {
  for (const Habit& habit : habits) {
    if (same_ignoring_case(habit.maker, identification.substr(0, flag_length))) return habit.check;
  }
  return Check::automatic;
}

std::byte block_check(ByteView covered, Check rule) noexcept {
  unsigned value = 0;
  for (const std::byte b : covered) {
    const unsigned c = u8(b & low_seven);
    value = rule == Check::sum ? value + c : value ^ c;
  }
  return static_cast<std::byte>(value & 0x7FU);
}

Result<Check> verify(ByteView block, Check rule) {
  constexpr std::size_t shortest = 3;
  if (block.size() < shortest) return Error(Errc::malformed, "a block without content");
  const ByteView covered = block.subspan(1, block.size() - 2);
  const std::byte sent = block.back();
  if (rule == Check::off) return rule;
  // One in many blocks fits both: it does not tell which is meant.
  if (rule == Check::automatic && matches(covered, sent, Check::exclusive_or) &&
      matches(covered, sent, Check::sum)) {
    return rule;
  }
  if (rule != Check::sum && matches(covered, sent, Check::exclusive_or)) return Check::exclusive_or;
  if (rule != Check::exclusive_or && matches(covered, sent, Check::sum)) return Check::sum;
  const std::string by_xor = hex_of(block_check(covered, Check::exclusive_or)) + " (XOR)";
  const std::string by_sum = hex_of(block_check(covered, Check::sum)) + " (sum)";
  std::string calculated = by_xor + " or " + by_sum;
  if (rule != Check::automatic) calculated = rule == Check::sum ? by_sum : by_xor;
  return Error(Errc::checksum,
               "the block check is " + hex_of(sent) + ", calculated is " + calculated);
}

Result<Block> parse_block(ByteView block) {
  constexpr std::size_t shortest = 3;
  const std::string text = to_text(block);
  if (text.size() < shortest || text[text.size() - 2] != etx)
    return Error(Errc::malformed, "a block without ETX");
  std::string_view body = std::string_view(text).substr(1, text.size() - 3);
  Block parsed;
  if (text.front() == soh) {
    const std::size_t begin = std::min(body.find(stx), body.size());
    parsed.command = body.substr(0, begin);
    body.remove_prefix(begin);
    parsed.whole = !body.empty();
    body.remove_prefix(parsed.whole ? 1 : 0);
    if (parsed.command.size() != 2 || !is_letter(parsed.command[0]) ||
        !is_printable(parsed.command[1])) {
      return Error(Errc::malformed, "a block whose command is not a letter and a digit");
    }
  } else if (text.front() == stx) {
    parsed.whole = true;
  } else {
    return Error(Errc::malformed, "a block begins with SOH or STX");
  }
  const bool clean = std::ranges::all_of(
      body, [](char c) { return is_printable(c) || c == '\r' || c == '\n' || c == '\t'; });
  if (!clean) return Error(Errc::malformed, "characters in a block that no meter sends");
  parsed.text = body;
  return parsed;
}

Result<Identification> parse_identification(std::string_view line) {
  const auto wrong = [&] {
    return Error(Errc::malformed,
                 "'" + sanitised(line, max_identification) + "' is no identification (/XXXZname)");
  };
  if (line.size() <= flag_length || line.size() > max_identification) return wrong();
  if (!std::ranges::all_of(line.substr(0, flag_length), is_letter) ||
      !std::ranges::all_of(line, is_printable)) {
    return wrong();
  }
  Identification found;
  found.text = line;
  found.maker = line.substr(0, flag_length);
  found.speed = line[flag_length];
  found.hurried = line[2] >= 'a';
  std::string_view model = line.substr(flag_length + 1);
  // "\2" announces the enhanced identification; others have only the backslash (Elster's "\@").
  if (!model.empty() && model.front() == '\\')
    model.remove_prefix(std::min<std::size_t>(model.size(), 2));
  found.model = trimmed(model);
  return found;
}

bool is_plausible(const Identification& identification) noexcept {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return identification.maker.size() == flag_length && capital(identification.maker[0]) &&
         capital(identification.maker[1]) && !identification.model.empty();
}

std::optional<std::uint32_t> speed_of(char character) noexcept {
  constexpr std::array<std::uint32_t, 7> speeds{300, 600, 1200, 2400, 4800, 9600, 19200};
  if (character >= '0' && character <= '6')
    return speeds[static_cast<std::size_t>(character - '0')];
  if (character >= 'A' && character <= 'F')
    return speeds[static_cast<std::size_t>(character - 'A') + 1];
  return std::nullopt;
}

Bytes build_block(std::string_view command, std::string_view text, Check rule) {
  std::string out;
  if (command.empty()) {
    out += stx;
    out += text;
  } else {
    out += soh;
    out += command;
    if (!text.empty()) out.append(1, stx).append(text);
  }
  out += etx;
  Bytes bytes = to_bytes(out);
  bytes.push_back(block_check(ByteView(bytes).subspan(1), rule));
  return bytes;
}

Bytes sign_on(std::string_view address, char table) {
  return to_bytes(std::string{'/', table} + std::string(address) + "!\r\n");
}

Bytes option_select(char speed, char mode) {
  return to_bytes(std::string{ack, '0', speed, mode, '\r', '\n'});
}

Bytes read_request(Read command, std::string_view name, std::string_view arguments, Check rule) {
  std::string text(name);
  text.append("(").append(arguments).append(")");
  return build_block(command == Read::r1 ? "R1" : "R2", text, rule);
}

Bytes fast_read_request(std::string_view address, std::string_view name, std::string_view arguments,
                        Check rule) {
  Bytes bytes = to_bytes("/?" + std::string(address) + "!");
  const Bytes command = read_request(Read::r1, name, arguments, rule);
  bytes.insert(bytes.end(), command.begin(), command.end());
  return bytes;
}

Bytes password_request(std::string_view password, Check rule) {
  return build_block("P1", "(" + std::string(password) + ")", rule);
}

Bytes break_request(Check rule) {
  return build_block("B0", {}, rule);
}

Cut find_identification(ByteView arrived) {
  const std::size_t begin = position(arrived, '/');
  if (begin == arrived.size()) return drop(begin);
  const std::size_t end = position(arrived, '\n', begin);
  // The next slash begins a better line: what stood before had no end.
  const std::size_t next = position(arrived, '/', begin + 1);
  if (next < end) {
    const bool plain = next - begin > flag_length + 1;  // a slash may stand in a name
    if (!plain) return drop(next);
  }
  if (end == arrived.size()) {
    return arrived.size() - begin > max_identification + 2 ? drop(begin + 1) : drop(begin);
  }
  const std::string line = to_text(arrived.subspan(begin, end + 1 - begin));
  if (line.size() > 1 && line[1] == '?') return drop(end + 1);  // what we sent ourselves
  return frame(begin, end + 1 - begin);
}

Cut find_answer(ByteView arrived) {
  const auto begins = [](std::byte b) {
    return b == byte_of(soh) || b == byte_of(stx) || b == byte_of(ack) || b == byte_of(nak);
  };
  const auto at = std::ranges::find_if(arrived, begins);
  const auto before = static_cast<std::size_t>(at - arrived.begin());
  if (at == arrived.end()) return drop(before);
  if (*at == byte_of(ack) || *at == byte_of(nak)) return frame(before, 1);
  return cut_block(arrived, before);
}

// Without STX there is no check: the end is "!" at the end of a line, with nothing behind it.
Cut find_readout(ByteView arrived) {
  std::size_t before = 0;
  while (before < arrived.size() &&
         (arrived[before] == std::byte{0x7F} || arrived[before] == byte_of('\r') ||
          arrived[before] == byte_of('\n') || arrived[before] == std::byte{0})) {
    ++before;
  }
  if (before == arrived.size()) return drop(before);
  const std::size_t begin = position(arrived, stx, before);
  if (begin < arrived.size()) return cut_block(arrived, begin);
  for (std::size_t at = position(arrived, '!', before); at < arrived.size();
       at = position(arrived, '!', at + 1)) {
    const std::size_t end = position(arrived, '\n', at);
    if (end == arrived.size()) return need_more();
    const std::string behind = to_text(arrived.subspan(at + 1, end - at - 1));
    if (trimmed(behind).empty()) return frame(before, end + 1 - before);
  }
  return arrived.size() > max_block ? drop(arrived.size(), Error(Errc::truncated, "no end"))
                                    : drop(before);
}

bool is_even(std::byte b) noexcept {
  return std::popcount(static_cast<unsigned>(u8(b))) % 2 == 0;
}

Bytes with_parity(ByteView bytes) {
  Bytes out(bytes.begin(), bytes.end());
  for (std::byte& b : out) {
    b &= low_seven;
    if (!is_even(b)) b |= std::byte{0x80};
  }
  return out;
}

Bytes without_parity(ByteView bytes) {
  Bytes out(bytes.begin(), bytes.end());
  for (std::byte& b : out)
    b = is_even(b) ? b & low_seven : substitute;
  return out;
}

}  // namespace meterbridge::protocol::iec62056_21
