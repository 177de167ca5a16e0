// SPDX-License-Identifier: MIT
#include "protocol/symptoms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace meterbridge::protocol {
namespace {

// Fewer bytes are an accident.
constexpr std::size_t enough_bytes = 16;
constexpr double alike = 0.80;
constexpr double clearly = 0.08;  // better than the next one
constexpr std::size_t longest_sample = 4096;

constexpr std::array lines{
    LineSettings{9600, 8, Parity::none, 1},  LineSettings{115200, 8, Parity::none, 1},
    LineSettings{2400, 8, Parity::even, 1},  LineSettings{9600, 7, Parity::even, 1},
    LineSettings{19200, 8, Parity::none, 1}, LineSettings{2400, 8, Parity::none, 1},
    LineSettings{9600, 8, Parity::even, 1},  LineSettings{4800, 8, Parity::none, 1},
    LineSettings{19200, 8, Parity::even, 1}, LineSettings{38400, 8, Parity::none, 1},
    LineSettings{57600, 8, Parity::none, 1}, LineSettings{1200, 8, Parity::none, 1},
};

bool parity_bit(unsigned value, unsigned bits, Parity parity) {
  bool odd = false;
  for (unsigned i = 0; i < bits; ++i)
    odd ^= ((value >> i) & 1U) != 0;
  return parity == Parity::even ? odd : !odd;
}

// The line as levels, one for each bit; true = idle.
std::vector<bool> levels_of(ByteView bytes, const LineSettings& line) {
  std::vector<bool> levels(2, true);
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    levels.push_back(false);
    for (unsigned i = 0; i < line.data_bits; ++i)
      levels.push_back(((value >> i) & 1U) != 0);
    if (line.parity != Parity::none)
      levels.push_back(parity_bit(value, line.data_bits, line.parity));
    levels.insert(levels.end(), line.stop_bits, true);
  }
  levels.insert(levels.end(), 12, true);
  return levels;
}

// Times are counted so that the bits of both sides are whole numbers.
struct Receiver {
  Receiver(const std::vector<bool>& bits, std::uint64_t sender_baud, const LineSettings& settings)
      : levels(bits),
        line(settings),
        sender_bit(2ULL * settings.baud),
        own_bit(2ULL * sender_baud) {}

  [[nodiscard]] bool over(std::uint64_t time) const { return time / sender_bit >= levels.size(); }

  [[nodiscard]] bool level(std::uint64_t time) const {
    const auto at = static_cast<std::size_t>(time / sender_bit);
    return at < levels.size() ? levels[at] : levels.back();
  }

  // The next change from idle to a start bit, from here on.
  [[nodiscard]] std::uint64_t start_after(std::uint64_t time) const {
    auto at = static_cast<std::size_t>(time / sender_bit + 1);
    while (at < levels.size() && (!levels[at - 1] || levels[at]))
      ++at;
    return at * sender_bit;
  }

  const std::vector<bool>& levels;
  LineSettings line;
  std::uint64_t sender_bit;
  std::uint64_t own_bit;
};

