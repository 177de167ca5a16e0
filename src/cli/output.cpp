// SPDX-License-Identifier: MIT
#include "cli/command.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::cli {
namespace {

constexpr std::size_t max_file =
    std::size_t{256} * 1024 * 1024;  // captures of days at a serial line's speed stay far below

void write_all(std::FILE* stream, std::string_view text) {
  // A closed pipe is not our failure: the reader had enough.
  (void)std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

// Columns seen, not bytes: continuation bytes of UTF-8 take no column.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string word_for(int error) {
  return std::generic_category().message(error);
}

}  // namespace

void print(std::string_view text) {
  write_all(stdout, text);
}

void complain(std::string_view text) {
  write_all(stderr, text);
  if (text.empty() || text.back() != '\n') write_all(stderr, "\n");
}

std::string configuration_file(const Arguments& arguments) {
  if (auto given = arguments.value("--config")) return *given;
  static constexpr const char* system_file = "/etc/meterbridge/meterbridge.yaml";

  struct stat status {};

  // Without any file the error shall name the place where it belongs.
  if (::stat(system_file, &status) != 0 && ::stat("./meterbridge.yaml", &status) == 0)
    return "./meterbridge.yaml";
  return system_file;
}

std::string value_text(const Value& value) {
  if (const auto* number = std::get_if<Decimal>(&value)) return number->str();
  if (const auto* text = std::get_if<std::string>(&value)) return sanitised(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "on" : "off";
  return iso_utc(std::get<Seconds>(value));
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i]));
  }
  const bool colour = ::isatty(STDOUT_FILENO) == 1;
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      line += rows[r][i];
      if (i + 1 < rows[r].size())
        line.append(std::max(widths[i], width(rows[r][i])) - width(rows[r][i]) + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ')
      line.pop_back();
    text += colour && r == 0 ? "\033[1m" + line + "\033[0m\n" : line + "\n";
  }
  return text;
}

Result<std::string> read_file(const std::string& path) {
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Closer> owned;
  std::FILE* file = stdin;
  if (path != "-") {
    owned.reset(std::fopen(path.c_str(), "rbe"));
    if (!owned) return Error(Errc::not_found, path + ": " + word_for(errno));
    file = owned.get();
  }
  std::string content;
  std::vector<char> block(std::size_t{64} * 1024);
  for (;;) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), file);
    if (count == 0) break;
    content.append(block.data(), count);
    if (content.size() > max_file) return Error(Errc::invalid, path + ": larger than 256 MiB");
  }
  if (std::ferror(file) != 0) return Error(Errc::io, path + ": " + word_for(errno));
  return content;
}

}  // namespace meterbridge::cli
