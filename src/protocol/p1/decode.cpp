// SPDX-License-Identifier: MIT
#include "protocol/p1/decode.hpp"

#include "core/obis.hpp"
#include "core/text.hpp"
#include "protocol/obis_catalogue.hpp"
#include "protocol/p1/readings.hpp"
#include "protocol/p1/stamp.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace meterbridge::protocol::p1 {
namespace {

using std::chrono::minutes;

constexpr std::size_t usual_line = 22;  // bytes; a guess that saves allocations
constexpr std::size_t most_groups = 256;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<Decimal> number_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char first = text.front();
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return std::nullopt;
  constexpr std::size_t digits_that_fit = 18;
  if (is_digit(first) && text.size() <= digits_that_fit) {
    std::int64_t digits = 0;
    int behind_point = -1;
    for (const char c : text) {
      if (c == '.' && behind_point < 0) {
        behind_point = 0;
      } else if (is_digit(c)) {
        digits = digits * 10 + (c - '0');
        behind_point += behind_point >= 0 ? 1 : 0;
      } else {
        return std::nullopt;
      }
    }
    return Decimal(digits, -std::max(behind_point, 0));
  }
  const auto parsed = Decimal::parse(text);
  if (!parsed) return std::nullopt;
  return *parsed;
}

// An OBIS code as it was written.
struct WrittenCode {
  Obis obis;
  bool reduced = false;        // without group F
  bool leading_zeros = false;  // "1-0:01.08.00"
};

// A line as views into the telegram.
struct Line {
  std::string_view address;
  std::optional<WrittenCode> code;
  std::optional<ObisMeaning> meaning;
  bool number = false;  // even without a unit
  std::vector<std::string_view> groups;
};

std::optional<WrittenCode> code_from(std::string_view text) noexcept {
  constexpr std::string_view separators = "-:..*";
  std::array<std::uint8_t, 6> groups{0, 0, 0, 0, 0, 255};
  WrittenCode code;
  std::size_t at = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i > 0) {
      code.reduced = i == separators.size() && at == text.size();
      if (code.reduced) break;
      if (at == text.size() || text[at] != separators[i - 1]) return std::nullopt;
      ++at;
    }
    unsigned number = 0;
    const std::size_t first = at;
    for (; at < text.size() && is_digit(text[at]) && at - first < 3; ++at) {
      number = number * 10 + static_cast<unsigned>(text[at] - '0');
    }
    if (at == first || number > 255) return std::nullopt;
    code.leading_zeros = code.leading_zeros || (text[first] == '0' && at - first > 1);
    groups[i] = static_cast<std::uint8_t>(number);
  }
  if (at != text.size()) return std::nullopt;
  code.obis = Obis{groups[0], groups[1], groups[2], groups[3], groups[4], groups[5]};
  return code;
}

std::string address_of(const Line& line) {
  if (line.code && line.code->leading_zeros) return line.code->obis.text();
  std::string address(line.address);
  if (line.code && line.code->reduced) address += "*255";
  return address;
}

// Identifications without a code: letters, digits and points, as on AM550 meters in Slovenia
// (0.9.1).
bool fits_identification(std::string_view text) noexcept {
  constexpr std::size_t longest = 20;
  if (text.empty() || text.size() > longest) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '-' || c == ':' || c == '*';
  });
}

// (a)(b)(c), perhaps with blanks between them. What people wrote behind a blank is no part of it:
// "(234.7*V)  // voltage". False when anything else stands there.
bool read_groups(std::string_view text, std::vector<std::string_view>& groups) {
  while (!text.empty()) {
    const std::string_view behind = without_blanks(text);
    const bool apart = behind.size() < text.size() && text.front() != '(';
    if (behind.empty() || behind.front() != '(') return behind.empty() || apart;
    const std::size_t end = behind.find(')');
    if (end == std::string_view::npos || groups.size() == most_groups) return false;
    groups.push_back(without_blanks(behind.substr(1, end - 1)));
    text = behind.substr(end + 1);
  }
  return true;
}

class TextDecoder {
 public:
  TextDecoder(std::string_view text, const DecodeOptions& options)
      : text_(text), options_(options) {}

  Telegram decode();

 private:
  void read_line(std::string_view text);
  void start_line(std::string_view address, std::string_view rest);
  [[nodiscard]] bool is_repeated(const std::optional<WrittenCode>& code,
                                 std::string_view address) const noexcept;
  void finish_line();
  [[nodiscard]] bool fill(Item& item) const;
  void fill_single(Item& item) const;
  [[nodiscard]] bool fill_stamped(Item& item) const;

  std::string_view text_;
  DecodeOptions options_;
  minutes offset_{60};
  Telegram telegram_;
  std::vector<ItemCode> codes_;
  std::vector<Obis> seen_;
  Line line_;
  bool open_ = false;  // line_ holds a line that may be continued
  bool unreadable_ = false;
};

void set_number(Item& item, std::string_view group) {
  const std::size_t star = group.rfind('*');
  const std::string_view unit =
      star == std::string_view::npos ? std::string_view() : without_blanks(group.substr(star + 1));
  item.value =
      number_from(star == std::string_view::npos ? group : without_blanks(group.substr(0, star)));
  if (item.value) item.unit = unit;
}

