// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/stream.hpp"

#include "core/text.hpp"
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/readout.hpp"

#include <algorithm>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view line_end = "\r\n";
// Between an identification and its data: line ends, and the noise of a speed that changes.
constexpr std::string_view filling("\r\n\x7F\0", 4);

class Scanner {
 public:
  Scanner(ByteView bytes, const Options& options)
      : bytes_(bytes), text_(to_text(bytes)), options_(options) {}

  std::vector<Decoded> run();

 private:
  struct Found {
    Identification identification;
    std::size_t begin = 0;
    std::size_t end = 0;  // of its line
  };

  [[nodiscard]] std::optional<Found> identification_at(std::size_t at) const;
  [[nodiscard]] std::size_t next_telegram(std::size_t from, std::size_t limit) const;
  [[nodiscard]] std::size_t skip_filling(std::size_t at) const;
  void read_telegram(const Found& found);
  void look_inside(std::size_t begin);
  void read_block(std::size_t begin, const Found* found);
  void read_plain(std::size_t begin, const Found& found);
  void put(std::size_t begin, std::size_t end, Decoded decoded);
  [[nodiscard]] Decoded understand(ByteView block, const Found* found) const;

  ByteView bytes_;
  std::string text_;
  const Options& options_;
  std::size_t at_ = 0;
  std::vector<Decoded> all_;
};

bool has(ByteView block, char wanted) {
  return std::ranges::any_of(block,
                             [wanted](std::byte b) { return b == static_cast<std::byte>(wanted); });
}

// CR LF again, for LF LF or for LF alone. The check byte may have been a carriage return, too.
Bytes with_carriage_returns(ByteView block) {
  std::string text;
  const std::string sent = to_text(block.first(block.size() - 1));
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (sent[i] != '\n') {
      text += sent[i];
      continue;
    }
    text += "\r\n";
    if (i + 1 < sent.size() && sent[i + 1] == '\n') ++i;
  }
  Bytes whole = to_bytes(text);
  const bool turned =
      block.back() == static_cast<std::byte>('\n') &&
      block_check(ByteView(whole).subspan(1), Check::exclusive_or) == static_cast<std::byte>('\r');
  whole.push_back(turned ? static_cast<std::byte>('\r') : block.back());
  return whole;
}

// "!" and four hex digits end a telegram of a P1 port.
bool is_p1_end(std::string_view text) {
  constexpr std::size_t digits = 4;
  if (text.size() <= digits || text.front() != '!') return false;
  return std::ranges::all_of(text.substr(1, digits), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
  });
}

std::optional<Scanner::Found> Scanner::identification_at(std::size_t at) const {
  const std::size_t end = text_.find_first_of(line_end, at);
  if (text_[at] != '/' || end == std::string::npos) return std::nullopt;
  auto parsed = parse_identification(std::string_view(text_).substr(at + 1, end - at - 1));
  if (!parsed) return std::nullopt;
  Found found;
  found.identification = *std::move(parsed);
  found.begin = at;
  found.end = end;
  return found;
}

// Where the next identification begins; `limit` when there is none before.
std::size_t Scanner::next_telegram(std::size_t from, std::size_t limit) const {
  for (std::size_t at = text_.find('/', from); at < limit; at = text_.find('/', at + 1)) {
    const bool fresh = at == 0 || text_[at - 1] < ' ' || text_[at - 1] > '~';
    if (fresh && identification_at(at)) return at;
  }
  return limit;
}

std::size_t Scanner::skip_filling(std::size_t at) const {
  for (;;) {
    at = std::min(text_.find_first_not_of(filling, at), text_.size());
    // The option select, heard back: ACK 0 Z Y.
    if (at + 4 <= text_.size() && text_[at] == ack && text_[at + 1] == '0') {
      at += 4;
      continue;
    }
    return at;
  }
}

void Scanner::put(std::size_t begin, std::size_t end, Decoded decoded) {
  decoded.offset = begin;
  decoded.length = end - begin;
  all_.push_back(std::move(decoded));
  at_ = end;
}

