// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/lines.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::size_t max_code = 32;
constexpr std::size_t max_values = 256;  // of one code
constexpr std::size_t max_entries = 4096;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool fits_code(char c) noexcept {
  // The comma leads to an attribute: ZPA's 1.6.0,5 is the time of the maximum in 1.6.0.
  constexpr std::string_view marks = ".:-*&_,";
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         marks.find(c) != std::string_view::npos;
}

bool fits_value(char c) noexcept {
  return c >= ' ' && c < '\x7F' && c != '(';
}

class Parser {
 public:
  Parser(std::string_view text, Origin origin) : rest_(text), origin_(origin) {}

  Result<std::vector<Entry>> run();

 private:
  Result<> line(std::string_view text);
  Result<> values(std::string_view& text);
  [[nodiscard]] Error wrong(std::string_view line) const;

  std::string_view rest_;
  Origin origin_;
  int number_ = 0;
  std::vector<Entry> entries_;
};

Error Parser::wrong(std::string_view line) const {
  return {Errc::malformed,
          "line " + std::to_string(number_) + " is not code(value): '" + sanitised(line, 40) + "'"};
}

// "(a)(b)" off the front.
Result<> Parser::values(std::string_view& text) {
  Entry& entry = entries_.back();
  const std::string_view all = text;
  while (!text.empty() && text.front() == '(') {
    const std::size_t end = text.find(')');
    if (end == std::string_view::npos || entry.values.size() == max_values) return wrong(all);
    const std::string_view value = text.substr(1, end - 1);
    if (!std::ranges::all_of(value, fits_value)) return wrong(all);
    entry.values.emplace_back(trimmed(value));
    text.remove_prefix(end + 1);
  }
  return {};
}

Result<> Parser::line(std::string_view text) {
  const std::string_view all = text;
  if (origin_ == Origin::checked && text.front() == '(' && !entries_.empty()) {
    if (const auto read = values(text); !read) return read.error();
    text = trimmed(text);
  }
  while (!text.empty()) {
    const std::size_t bracket = text.find('(');
    if (bracket == std::string_view::npos || bracket > max_code) return wrong(all);
    const std::string_view code = trimmed(text.substr(0, bracket));
    if (!std::ranges::all_of(code, fits_code) || (code.empty() && origin_ != Origin::answer))
      return wrong(all);
    if (entries_.size() == max_entries) return Error(Errc::malformed, "too many lines");
    entries_.emplace_back().code = code;
    text.remove_prefix(bracket);
    if (const auto read = values(text); !read) return read.error();
    text = trimmed(text);
  }
  return {};
}

Result<std::vector<Entry>> Parser::run() {
  rest_ = trimmed(rest_);
  if (origin_ != Origin::answer) {
    if (rest_.empty() || rest_.back() != '!')
      return Error(Errc::malformed, "the readout does not end with '!'");
    rest_.remove_suffix(1);
  }
  while (!rest_.empty()) {
    const std::size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    const std::string_view text = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (text.empty()) continue;
    ++number_;
    if (const auto read = line(text); !read) return read.error();
  }
  return std::move(entries_);
}

std::optional<std::uint8_t> group(std::string_view& text) {
  unsigned number = 0;
  std::size_t used = 0;
  while (used < text.size() && used < 3 && is_digit(text[used])) {
    number = number * 10 + static_cast<unsigned>(text[used] - '0');
    ++used;
  }
  if (used == 0 || number > 255) return std::nullopt;
  text.remove_prefix(used);
  return static_cast<std::uint8_t>(number);
}

struct Groups {
  std::array<std::uint8_t, 3> value{};
  std::size_t count = 0;
};

// C.D or C.D.E.
std::optional<Groups> groups_from(std::string_view text) {
  Groups groups;
  for (;;) {
    const auto number = group(text);
    if (!number) return std::nullopt;
    groups.value[groups.count++] = *number;
    if (text.empty()) break;
    if (text.front() != '.' || groups.count == groups.value.size()) return std::nullopt;
    text.remove_prefix(1);
  }
  if (groups.count < 2) return std::nullopt;
  return groups;
}

// "1-0:" off the front.
struct Channel {
  std::uint8_t a = 1;
  std::uint8_t b = 0;
  bool written = false;
};

Channel channel_from(std::string_view& text) {
  std::string_view rest = text;
  Channel channel;
  const auto a = group(rest);
  if (!a || rest.empty() || rest.front() != '-') return channel;
  rest.remove_prefix(1);
  const auto b = group(rest);
  if (!b || rest.empty() || rest.front() != ':') return channel;
  text = rest.substr(1);
  channel.a = *a;
  channel.b = *b;
  channel.written = true;
  return channel;
}

}  // namespace

Result<std::vector<Entry>> parse_entries(std::string_view text, Origin origin) {
  return Parser(text, origin).run();
}

Code code_from(std::string_view text) {
  constexpr std::uint8_t current = 255;
  Code code;
  code.address = text;
  std::string_view middle = text;
  const Channel channel = channel_from(middle);
  const std::size_t mark = middle.find_first_of("*&");
  std::uint8_t f = current;
  if (mark != std::string_view::npos) {
    std::string_view period = middle.substr(mark + 1);
    const auto number = group(period);
    if (!number || !period.empty()) {
      code.plain = middle;
      return code;
    }
    f = *number;
    code.former = f != current || middle[mark] == '&';
    if (middle[mark] == '&' && f == current) f = 0;
  }
  code.plain = middle.substr(0, mark);
  const auto groups = groups_from(code.plain);
  if (!groups) return code;
  code.obis = Obis{channel.a, channel.b, groups->value[0], groups->value[1], groups->value[2], f};
  const bool history = mark != std::string_view::npos && middle[mark] == '&';
  if (groups->count == 3 && !history) {
    if (!channel.written) code.address.insert(0, "1-0:");
    if (mark == std::string_view::npos) code.address += "*255";
  }
  return code;
}

std::optional<Decimal> number_from(std::string_view text) {
  std::string plain(trimmed(text));
  // Kamstrup writes a comma; a list of values has several.
  if (std::ranges::count(plain, ',') == 1 && plain.find('.') == std::string::npos)
    std::ranges::replace(plain, ',', '.');
  const auto number = Decimal::parse(plain);
  if (!number) return std::nullopt;
  return *number;
}

Item item_from(const Entry& entry, const Code& code, bool number) {
  Item item(code.address);
  if (entry.values.size() != 1) {
    item.groups = entry.values;
    return item;
  }
  const std::string_view value = entry.values.front();
  const std::size_t star = value.find('*');
  const std::string_view unit =
      star == std::string_view::npos ? std::string_view() : trimmed(value.substr(star + 1));
  if (number || !unit.empty()) item.value = number_from(value.substr(0, star));
  if (item.value) {
    item.unit = unit;
  } else {
    item.text = value;
  }
  return item;
}

}  // namespace meterbridge::protocol::iec62056_21
