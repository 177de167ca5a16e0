// SPDX-License-Identifier: MIT
#include "protocol/json/text.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& to, std::uint32_t code) {
  const auto put = [&to](std::uint32_t byte) { to += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6U));
    put(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12U));
    put(0x80 | ((code >> 6U) & 0x3FU));
    put(0x80 | (code & 0x3FU));
  } else {
    put(0xF0 | (code >> 18U));
    put(0x80 | ((code >> 12U) & 0x3FU));
    put(0x80 | ((code >> 6U) & 0x3FU));
    put(0x80 | (code & 0x3FU));
  }
}

// A name as a part of a pointer.
void append_token(std::string& pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
}

// One pass, by recursion as deep as max_depth. Every function returns false when it has failed.
class Parser {
 public:
  Parser(std::string_view text, Tolerance tolerance) : text_(text), tolerance_(tolerance) {}

  Result<std::vector<Leaf>> run() {
    skip_blanks();
    bool good = value(0);
    skip_blanks();
    if (good && at_ < text_.size()) good = fail("has something behind its end");
    if (good) good = names_differ();
    if (good) return std::move(leaves_);
    return Error{Errc::malformed, "is no valid JSON: " + fault_};
  }

 private:
  bool fail(std::string_view why) {
    if (!fault_.empty()) return false;
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t begin = before.rfind('\n');
    const std::size_t column =
        begin == std::string_view::npos ? before.size() + 1 : before.size() - begin;
    fault_ = "line " + std::to_string(line) + ", column " + std::to_string(column) + " " +
             std::string(why);
    return false;
  }

  [[nodiscard]] bool ended() const noexcept { return at_ >= text_.size(); }

  [[nodiscard]] char peek() const noexcept { return ended() ? '\0' : text_[at_]; }

  bool take(char c) noexcept {
    if (peek() != c || ended()) return false;
    ++at_;
    return true;
  }

  void skip_blanks() noexcept {
    while (!ended() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool add(Kind kind, std::string text) {
    if (leaves_.size() >= max_values) return fail("has too many values");
    Leaf& leaf = leaves_.emplace_back();
    leaf.pointer = pointer_;
    leaf.kind = kind;
    leaf.text = std::move(text);
    return true;
  }

  bool value(std::size_t depth) {
    if (depth > max_depth) return fail("is nested too deeply");
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        std::string text;
        return string(text) && add(Kind::text, std::move(text));
      }
      case 't':
        return word("true", Kind::boolean);
      case 'f':
        return word("false", Kind::boolean);
      case 'n':
        return word("null", Kind::null);
      default:
        return number();
    }
  }

  bool word(std::string_view expected, Kind kind) {
    if (!text_.substr(at_).starts_with(expected)) return fail("has an unknown word");
    at_ += expected.size();
    return add(kind, std::string(expected));
  }

  bool digits() {
    const std::size_t begin = at_;
    while (is_digit(peek()))
      ++at_;
    return at_ > begin || fail(ended() ? "ends too early" : "should have a value");
  }

  bool number() {
    const std::size_t begin = at_;
    take('-');
    if (peek() == '0' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))
      return fail("has a number with a leading zero");
    if (!digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    return add(Kind::number, std::string(text_.substr(begin, at_ - begin)));
  }

