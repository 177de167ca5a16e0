// SPDX-License-Identifier: MIT
#include "core/text.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace meterbridge::protocol {
namespace {

// Takes one line off the front; `text` keeps the rest.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool says_nothing(std::string_view line) {
  const std::string_view content = trimmed(line);
  return content.empty() || content.front() == '#';
}

// Editors strip the blank behind a mark without bytes.
bool is_exchange(std::string_view line) {
  if (line.empty() || (line.front() != '>' && line.front() != '<')) return false;
  return line.starts_with("> ") || line.starts_with("< ") || trimmed(line).size() == 1;
}

// Some editors put the mark of UTF-8 in front of the text.
std::string_view without_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  return text;
}

// Position of the first character that is neither a hex digit nor white space; the end when there
// is none.
std::size_t first_wrong(std::string_view hex) {
  const std::size_t at = hex.find_first_not_of("0123456789abcdefABCDEF \t\r");
  return at == std::string_view::npos ? hex.size() : at;
}

Error at(std::size_t line, std::size_t column, const std::string& what) {
  return {Errc::malformed, std::to_string(line) + ":" + std::to_string(column) + ": " + what};
}

}  // namespace

bool is_transcript(std::string_view text) noexcept {
  text = without_mark(text);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!says_nothing(line)) return is_exchange(line);
  }
  return false;
}

Result<std::vector<TranscriptLine>> parse_transcript(std::string_view text) {
  std::vector<TranscriptLine> lines;
  const std::size_t size = text.size();
  text = without_mark(text);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t offset = size - text.size();
    const std::string_view line = take_line(text);
    if (says_nothing(line)) continue;
    if (!is_exchange(line))
      return at(number, 1, "expected \"> HEX\" (sent) or \"< HEX\" (from the meter)");
    const std::string_view hex = line.substr(std::min<std::size_t>(2, line.size()));
    auto bytes = from_hex(hex);
    if (!bytes) {
      const std::size_t wrong = first_wrong(hex);
      return at(number, 3 + wrong,
                wrong == hex.size() ? "an odd number of hex digits" : "this is no hex digit");
    }
    TranscriptLine entry;
    entry.sent = line.front() == '>';
    entry.bytes = std::move(*bytes);
    entry.line = number;
    entry.offset = offset;
    entry.length = line.size();
    lines.push_back(std::move(entry));
  }
  return lines;
}

std::vector<TranscriptExchange> exchanges_of(std::span<const TranscriptLine> lines,
                                             const std::function<bool(ByteView sent)>& wants_more) {
  std::vector<TranscriptExchange> exchanges;
  for (const TranscriptLine& line : lines) {
    if (line.sent && line.bytes.empty()) continue;  // nothing was sent
    const bool goes_on = !exchanges.empty() &&
                         (!line.sent || (exchanges.back().asked && exchanges.back().heard.empty() &&
                                         wants_more(exchanges.back().sent)));
    if (!goes_on) {
      exchanges.emplace_back();
      exchanges.back().asked = line.sent;
      exchanges.back().offset = line.offset;
    }
    TranscriptExchange& last = exchanges.back();
    Bytes& bytes = line.sent ? last.sent : last.heard;
    bytes.insert(bytes.end(), line.bytes.begin(), line.bytes.end());
    last.length = line.offset + line.length - last.offset;
  }
  return exchanges;
}

}  // namespace meterbridge::protocol
