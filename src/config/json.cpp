// SPDX-License-Identifier: MIT
// The border to nlohmann: the same tree, numbers as the text they were.
#include "config/syntax.hpp"
#include "config/tree_builder.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace meterbridge::config {
namespace {

class JsonEvents final : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonEvents(std::string_view text, const std::string& file, Problems& problems)
      : text_(text), problems_(problems), builder_(problems) {
    here_.file = file;
  }

  bool null() override {
    Node node;
    node.place = here_;
    builder_.add(std::move(node));
    return true;
  }

  bool boolean(bool value) override { return scalar(value ? "true" : "false", false); }

  bool number_integer(number_integer_t value) override {
    return scalar(std::to_string(value), false);
  }

  bool number_unsigned(number_unsigned_t value) override {
    return scalar(std::to_string(value), false);
  }

  bool number_float(number_float_t, const string_t& digits) override {
    return scalar(digits, false);
  }

  bool string(string_t& value) override { return scalar(value, true); }

  bool key(string_t& name) override { return scalar(name, true); }

  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return begin(Kind::map); }

  bool start_array(std::size_t) override { return begin(Kind::sequence); }

  bool end_object() override { return end(); }

  bool end_array() override { return end(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    const std::string_view before =
        text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const std::size_t line_end = before.rfind('\n');
    Place place = here_;
    place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    place.column =
        1 + static_cast<int>(line_end == std::string_view::npos ? before.size()
                                                                : before.size() - line_end - 1);
    // The library's text ends with what it read last, which may be a secret.
    std::string_view words = exception.what();
    words = words.substr(0, words.find("; last read"));
    const std::size_t detail = words.find("syntax error");
    if (detail != std::string_view::npos) words.remove_prefix(detail);
    problems_.add(Severity::error, place, {}, "is no valid JSON: " + sanitised(words, 120));
    return false;
  }

  [[nodiscard]] Node take_root() && { return std::move(builder_).take_root(); }

 private:
  bool scalar(std::string text, bool quoted) {
    Node node;
    node.kind = Kind::scalar;
    node.place = here_;
    node.scalar = std::move(text);
    node.quoted = quoted;
    builder_.add(std::move(node));
    return true;
  }

  bool begin(Kind kind) {
    builder_.begin(kind, here_, true);
    return true;
  }

  bool end() {
    builder_.end();
    return true;
  }

  std::string_view text_;
  Problems& problems_;
  TreeBuilder builder_;
  Place here_;
};

}  // namespace

Node parse_json(std::string_view text, const std::string& file_name, Problems& problems) {
  const std::optional<std::string> clean = clean_text(text, file_name, problems);
  if (!clean) return {};
  JsonEvents events(*clean, file_name, problems);
  try {
    if (nlohmann::json::sax_parse(*clean, &events)) return std::move(events).take_root();
  } catch (const StopReading&) {
    // Noted where it was thrown.
  } catch (const std::exception&) {
    Place place;
    place.file = file_name;
    problems.add(Severity::error, place, {}, "is no valid JSON");
  }
  return {};
}

}  // namespace meterbridge::config