Decoded Scanner::understand(ByteView block, const Found* found) const {
  Check rule = options_.check;
  if (rule == Check::automatic && found != nullptr) rule = usual_check(found->identification.text);
  auto verified = verify(block, rule);
  Bytes whole;
  if (!verified && !has(block, '\r')) {
    // A terminal that was not raw has made line feeds of the carriage returns.
    whole = with_carriage_returns(block);
    if (const auto again = verify(whole, rule)) verified = *again;
  }
  if (!verified) return failed(verified.error());
  const auto parsed = parse_block(block);
  if (!parsed) return failed(parsed.error());
  Decoded decoded = entry(Status::ok, {});
  if (found != nullptr) put_identification(decoded.telegram, found->identification);
  if (parsed->command == "P0") return decoded;
  if (!parsed->command.empty()) return entry(Status::mismatch, "a request, not an answer");
  const std::string_view text = trimmed(parsed->text);
  const bool readout = found != nullptr || text.ends_with('!');
  auto entries = readout ? parse_entries(text, Origin::checked) : entries_for(*parsed, {});
  if (!entries) return failed(entries.error());
  if (readout) {
    put_readout(decoded.telegram, *entries);
    return decoded;
  }
  for (const Entry& one : joined(*std::move(entries), options_.codes))
    decoded.telegram.items.push_back(item_from(one, code_from(one.code), false));
  return decoded;
}

// From SOH or STX to the check byte. An end that belongs to the next telegram is none.
void Scanner::read_block(std::size_t begin, const Found* found) {
  const std::size_t first = found == nullptr ? begin : found->begin;
  const std::size_t end = text_.find(etx, begin + 1);
  const std::size_t next = next_telegram(begin + 1, std::min(end, text_.size()));
  if (end == std::string::npos || next < end) {
    put(first, next, entry(Status::truncated, "the block has no end (ETX)"));
  } else if (end + 1 == text_.size()) {
    put(first, text_.size(), entry(Status::truncated, "the block check is missing"));
  } else {
    put(first, end + 2, understand(bytes_.subspan(begin, end + 2 - begin), found));
  }
}

// Without STX, ETX and check: "!" ends it, and nothing but well-formed lines is believed.
void Scanner::read_plain(std::size_t begin, const Found& found) {
  const std::size_t limit = next_telegram(begin, text_.size());
  std::size_t end = text_.find('!', begin);
  while (end < limit && end + 1 < limit && line_end.find(text_[end + 1]) == std::string_view::npos)
    end = text_.find('!', end + 1);
  if (end >= limit) {
    const std::size_t mark = std::min(text_.find('!', begin), limit);
    const bool p1 = is_p1_end(std::string_view(text_).substr(mark, limit - mark));
    put(found.begin, limit,
        p1 ? entry(Status::unsupported, "a telegram of a P1 port (protocol p1)")
           : entry(Status::truncated, "the readout has no end ('!')"));
    return;
  }
  const std::size_t behind = std::min(text_.find_first_not_of(line_end, end + 1), text_.size());
  const std::string_view data = std::string_view(text_).substr(begin, end + 1 - begin);
  const auto entries = parse_entries(data, Origin::plain);
  if (behind < text_.size() && text_[behind] == etx) {
    put(found.begin, behind + 1, entry(Status::malformed, "a block with ETX, but without STX"));
  } else if (!entries) {
    put(found.begin, end + 1, failed(entries.error()));
  } else if (!is_plausible(found.identification)) {
    put(found.begin, end + 1, entry(Status::malformed, "no maker identifies itself like that"));
  } else if (entries->empty()) {
    put(found.begin, end + 1, entry(Status::malformed, "a readout without a single line"));
  } else if (const auto lines = plausible_lines(*entries); !lines) {
    put(found.begin, end + 1, failed(lines.error()));
  } else {
    Decoded decoded = entry(Status::ok, {});
    put_identification(decoded.telegram, found.identification);
    put_readout(decoded.telegram, *entries);
    put(found.begin, end + 1, std::move(decoded));
  }
}