  bool string(std::string& into) {
    ++at_;  // the quote
    for (;;) {
      if (ended()) return fail("ends inside a text");
      const char c = text_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) return fail("has a control character in a text");
      ++at_;
      if (c != '\\') {
        into += c;
      } else if (!escape(into)) {
        return false;
      }
    }
    ++at_;
    return true;
  }

  bool escape(std::string& into) {
    static constexpr std::string_view marks = "\"\\/bfnrt";
    static constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
    const char c = peek();
    if (const std::size_t known = marks.find(c); !ended() && known != std::string_view::npos) {
      ++at_;
      into += meant[known];
      return true;
    }
    if (!take('u')) return fail("has an unknown escape in a text");
    std::uint32_t code = 0;
    if (!unit(code)) return false;
    if (code >= 0xDC00 && code < 0xE000) return fail("has half a character in a text");
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      if (!take('\\') || !take('u') || !unit(low) || low < 0xDC00 || low >= 0xE000)
        return fail("has half a character in a text");
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    append_utf8(into, code);
    return true;
  }

  bool unit(std::uint32_t& code) {
    const std::string_view hex = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() < 4 || error != std::errc() || end != hex.data() + hex.size())
      return fail("has an escape without four hex digits");
    at_ += 4;
    return true;
  }

  bool object(std::size_t depth) {
    ++at_;
    skip_blanks();
    if (take('}')) return true;
    const std::size_t above = pointer_.size();
    std::string name;
    for (;;) {
      if (peek() != '"') return fail(ended() ? "ends inside an object" : "should have a name");
      const std::string before = std::exchange(name, {});
      if (!string(name)) return false;
      if (comma_missing_ && (before != "LastMonth" || name != "Message"))
        return fail("should have a comma before");
      comma_missing_ = false;
      skip_blanks();
      if (!take(':')) return fail("should have a colon");
      skip_blanks();
      append_token(pointer_, name);
      if (pointer_.size() > max_pointer) return fail("has names that are too long");
      if (!value(depth + 1)) return false;
      pointer_.resize(above);
      skip_blanks();
      if (take('}')) return true;
      if (take(',')) {
        skip_blanks();
      } else if (depth == 0 && tolerance_ == Tolerance::okosmero && peek() == '"') {
        comma_missing_ = true;
      } else {
        return fail(ended() ? "ends inside an object" : "should have a comma or }");
      }
    }
  }

  bool array(std::size_t depth) {
    ++at_;
    skip_blanks();
    if (take(']')) return true;
    const std::size_t above = pointer_.size();
    for (std::size_t i = 0;; ++i) {
      append_token(pointer_, std::to_string(i));
      if (!value(depth + 1)) return false;
      pointer_.resize(above);
      skip_blanks();
      if (take(']')) return true;
      if (!take(',')) return fail(ended() ? "ends inside a list" : "should have a comma or ]");
      skip_blanks();
    }
  }

  bool names_differ() {
    std::vector<std::string_view> pointers;
    for (const Leaf& leaf : leaves_)
      pointers.push_back(leaf.pointer);
    std::sort(pointers.begin(), pointers.end());
    const auto twin = std::adjacent_find(pointers.begin(), pointers.end());
    if (twin == pointers.end()) return true;
    if (tolerance_ == Tolerance::repeated) {
      drop_twins(pointers);
      return true;
    }
    fault_ = sanitised(*twin, 80) + " is there twice";
    return false;
  }

  void drop_twins(const std::vector<std::string_view>& sorted) {
    std::vector<std::string> twins;
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i] == sorted[i - 1] && (twins.empty() || twins.back() != sorted[i]))
        twins.emplace_back(sorted[i]);
    }
    std::erase_if(leaves_, [&twins](const Leaf& leaf) {
      return std::binary_search(twins.begin(), twins.end(), leaf.pointer);
    });
  }

  std::string_view text_;
  Tolerance tolerance_;
  std::size_t at_ = 0;
  bool comma_missing_ = false;
  std::string pointer_;
  std::vector<Leaf> leaves_;
  std::string fault_;
};

}  // namespace

Result<std::vector<Leaf>> parse(std::string_view text, Tolerance tolerance) {
  if (text.size() > max_document) {
    return Error{Errc::malformed,
                 "is longer than " + std::to_string(max_document) + " bytes: not read"};
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Parser(text, tolerance).run();
}

std::optional<Decimal> number_of(std::string_view text) {
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const auto mantissa = Decimal::parse(text.substr(0, e));
  if (!mantissa) return std::nullopt;
  if (e == text.size()) return *mantissa;
  std::string_view exponent = text.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  int power = 0;
  const auto [end, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
  if (error != std::errc() || end != exponent.data() + exponent.size() || power < -40 || power > 40)
    return std::nullopt;
  const auto shifted = mantissa->shifted(power);
  if (!shifted) return std::nullopt;
  return *shifted;
}

std::string_view pointer_fault(std::string_view pointer) noexcept {
  if (pointer.empty()) return {};
  if (pointer.front() != '/') return "must begin with / (for example /ENERGY/Power, or /Voltage/0)";
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] != '~') continue;
    if (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1'))
      return "has a ~ that is not ~0 (for ~) or ~1 (for /)";
  }
  return {};
}

}  // namespace meterbridge::protocol::json
