// SPDX-License-Identifier: MIT
#include "core/json_writer.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace meterbridge {
namespace {

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  if (code >= 0x20 && code != 0x7F) {
    out += c;
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[code >> 4U];
  out += digits[code & 0x0FU];
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text)
    append_escaped(out, c);
  out += '"';
}

// Printable ASCII that needs no escape: nearly every name and text.
bool is_simple(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; });
}

void append_text(std::string& out, std::string_view text) {
  if (is_simple(text)) {
    out += '"';
    out += text;
    out += '"';
  } else if (is_utf8(text)) {
    append_quoted(out, text);
  } else {
    append_quoted(out, sanitised(text, text.size()));
  }
}

}  // namespace

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) return;
  if (!open_.back().first) text_ += ',';
  open_.back().first = false;
}

JsonWriter& JsonWriter::object() {
  separate();
  text_ += '{';
  open_.push_back({true, true});
  return *this;
}

JsonWriter& JsonWriter::array() {
  separate();
  text_ += '[';
  open_.push_back({false, true});
  return *this;
}

JsonWriter& JsonWriter::end() {
  if (open_.empty()) return *this;
  text_ += open_.back().object ? '}' : ']';
  open_.pop_back();
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_text(text_, name);
  text_ += ':';
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_text(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(const Decimal& number) {
  return raw(number.str());
}

JsonWriter& JsonWriter::value(bool flag) {
  return raw(flag ? "true" : "false");
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  return raw(std::to_string(number));
}

JsonWriter& JsonWriter::value(const Value& reading) {
  if (const auto* number = std::get_if<Decimal>(&reading)) return value(*number);
  if (const auto* text = std::get_if<std::string>(&reading)) return value(std::string_view(*text));
  if (const auto* flag = std::get_if<bool>(&reading)) return value(*flag);
  if (const auto* time = std::get_if<Seconds>(&reading))
    return value(std::string_view(iso_utc(*time)));
  return null();
}

JsonWriter& JsonWriter::content(const Value& reading) {
  if (const auto* number = std::get_if<Decimal>(&reading)) return member("value", *number);
  if (const auto* flag = std::get_if<bool>(&reading)) return member("text", *flag ? "on" : "off");
  return key("text").value(reading);
}

JsonWriter& JsonWriter::null() {
  return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

}  // namespace meterbridge