void Scanner::read_telegram(const Found& found) {
  const std::size_t begin = skip_filling(found.end);
  if (begin == text_.size()) {
    put(found.begin, begin, entry(Status::truncated, "an identification without data"));
    return;
  }
  // Loggers print it twice.
  if (text_[begin] == '/' && identification_at(begin)) {
    at_ = begin;
    return;
  }
  const std::size_t limit = next_telegram(begin, text_.size());
  const std::size_t block = text_.find_first_of("\x01\x02", begin);
  const std::size_t end = text_.find('!', begin);
  if (block < limit && block < end) {
    read_block(block, &found);
  } else {
    read_plain(begin, found);
  }
}

// A telegram that broke off in the middle of a line, and a whole one right behind it: nothing but
// that the second one is good tells that there were two.
void Scanner::look_inside(std::size_t begin) {
  constexpr int most_tries = 8;
  const std::size_t end = at_;
  const std::size_t before = all_.size();
  int tries = 0;
  for (std::size_t at = text_.find('/', begin + 1); at < end && tries < most_tries;
       at = text_.find('/', at + 1)) {
    const auto found = identification_at(at);
    if (!found) continue;
    ++tries;
    read_telegram(*found);
    if (all_.size() > before && all_.back().ok()) {
      const std::size_t behind = at_;
      Decoded good = std::move(all_.back());
      all_.resize(before - 1);
      put(begin, at, entry(Status::truncated, "the next telegram begins before this one ends"));
      all_.push_back(std::move(good));
      at_ = behind;
      return;
    }
    all_.resize(before);
    at_ = end;
  }
}

std::vector<Decoded> Scanner::run() {
  while (at_ < text_.size()) {
    const std::size_t next = text_.find_first_of("/\x01\x02", at_);
    if (next == std::string::npos) break;
    if (text_[next] != '/') {
      const std::size_t before = all_.size();
      read_block(next, nullptr);
      if (all_.size() > before && !all_.back().ok()) look_inside(next);
    } else if (text_.compare(next, 2, "/?") == 0) {
      at_ = std::min(text_.find_first_of(line_end, next), text_.size());  // our own sign-on
    } else if (const auto found = identification_at(next)) {
      const std::size_t before = all_.size();
      read_telegram(*found);
      if (all_.size() > before && !all_.back().ok()) look_inside(found->begin);
    } else {
      at_ = next + 1;
    }
  }
  return std::move(all_);
}

}  // namespace

Decoded entry(Status status, std::string error) {
  Decoded decoded;
  decoded.status = status;
  decoded.error = std::move(error);
  decoded.telegram = empty_telegram();
  return decoded;
}

Decoded failed(const Error& error) {
  Status status = Status::malformed;
  if (error.code() == Errc::checksum) status = Status::checksum;
  if (error.code() == Errc::exception) status = Status::exception;
  if (error.code() == Errc::mismatch) status = Status::mismatch;
  if (error.code() == Errc::truncated) status = Status::truncated;
  return entry(status, error.detail());
}

bool carries_parity(ByteView bytes) {
  std::size_t even = 0;
  std::size_t high = 0;
  for (const std::byte b : bytes) {
    even += is_even(b) ? 1U : 0U;
    high += (b & std::byte{0x80}) != std::byte{0} ? 1U : 0U;
  }
  // Of plain text about half the characters are even; a damaged byte or two must not decide.
  return high * 8 > bytes.size() && even * 10 >= bytes.size() * 9;
}

std::vector<Decoded> decode_stream(ByteView bytes, const Options& options) {
  if (!options.software_parity && !carries_parity(bytes)) return Scanner(bytes, options).run();
  const Bytes plain = without_parity(bytes);
  return Scanner(plain, options).run();
}

}  // namespace meterbridge::protocol::iec62056_21
