// SPDX-License-Identifier: MIT
#include "sink/csv/repair.hpp"

#include "io/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::sink::csv {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t newest_files = 6;

Error failed(const std::string& path, std::string_view what) {
  return {Errc::io,
          path + ": " + std::string(what) + ": " + std::generic_category().message(errno)};
}

}  // namespace

Result<std::string> read_end(const std::string& path, std::size_t most) {
  const io::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));

  struct stat facts {};

  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return failed(path, "opening");
  const auto size = static_cast<std::size_t>(facts.st_size);
  std::string text(std::min(size, most), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const auto count = ::pread(file.get(), text.data() + got, text.size() - got,
                               static_cast<off_t>(size - text.size() + got));
    if (count <= 0) return failed(path, "reading");
    got += static_cast<std::size_t>(count);
  }
  return text;
}

Result<std::string> first_line(const std::string& path) {
  const io::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed(path, "opening");
  std::string text;
  std::array<char, 4096> block{};
  for (off_t at = 0;; at += static_cast<off_t>(block.size())) {
    const auto count = ::pread(file.get(), block.data(), block.size(), at);
    if (count < 0) return failed(path, "reading");
    text.append(block.data(), static_cast<std::size_t>(count));
    const std::size_t end = text.find('\n');
    if (end != std::string::npos) return text.substr(0, end);
    if (static_cast<std::size_t>(count) < block.size()) return std::string();
  }
}

Result<> repair_file(const std::string& path, const Log& log) {
  for (bool told = false;;) {
    const auto end = read_end(path, tail_size);
    if (!end) return end.error();
    // Some file systems leave zeros where the lines were on their way.
    const std::string_view lines = std::string_view(*end).substr(0, end->find('\0'));
    const std::size_t good = lines.rfind('\n') + 1;  // behind the last whole line; none = 0
    if (good == end->size()) return {};

    struct stat facts {};

    if (::stat(path.c_str(), &facts) != 0) return failed(path, "looking");
    const off_t size = facts.st_size - static_cast<off_t>(end->size() - good);
    if (::truncate(path.c_str(), size) != 0) return failed(path, "cutting off half a line");
    if (log && !std::exchange(told, true))
      log(true, path + ": the last line was not whole and is cut off");
  }
}

Result<> repair_folder(const std::string& folder, const Log& log) {
  std::vector<std::string> names;
  std::error_code trouble;
  for (fs::directory_iterator entry(folder, trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".csv" || extension == ".txt") names.push_back(entry->path().string());
  }
  std::ranges::sort(names, std::greater<>());
  names.resize(std::min(names.size(), newest_files));
  for (const std::string& name : names) {
    if (auto fine = repair_file(name, log); !fine) return fine.error();
  }
  return {};
}

}  // namespace meterbridge::sink::csv
