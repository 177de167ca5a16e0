// SPDX-License-Identifier: MIT
// What each byte of a captured session is, and sessions without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"
#include "protocol/iec62056_21/options.hpp"
#include "protocol/iec62056_21/stream.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view line_end = "\r\n";

// Bit 7 of each byte, as far as it is not what parity makes of the rest: damage stays damage.
class ParityBits {
 public:
  ParityBits(std::span<std::byte> bytes, bool always)
      : bytes_(bytes), on_(always || carries_parity(bytes)) {
    if (!on_) return;
    for (std::byte& b : bytes_) {
      damaged_.push_back(!is_even(b));
      b &= std::byte{0x7F};
    }
  }

  ~ParityBits() {
    if (!on_) return;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      const bool set = !is_even(bytes_[i]) != damaged_[i];
      if (set) bytes_[i] |= std::byte{0x80};
    }
  }

  ParityBits(const ParityBits&) = delete;
  ParityBits& operator=(const ParityBits&) = delete;

 private:
  std::span<std::byte> bytes_;
  std::vector<bool> damaged_;
  bool on_;
};

Sum sum_of(ByteView block) {
  const ByteView covered = block.subspan(1, block.size() - 2);
  const bool added = block_check(covered, iec62056_21::Check::exclusive_or) != block.back() &&
                     block_check(covered, iec62056_21::Check::sum) == block.back();
  return added ? Sum::added7 : Sum::exclusive;
}

void add_lines(Anatomy& anatomy, std::string_view text, std::size_t from, std::size_t to) {
  while (from < to) {
    const std::size_t end = std::min(text.find('\n', from), to - 1) + 1;
    const std::string_view line = text.substr(from, end - from);
    const std::size_t open = line.find('(');
    anatomy.add(from, end - from,
                open == line.npos ? "line without value"
                : line.find_first_not_of(line_end) < open
                    ? "value of " + std::string(line.substr(0, open))
                    : "value");
    from = end;
  }
}

// From SOH or STX to the check; where it ends.
std::size_t add_block(Anatomy& anatomy, std::string_view text, std::size_t at, ByteView bytes) {
  const std::size_t end = text.find(etx, at);
  if (end == text.npos || end + 1 >= text.size()) {
    anatomy.add(at, text.size() - at, "a block without its end");
    return text.size();
  }
  std::size_t content = at + 1;
  anatomy.add(at, 1, text[at] == soh ? "SOH: a command" : "STX: data");
  if (text[at] == soh) {
    const std::size_t data = std::min(text.find(stx, at), end);
    anatomy.add(content, data - content,
                "command " + std::string(text.substr(content, data - content)));
    if (data < end) anatomy.add(data, 1, "STX: data");
    content = std::min(data + 1, end);
  }
  add_lines(anatomy, text, content, end);
  anatomy.add(end, 1, "ETX");
  anatomy.add_check(sum_of(bytes.subspan(at, end + 2 - at)), at + 1, end + 1, end + 1, bytes,
                    "block check");
  return end + 2;
}

Anatomy anatomy_of(ByteView bytes) {
  Anatomy anatomy;
  const std::string text = to_text(bytes);
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == soh || c == stx) {
      at = add_block(anatomy, text, at, bytes);
    } else if (c == '/') {
      const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
      const bool asks = at + 1 < text.size() && text[at + 1] == '?';
      anatomy.add(at, end - at, asks ? "sign-on, with the address" : "identification");
      at = end;
    } else if (c == ack || c == nak) {
      const bool option = c == ack && at + 3 < text.size() && text[at + 1] == '0';
      anatomy.add(at, option ? 4 : 1,
                  option     ? "ACK, speed and mode chosen"
                  : c == ack ? "ACK"
                             : "NAK");
      at += option ? 4 : 1;
    } else {
      const std::size_t next = text.find_first_of("/\x01\x02\x06\x15", at);
      const std::size_t end = std::min(next, text.size());
      add_lines(anatomy, text, at, end);
      at = end;
    }
  }
  return anatomy;
}

void learn_address(std::string_view text, Disguise& disguise) {
  const std::size_t begin = text.find("/?");
  const std::size_t end = text.find('!', begin == text.npos ? text.size() : begin);
  if (end != text.npos) disguise.learn(text.substr(begin + 2, end - begin - 2));
}

// P1 STX (password): whatever it is, it is not told.
void blank_password(std::span<std::byte> bytes, const Options& options) {
  const std::string text = to_text(bytes);
  constexpr std::string_view login("\x01P", 2);
  for (std::size_t at = text.find(login); at != text.npos; at = text.find(login, at + 1)) {
    const std::size_t begin = at + login.size() + 3;
    if (begin > text.size() || text.substr(begin - 2, 2) != "\x02(") continue;
    const std::size_t end = std::min(text.find(')', begin), text.size());
    if (options.operand_password && text.substr(begin, end - begin) != options.password.reveal())
      continue;
    std::ranges::fill(bytes.subspan(begin, end - begin), std::byte{'0'});
  }
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues&) {
  Bytes plain(bytes.begin(), bytes.end());
  if (carries_parity(bytes)) {
    for (std::byte& b : plain)
      b &= std::byte{0x7F};
  }
  return anatomy_of(plain);
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto read = Options::from(settings);
  const Options options = read ? *read : Options();
  // Of a meter that sends by itself each block keeps its time.
  const bool pushed =
      std::ranges::none_of(capture.lines, [](const TranscriptLine& line) { return line.sent; });
  for (const bool learning : {true, false}) {
    const auto change = [&](bool sent, std::span<std::byte> bytes) {
      const ParityBits parity(bytes, options.software_parity);
      if (learning) {
        learn_address(to_text(bytes), disguise);
        if (!sent) learn_lines(to_text(bytes), disguise);
        return;
      }
      edit_checked(bytes, anatomy_of(bytes), [&](std::span<std::byte> all) {
        // What was heard may be the echo of what was sent.
        blank_password(all, options);
        disguise.apply(all);
      });
    };
    if (pushed)
      edit_stream(capture.lines, [&](std::span<std::byte> bytes) { change(false, bytes); });
    else
      edit_runs(capture.lines, [&](bool sent, Bytes& bytes) { change(sent, bytes); });
  }
}

}  // namespace meterbridge::protocol::iec62056_21