void TextDecoder::fill_single(Item& item) const {
  const std::string_view group = line_.groups.front();
  if (line_.number || group.find('*') != std::string_view::npos) set_number(item, group);
  if (item.value && item.unit.empty() && !line_.number) item.value.reset();
  if (!item.value) item.text = group;
}

// An impossible stamp makes the item absent: nobody can say what its value means.
bool TextDecoder::fill_stamped(Item& item) const {
  const auto time = parse_stamp(line_.groups[0], offset_);
  set_number(item, line_.groups[1]);
  if (item.value && (line_.number || !item.unit.empty())) {
    item.time = time;
    return time.has_value();
  }
  item.value.reset();
  item.groups.assign(line_.groups.begin(), line_.groups.end());
  return true;
}

// False: the line says nothing that can be kept.
bool TextDecoder::fill(Item& item) const {
  const auto& groups = line_.groups;
  if (groups.size() == 1) {
    const bool clock = line_.meaning && line_.meaning->form == ObisForm::clock;
    if (clock && looks_like_stamp(groups[0]) && !parse_stamp(groups[0], offset_)) return false;
    fill_single(item);
    return true;
  }
  if (groups.size() == 2 && looks_like_stamp(groups[0])) return fill_stamped(item);
  item.groups.assign(groups.begin(), groups.end());
  return true;
}

void TextDecoder::finish_line() {
  if (!open_) return;
  open_ = false;
  if (line_.groups.empty()) {
    unreadable_ = true;
    return;
  }
  if (!fill(telegram_.items.emplace_back(address_of(line_)))) {
    telegram_.items.pop_back();
    return;
  }
  codes_.push_back(
      ItemCode{line_.code ? std::optional(line_.code->obis) : std::nullopt, line_.meaning});
}

// The first of several wins, whatever the later ones say.
bool TextDecoder::is_repeated(const std::optional<WrittenCode>& code,
                              std::string_view address) const noexcept {
  if (code) return std::find(seen_.begin(), seen_.end(), code->obis) != seen_.end();
  return telegram_.find(address) != nullptr;
}

void TextDecoder::start_line(std::string_view address, std::string_view rest) {
  const auto code = code_from(address);
  const bool repeated = is_repeated(code, address);
  // Holley in Hungary breaks 98.1.0 after its address and writes its first stamp as if it were a
  // second clock.
  if (repeated && open_ && line_.groups.empty() && code && code->obis == Obis{0, 0, 1, 0, 0}) {
    unreadable_ = !read_groups(rest, line_.groups) || unreadable_;
    return;
  }
  finish_line();
  if (repeated || (!code && !fits_identification(address))) {
    unreadable_ = unreadable_ || !repeated;
    return;
  }
  line_.groups.clear();
  line_.address = address;
  line_.code = code;
  line_.meaning = code ? meaning_of(code->obis) : std::nullopt;
  line_.number = code && is_number(code->obis, line_.meaning);
  if (!read_groups(rest, line_.groups)) {
    unreadable_ = true;
    return;
  }
  if (code) seen_.push_back(code->obis);
  open_ = true;
}

void TextDecoder::read_line(std::string_view text) {
  text = without_blanks(text);
  if (text.empty()) return;
  const std::size_t bracket = text.find('(');
  if (bracket == 0) {  // DSMR 2.2 and 3.0: the value stands on a line of its own
    if (!open_ || !read_groups(text, line_.groups)) unreadable_ = true;
    return;
  }
  const std::size_t end = std::min(bracket, text.size());
  start_line(without_blanks(text.substr(0, end)), text.substr(end));
}

Telegram TextDecoder::decode() {
  telegram_.protocol = "p1";
  const std::size_t lines = text_.size() / usual_line + 1;
  telegram_.items.reserve(lines);
  codes_.reserve(lines);
  seen_.reserve(lines);
  line_.groups.reserve(8);
  bool header = true;
  while (!text_.empty()) {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (header) {
      header = false;
      telegram_.identification = line.substr(std::min<std::size_t>(1, line.size()));
      offset_ = normal_offset(options_.country, telegram_.identification);
      continue;
    }
    if (!line.empty() && line.front() == '!') break;
    read_line(line);
  }
  finish_line();
  ReadingOptions readings;
  readings.normal_offset = offset_;
  readings.sums_doubtful = unreadable_ && !options_.proved;
  build_readings(telegram_, codes_, readings);
  return std::move(telegram_);
}

}  // namespace

minutes normal_offset(Country country, std::string_view header) noexcept {
  constexpr minutes central_europe{60};
  constexpr minutes eastern_europe{120};
  switch (country) {
    case Country::fi:
    case Country::lt:
      return eastern_europe;
    case Country::automatic:
      break;
    default:
      return central_europe;
  }
  // ESO is the grid operator of Lithuania; the Aidon 7534 is the three-phase meter of Finland.
  const bool eastern = header.substr(0, 3) == "ESO" || header.substr(0, 9) == "ADN9 7534";
  return eastern ? eastern_europe : central_europe;
}

Telegram decode_text(std::string_view text, const DecodeOptions& options) {
  return TextDecoder(text, options).decode();
}

}  // namespace meterbridge::protocol::p1