double weight(const std::array<double, 256>& a, const std::array<double, 256>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

// Roots, so that one frequent byte does not decide alone.
std::array<double, 256> counts(ByteView bytes) {
  std::array<double, 256> counted{};
  for (const std::byte byte : bytes)
    counted[std::to_integer<std::size_t>(byte)] += 1;
  for (double& count : counted)
    count = std::sqrt(count);
  return counted;
}

// --- the table of patterns ------------------------------------------------------------------

std::optional<Symptom> symptom(std::string_view name, std::string words, std::string advice) {
  Symptom found;
  found.name = name;
  found.words = std::move(words);
  found.advice = std::move(advice);
  return found;
}

bool decodes(const Conversation& talk, const Protocol& protocol, ByteView bytes) {
  if (protocol.decode == nullptr) return false;
  const SettingValues other = default_settings(protocol.settings);
  const bool own = &protocol == talk.protocol && talk.settings != nullptr;
  const auto found = protocol.decode(bytes, own ? *talk.settings : other);
  return std::ranges::any_of(found, [](const Decoded& one) { return one.ok(); });
}

// Our own requests, and nothing else.
std::optional<Symptom> only_echo(const Conversation& talk) {
  const std::size_t common = std::min(talk.sent.size(), talk.heard.size());
  constexpr std::size_t least = 4;
  if (common < least || talk.heard.size() > talk.sent.size()) return std::nullopt;
  if (!std::equal(talk.heard.begin(), talk.heard.end(), talk.sent.begin())) return std::nullopt;
  return symptom("echo", "only our own requests come back: the adapter hears itself",
                 "set `echo: true` at the link; if the meter stays silent then, check its address "
                 "and whether A and B are swapped");
}

// A few other bytes among them: a much slower sender looks like that, too.
std::optional<Symptom> all_zero(const Conversation& talk) {
  const bool zeros = std::ranges::all_of(talk.heard, [](std::byte b) { return b == std::byte{0}; });
  if (talk.heard.size() < 4 || !zeros) return std::nullopt;
  const bool pushes = talk.protocol != nullptr && talk.protocol->pushes;
  return symptom(
      "break",
      "nothing but zero bytes come: the line rests at the wrong level, or the sender is much "
      "slower",
      pushes ? "invert the signal (a transistor stage, or an adapter whose RX is inverted), or set "
               "the meter's speed"
             : "swap the wires A and B");
}

struct Change {
  std::string_view name;
  std::byte (*of)(std::byte byte);
  std::string_view words;
  std::string_view advice;
};

std::byte reversed(std::byte byte) {
  auto value = std::to_integer<unsigned>(byte);
  unsigned result = 0;
  for (int i = 0; i < 8; ++i, value >>= 1U)
    result = (result << 1U) | (value & 1U);
  return static_cast<std::byte>(result);
}

constexpr std::array changes{
    Change{"parity", [](std::byte b) { return b & std::byte{0x7f}; },
           "the telegrams are right but for their eighth bit: it is a parity bit",
           "set `mode: 7E1` at the link (at the gateway, where the link goes over the network)"},
    Change{"inverted", [](std::byte b) { return ~b; },
           "the telegrams are right with every bit inverted",
           "invert the signal: set the adapter's or gateway's RX to inverted"},
    Change{"bit order", reversed, "the telegrams are right with the bits of each byte reversed",
           "let the gateway send the lowest bit first"},
};

std::optional<Symptom> changed_bytes(const Conversation& talk) {
  if (talk.protocol == nullptr || !talk.protocol->pushes) return std::nullopt;
  for (const Change& change : changes) {
    Bytes bytes = talk.heard;
    std::ranges::transform(bytes, bytes.begin(), change.of);
    if (bytes == talk.heard || !decodes(talk, *talk.protocol, bytes)) continue;
    return symptom(change.name, std::string(change.words), std::string(change.advice));
  }
  return std::nullopt;
}

// Telegrams with a check sum, of meters that send by themselves.
std::optional<Symptom> another_protocol(const Conversation& talk) {
  for (const std::string_view name : {"p1", "sml", "dlms"}) {
    const Protocol* const other = find_protocol(name);
    if (other == nullptr || other == talk.protocol || !decodes(talk, *other, talk.heard)) continue;
    return symptom("protocol",
                   "telegrams of another kind arrive here: " + std::string(other->title),
                   "choose a profile of this protocol: meterbridge profiles list");
  }
  return std::nullopt;
}

std::optional<Symptom> other_line(const Conversation& talk) {
  if (talk.typical.empty()) return std::nullopt;
  const auto guess = guess_line(talk.heard, talk.typical, talk.line);
  if (!guess) return std::nullopt;
  if (guess->inverted) {
    return symptom(
        "inverted", "the bytes look like its telegrams over an inverted line",
        "invert the signal: P1 needs an inverting cable or a transistor stage; on RS-485 "
        "swap A and B");
  }
  auto found = symptom("line",
                       "the bytes look like its telegrams sent at " + guess->line.text() +
                           " and received at " + talk.line.text(),
                       "set `baud: " + std::to_string(guess->line.baud) + "` and `mode: " +
                           guess->line.text().substr(guess->line.text().find(' ') + 1) +
                           (talk.serial ? "` at the link" : "` at the gateway"));
  found->line = guess->line;
  return found;
}

std::optional<Symptom> (*const patterns[])(const Conversation&) = {
    only_echo, all_zero, changed_bytes, another_protocol, other_line};

}  // namespace

Bytes as_received(ByteView bytes, const LineSettings& sender, const LineSettings& receiver,
                  bool inverted) {
  auto levels = levels_of(bytes, sender);
  if (inverted) levels.flip();
  const Receiver side(levels, sender.baud, receiver);
  Bytes got;
  auto start = side.start_after(0);
  while (!side.over(start)) {
    auto at = start + side.own_bit / 2;
    unsigned value = 0;
    for (unsigned i = 0; i < receiver.data_bits; ++i)
      value |= (side.level(at += side.own_bit) ? 1U : 0U) << i;
    if (receiver.parity != Parity::none) at += side.own_bit;
    got.push_back(static_cast<std::byte>(value));
    at += side.own_bit;
    start = side.start_after(at);
  }
  return got;
}

double likeness(ByteView a, ByteView b) {
  const auto left = counts(a);
  const auto right = counts(b);
  const double size = std::sqrt(weight(left, left) * weight(right, right));
  return size > 0 ? weight(left, right) / size : 0;
}

std::optional<Guess> guess_line(ByteView heard, ByteView typical, const LineSettings& receiver) {
  if (heard.size() < enough_bytes || typical.size() < enough_bytes) return std::nullopt;
  heard = heard.first(std::min(heard.size(), longest_sample));
  typical = typical.first(std::min(typical.size(), longest_sample));
  std::optional<Guess> best;
  double first = 0;
  double second = 0;
  const auto judge = [&](const std::optional<Guess>& guess, ByteView expected) {
    const double like = likeness(heard, expected);
    if (like > first) {
      second = first;
      first = like;
      best = guess;
    } else {
      second = std::max(second, like);
    }
  };
  judge(std::nullopt, typical);  // right as it is, or with bits that flip now and then
  judge(Guess{receiver, true}, as_received(typical, receiver, receiver, true));
  for (const LineSettings& line : lines) {
    if (line.baud == receiver.baud && line.data_bits == receiver.data_bits) continue;
    judge(Guess{line, false}, as_received(typical, line, receiver));
  }
  // Parities of one speed look nearly the same: the speed is what is guessed, and it is tried.
  const bool sure = first >= alike && (first - second >= clearly || (best && first > 0.95));
  return sure ? best : std::nullopt;
}

std::span<const LineSettings> usual_lines() noexcept {
  return lines;
}

std::optional<Symptom> symptom_of(const Conversation& talk) {
  if (talk.heard.empty()) return std::nullopt;
  for (const auto pattern : patterns) {
    if (auto found = pattern(talk)) return found;
  }
  return std::nullopt;
}

}  // namespace meterbridge::protocol
