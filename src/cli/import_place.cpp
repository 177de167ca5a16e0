// SPDX-License-Identifier: MIT
#include "cli/import_place.hpp"

#include "app/claim.hpp"
#include "cli/house.hpp"
#include "config/reader.hpp"
#include "core/text.hpp"
#include "history/lines.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::cli {

namespace fs = std::filesystem;

namespace {

bool looks_like_table(const fs::path& path) {
  std::string name = lower(path.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name.ends_with(".csv");
}

}  // namespace

Result<std::vector<std::string>> files_of(std::span<const std::string> words) {
  std::vector<std::string> files;
  for (const std::string& word : words) {
    std::error_code failed;
    if (fs::exists(word, failed) && !fs::is_directory(word, failed) &&
        !fs::is_regular_file(word, failed))
      return Error(Errc::unsupported,
                   word + " is no file; what a pipe brings is read twice: write it to one first");
    if (!fs::is_directory(word, failed)) {
      files.push_back(word);
      continue;
    }
    const std::size_t before = files.size();
    for (auto it = fs::recursive_directory_iterator(word, failed);
         !failed && it != fs::recursive_directory_iterator(); it.increment(failed)) {
      if (it->is_regular_file(failed) && looks_like_table(it->path()))
        files.push_back(it->path().string());
    }
    if (failed) return Error(Errc::io, word + ": " + failed.message());
    if (files.size() == before)
      return Error(Errc::not_found, word + ": there is no .csv and no .csv.gz in it");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

Result<std::uint64_t> most_samples_of(std::vector<std::string>& files) {
  std::uint64_t most = 0;
  std::vector<std::string> whole;
  for (std::string& file : files) {
    const auto found = history::most_samples(file);
    if (!found && found.error().code() == Errc::not_found) return found.error();
    if (!found) {
      complain("meterbridge journal: " + found.error().detail() + "; nothing of it is taken");
      continue;
    }
    most += *found;
    whole.push_back(std::move(file));
  }
  files = std::move(whole);
  return most;
}

std::string wrong_id(const std::string& id, const config::Settings* settings, bool fresh) {
  const std::string fault = config::identity_fault(id);
  if (!fault.empty()) return "the id \"" + sanitised(id, 80) + "\" " + fault;
  if (fresh || settings == nullptr || settings->meters.empty()) return {};
  const auto unknown = unknown_meter(*settings, id, true);
  return unknown ? *unknown + " (--new-meter takes the samples of one that is not configured)"
                 : std::string();
}

Result<> use_zone(const std::string& zone) {
  std::error_code failed;
  const bool known = zone.find("..") == std::string::npos &&
                     fs::is_regular_file("/usr/share/zoneinfo/" + zone, failed);
  // "CET-1CEST,M3.5.0,M10.5.0/3", where there are no files of zones.
  const std::size_t letters =
      zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  const bool posix = letters != std::string::npos && letters >= 3 &&
                     std::string_view("+-0123456789").find(zone[letters]) != std::string_view::npos;
  if (!known && !posix)
    return Error(Errc::invalid, "--zone: \"" + zone + "\" is no zone (write Europe/Vienna, say)");
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
  return {};
}

std::string owner_fault(const std::string& path) {
  struct stat facts {};

  const std::string folder = fs::path(path).parent_path().string();
  if (::geteuid() != 0 || ::stat(folder.empty() ? "." : folder.c_str(), &facts) != 0) return {};
  if (facts.st_uid == 0) return {};
  return folder +
         " belongs to another user, for whom the service runs: become that one first (sudo -u)";
}

std::unique_ptr<io::Descriptor> claim_journal(const std::string& path,
                                              const config::Settings* settings,
                                              std::optional<Error>& refused) {
  config::Settings named;
  if (settings == nullptr) {
    constexpr std::string_view tail = ".journal.db";
    const fs::path file(path);
    const std::string name = file.filename().string();
    if (!name.ends_with(tail)) return nullptr;
    named.state_directory = file.parent_path().empty() ? "." : file.parent_path().string();
    named.instance = name.substr(0, name.size() - tail.size());
    settings = &named;
  }
  auto claimed = app::claim_instance(*settings);
  if (claimed) return std::move(*claimed);
  refused = claimed.error();
  return nullptr;
}

}  // namespace meterbridge::cli
