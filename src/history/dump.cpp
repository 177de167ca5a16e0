// SPDX-License-Identifier: MIT
// What mysqldump writes: CREATE TABLE tells the columns, INSERT INTO the rows.
#include "history/forms.hpp"

#include <algorithm>
#include <map>

namespace meterbridge::history {
namespace {

// The name at the front, with or without quotes; takes it off.
std::string take_name(std::string_view& text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  const char quote = text.empty() ? '\0' : text.front();
  if (quote == '`' || quote == '"') {
    const std::size_t end = std::min(text.find(quote, 1), text.size());
    std::string name(text.substr(1, end - 1));
    text.remove_prefix(std::min(end + 1, text.size()));
    return name;
  }
  const std::size_t end = std::min(text.find_first_of(" (,)"), text.size());
  std::string name(text.substr(0, end));
  text.remove_prefix(end);
  return name;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!same_ignoring_case(text.substr(0, word.size()), word)) return false;
  text.remove_prefix(word.size());
  return true;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
    case 'r':
    case 't':
    case '0':
      return ' ';
    default:
      return c;
  }
}

// From behind an opening quotation mark to behind its partner; false without one.
bool take_text(std::string_view line, std::size_t& at, std::string& text) {
  for (; at < line.size(); ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) {
      text += unescaped(line[++at]);
    } else if (line[at] != '\'') {
      text += line[at];
    } else if (at + 1 < line.size() && line[at + 1] == '\'') {
      text += line[at++];
    } else {
      ++at;
      return true;
    }
  }
  return false;
}

class Dump final : public FormReader {
 public:
  explicit Dump(const Layout& layout) : layout_(layout) {}

  void read(Run& run, std::uint64_t line, std::string_view text) override {
    std::string_view rest = text;
    if (take_word(rest, "CREATE TABLE ")) {
      (void)take_word(rest, "IF NOT EXISTS ");
      creating_ = take_name(rest);
      names_[creating_].clear();
    } else if (!creating_.empty() && text.starts_with(")")) {
      creating_.clear();
    } else if (!creating_.empty() && trimmed(text).starts_with('`')) {
      rest = trimmed(text);
      names_[creating_].push_back(take_name(rest));
    } else if (take_word(rest, "INSERT INTO ") || take_word(rest, "INSERT IGNORE INTO ")) {
      insert(run, line, text, rest);
    } else if (rows_ && trimmed(text).starts_with('(')) {
      tuples(run, line, text, text.find('('));  // a line each
    }
  }

 private:
  void insert(Run& run, std::uint64_t line, std::string_view text, std::string_view rest) {
    const std::string table = take_name(rest);
    while (rest.starts_with(' '))
      rest.remove_prefix(1);
    if (rest.starts_with('(')) {
      std::vector<std::string> names;
      while (!rest.empty() && rest.front() != ')') {
        rest.remove_prefix(1);
        names.push_back(take_name(rest));
        while (rest.starts_with(' '))
          rest.remove_prefix(1);
      }
      names_[table] = std::move(names);
      current_.clear();
    }
    if (table != current_) {
      columns_ = Columns();
      current_ = table;
      if (!columns_.set(run, layout_, names_[table]))
        run.note("table " + sanitised(table, 60) + " is left out");
    }
    rows_ = columns_.known();
    const std::size_t begin = text.find('(', text.size() - rest.size());
    // Column names were passed; rows begin behind VALUES.
    const std::size_t values = std::min(rest.find("VALUES"), rest.find("values"));
    if (!rows_ || values == std::string_view::npos) return;
    const std::size_t first = text.find('(', text.size() - rest.size() + values);
    if (begin != std::string_view::npos && first != std::string_view::npos)
      tuples(run, line, text, first);
  }

  void tuples(Run& run, std::uint64_t line, std::string_view text, std::size_t at) {
    while (at < text.size() && text[at] == '(') {
      const std::size_t begin = at;
      if (!tuple(text, at)) {
        run.fault({line, begin + 1}, "a row without end: the dump was cut");
        rows_ = false;
        return;
      }
      columns_.read(run, line, cells_);
      while (at < text.size() && (text[at] == ',' || text[at] == ' '))
        ++at;
    }
    if (at < text.size() && text[at] == ';') rows_ = false;
  }

  bool tuple(std::string_view text, std::size_t& at) {
    cells_.clear();
    for (++at; at < text.size();) {
      while (at < text.size() && text[at] == ' ')
        ++at;
      Cell cell;
      cell.column = at + 1;
      if (text.substr(at).starts_with("_binary ")) at += 8;
      if (at < text.size() && text[at] == '\'') {
        if (!take_text(text, ++at, cell.text)) return false;
      } else {
        const std::size_t end = std::min(text.find_first_of(",)", at), text.size());
        cell.text = trimmed(text.substr(at, end - at));
        cell.null = cell.text == "NULL";
        at = end;
      }
      cells_.push_back(std::move(cell));
      if (at >= text.size()) return false;
      if (text[at++] == ')') return true;
    }
    return false;
  }

  const Layout& layout_;
  std::map<std::string, std::vector<std::string>> names_;
  std::string creating_, current_;
  Columns columns_;
  bool rows_ = false;
  std::vector<Cell> cells_;
};

}  // namespace

std::unique_ptr<FormReader> dump_reader(const Layout& layout) {
  return std::make_unique<Dump>(layout);
}

}  // namespace meterbridge::history
