// SPDX-License-Identifier: MIT
#include "config/syntax.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::config {
namespace {

struct Phrase {
  std::string_view theirs;
  std::string_view ours;
};

// yaml-cpp speaks to people who know its grammar; these sentences name the usual cause.
constexpr std::array phrases{
    Phrase{"illegal map value",
           "a \":\" cannot stand here: either the line is indented wrongly, or a text with "
           "\": \" in it needs quotes"},
    Phrase{"illegal map key", "a key cannot stand here: check the indentation"},
    Phrase{"illegal block entry", "a list entry \"- \" cannot stand here: check the indentation"},
    Phrase{"illegal flow end", "this closing bracket was never opened"},
    Phrase{"illegal EOF in scalar", "a quoted text is never closed: its second quote is missing"},
    Phrase{"illegal document indicator in scalar",
           "a quoted text is never closed: its second quote is missing"},
    Phrase{"unknown token", "this character cannot begin a value: put the text in quotes"},
    Phrase{"illegal character in scalar", "this character cannot stand in a text without quotes"},
    Phrase{"the referenced anchor is not defined",
           "this alias (*name) has no anchor (&name) above it"},
    Phrase{"alias not found after *", "a value cannot begin with *: put the text in quotes"},
    Phrase{"anchor not found after &", "a value cannot begin with &: put the text in quotes"},
    Phrase{"illegal character found while scanning alias",
           "a value cannot begin with *: put the text in quotes"},
    Phrase{"illegal character found while scanning anchor",
           "a value cannot begin with &: put the text in quotes"},
    Phrase{"illegal tab when looking for indentation",
           "a tab stands in the indentation: indent with blanks"},
    Phrase{"bad file", "is nested too deeply"},
};

Place place_of_offset(std::string_view text, std::size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  Place place;
  place.file = file;
  place.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_start = before.rfind('\n');
  place.column =
      1 + static_cast<int>(line_start == std::string_view::npos ? offset : offset - line_start - 1);
  return place;
}

// The first line up to `last_line` whose indentation contains a tab: what yaml-cpp stumbles over
// later.
std::optional<std::size_t> tab_in_indentation(std::string_view text, int last_line) {
  std::size_t start = 0;
  for (int line = 1; line <= last_line && start < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::size_t content = text.find_first_not_of(" \t", start);
    if (content < end && text[content] != '#') {
      const std::size_t tab = text.substr(start, content - start).find('\t');
      if (tab != std::string_view::npos) return start + tab;
    }
    start = end + 1;
  }
  return std::nullopt;
}

std::string position(const Place& place) {
  return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column);
}

std::string words_for(const SyntaxBreak& broken) {
  const std::string_view message = broken.message;
  if (broken.inside && broken.inside_flow && message.starts_with("end of ")) {
    return std::string("the ") + (broken.inside_kind == Kind::map ? "\"{\"" : "\"[\"") + " of " +
           position(*broken.inside) + " is not closed before this (or a comma is missing)";
  }
  if (broken.inside && message.starts_with("end of ")) {
    return std::string("this line does not fit the indentation of the ") +
           (broken.inside_kind == Kind::map ? "map" : "list") + " that begins at " +
           position(*broken.inside);
  }
  // Newer ones add what it is about: "...: name".
  for (const Phrase& phrase : phrases)
    if (message.starts_with(phrase.theirs)) return std::string(phrase.ours);
  if (message.starts_with("unknown escape character"))
    return "an unknown escape in a double-quoted text: write \\\\ for a backslash, or use single "
           "quotes";
  return "is no valid YAML: " + sanitised(message, 120);
}

}  // namespace

std::optional<std::string> clean_text(std::string_view text, const std::string& file_name,
                                      Problems& problems) {
  const auto refuse = [&](std::size_t offset, std::string words) {
    problems.add(Severity::error, place_of_offset(text, offset, file_name), {}, std::move(words));
    return std::nullopt;
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > max_file_size)
    return refuse(0, "is larger than " + std::to_string(max_file_size / 1024) +
                         " KiB: that is no configuration");
  if (!is_utf8(text)) {
    std::size_t good = 0;
    while (good < text.size()) {
      const std::size_t line = std::min(text.find('\n', good), text.size() - 1) + 1;
      if (!is_utf8(text.substr(good, line - good))) break;
      good = line;
    }
    return refuse(good, "this line is no UTF-8 text: save the file as UTF-8");
  }
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {  // as Windows writes them, and a lone one as well
      if (i + 1 == text.size() || text[i + 1] != '\n') clean += '\n';
      continue;
    }
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == '\x7f')
      return refuse(i, "a control character stands here");
    clean += c;
  }
  return clean;
}

void report_break(const SyntaxBreak& broken, std::string_view text, Problems& problems) {
  const int last = broken.place.line > 0
                       ? broken.place.line
                       : 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  if (const auto tab = tab_in_indentation(text, last)) {
    problems.add(Severity::error, place_of_offset(text, *tab, broken.place.file), {},
                 "a tab stands in the indentation: indent with blanks");
    return;
  }
  problems.add(Severity::error, broken.place, {}, words_for(broken));
}

}  // namespace meterbridge::config
