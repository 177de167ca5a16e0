// SPDX-License-Identifier: MIT
#include "sink/csv/archive.hpp"

#include "io/state_file.hpp"
#include "sink/csv/layout.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include <unistd.h>
#include <zlib.h>

namespace meterbridge::sink::csv {

namespace fs = std::filesystem;

namespace {

// A meter's clock may be late, and a sample may have waited: a day is not over at midnight.
constexpr auto patience = std::chrono::hours(1);

std::string stem_at(std::chrono::system_clock::time_point moment, Layout layout) {
  const auto second = std::chrono::floor<std::chrono::seconds>(moment);
  return iso_local(to_local(second)).substr(0, layout == Layout::monthly ? 7 : 10);
}

// "####-##" or "####-##-##" at the front.
bool begins_like(std::string_view name, std::string_view pattern) {
  return name.size() >= pattern.size() &&
         std::equal(pattern.begin(), pattern.end(), name.begin(), [](char wanted, char c) {
           return wanted == '#' ? c >= '0' && c <= '9' : c == wanted;
         });
}

std::vector<std::string> folders_of(const Options& options) {
  if (options.layout == Layout::okosmero) return {options.directory};
  std::vector<std::string> folders;
  std::error_code trouble;
  for (fs::directory_iterator entry(options.directory, trouble), end; !trouble && entry != end;
       entry.increment(trouble)) {
    if (entry->is_directory(trouble)) folders.push_back(entry->path().string());
  }
  return folders;
}

}  // namespace

std::optional<std::string> stem_of(std::string_view name, Layout layout) {
  const std::string_view pattern = layout == Layout::monthly ? "####-##" : "####-##-##";
  if (!begins_like(name, pattern)) return std::nullopt;
  std::string_view rest = name.substr(pattern.size());
  if (rest.starts_with('-')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    // "2026-11-20.csv" is no file of the month 2026-11.
    if (end == 1 || (layout == Layout::monthly && end == 3)) return std::nullopt;
    rest.remove_prefix(end);
  }
  if (rest.ends_with(".gz")) rest.remove_suffix(3);
  const bool ours = rest == ".csv" || (layout == Layout::okosmero && rest == ".txt");
  if (!ours) return std::nullopt;
  return std::string(name.substr(0, pattern.size()));
}

Result<> compress(const std::string& path) {
  const std::string fresh = path + ".gz.new";
  std::ifstream source(path, std::ios::binary);
  const gzFile target = ::gzopen(fresh.c_str(), "wbe");
  const auto failed = [&](std::string_view what) {
    ::unlink(fresh.c_str());
    return Error(Errc::io, path + ": compressing: " + std::string(what));
  };
  if (!source || target == nullptr) {
    if (target != nullptr) (void)::gzclose(target);
    return failed("cannot be opened");
  }
  std::array<char, 16384> block{};
  bool good = true;
  while (good && source) {
    source.read(block.data(), block.size());
    const auto count = static_cast<unsigned>(source.gcount());
    good = count == 0 || ::gzwrite(target, block.data(), count) == static_cast<int>(count);
  }
  good = !source.bad() && good;
  if (::gzclose(target) != Z_OK || !good) return failed("the disk did not take it");
  std::error_code trouble;
  fs::permissions(fresh, fs::perms(0640), trouble);
  if (auto synced = io::sync_file(fresh, false); !synced) return failed(synced.error().detail());
  fs::rename(fresh, path + ".gz", trouble);
  if (trouble) return failed(trouble.message());
  if (auto synced = io::sync_file(path + ".gz", true); !synced) return synced.error();
  fs::remove(path, trouble);
  return {};
}

Result<> for_each_line(const std::string& path, const std::function<void(std::string_view)>& take) {
  const gzFile source = ::gzopen(path.c_str(), "rbe");
  if (source == nullptr) return Error(Errc::io, path + ": cannot be opened");
  std::array<char, 16384> block{};
  std::string rest;
  int count = 0;
  while ((count = ::gzread(source, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    rest.append(block.data(), static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (std::size_t end = 0; (end = rest.find('\n', at)) != std::string::npos; at = end + 1)
      take(std::string_view(rest).substr(at, end - at));
    rest.erase(0, at);
  }
  const bool whole = ::gzclose(source) == Z_OK && count == 0;
  return whole ? Result<>() : Result<>(Error(Errc::io, path + ": cannot be read to its end"));
}

void tidy(const Options& options, const std::set<std::string>& open,
          const std::function<void(bool warning, const std::string&)>& log) {
  if (!options.gzip && options.keep == Milliseconds::zero()) return;
  const auto now = std::chrono::system_clock::now();
  if (!clock_is_set(std::chrono::floor<Milliseconds>(now))) return;
  const std::string current = stem_at(now - patience, options.layout);
  const std::string oldest = options.keep == Milliseconds::zero()
                                 ? std::string()
                                 : stem_at(now - options.keep, options.layout);
  for (const std::string& folder : folders_of(options)) {
    std::vector<fs::path> files;
    std::error_code trouble;
    for (fs::directory_iterator entry(folder, trouble), end; !trouble && entry != end;
         entry.increment(trouble))
      files.push_back(entry->path());
    for (const fs::path& file : files) {
      const std::string name = file.filename().string();
      const auto stem = stem_of(name, options.layout);
      if (!stem || *stem >= current || open.contains(file.string())) continue;
      if (*stem < oldest) {
        fs::remove(file, trouble);
        if (log) log(false, file.string() + " is deleted, as `keep` wants");
      } else if (options.gzip && !name.ends_with(".gz")) {
        if (const auto done = compress(file.string()); !done && log)
          log(true, done.error().detail());
      }
    }
  }
}

}  // namespace meterbridge::sink::csv
