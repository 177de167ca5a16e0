// SPDX-License-Identifier: MIT
#include "app/configuration_file.hpp"

#include "app/log.hpp"
#include "app/sink_plan.hpp"
#include "config/document.hpp"
#include "io/state_file.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::app {
namespace {

constexpr std::string_view no_file = "none";

// Empty when the library refuses, which no If-Match is equal to.
std::string hash_of(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), sum.data(), &length, EVP_sha256(), nullptr) != 1)
    return {};
  std::string hash;
  for (unsigned i = 0; i < length; ++i) {
    hash += digits[sum[i] >> 4U];
    hash += digits[sum[i] & 0x0FU];
  }
  return hash;
}

std::string stamp_of(const std::string& path) {
  struct stat now {};

  if (::stat(path.c_str(), &now) != 0) return "-";
  return std::to_string(now.st_mtim.tv_sec) + "." + std::to_string(now.st_mtim.tv_nsec) + "/" +
         std::to_string(now.st_size) + "/" + std::to_string(now.st_ino);
}

// What is wrong with another file (secrets.yaml, a profile) is told with its name.
http::ProblemStatus row_of(const config::Problem& problem, const std::string& file) {
  http::ProblemStatus row;
  row.error = problem.severity == config::Severity::error;
  row.path = problem.path;
  row.message = problem.text;
  if (problem.place.file == file || problem.place.file.empty()) {
    row.line = problem.place.line;
    row.column = problem.place.column;
  } else {
    row.message =
        problem.place.file + ":" + std::to_string(problem.place.line) + ": " + row.message;
  }
  return row;
}

http::Verdict verdict_of(const config::Problems& problems, const config::Settings& settings,
                         const std::string& file) {
  http::Verdict verdict;
  for (const config::Problem& problem : problems.all())
    verdict.problems.push_back(row_of(problem, file));
  if (problems.any_error()) {
    verdict.state = http::Validity::invalid;
  } else if (settings.meters.empty() && settings.bridges.empty()) {
    verdict.state = http::Validity::empty;
  }
  return verdict;
}

void log_problem(const config::Problem& problem) {
  if (problem.severity == config::Severity::error) {
    log::error("{}", problem.str());
  } else {
    log::warn("{}", problem.str());
  }
}

// Where the file is a link, the file itself is written.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(::realpath(path.c_str(), nullptr),
                                                          &std::free);
  return found ? std::string(found.get()) : path;
}

// The generation before stays as it was, under a second name.
Result<> replace(const std::string& path, const std::string& text) {
  struct stat before {};

  const bool there = ::stat(path.c_str(), &before) == 0;
  const std::string previous = path + ".previous";
  if (there) {
    (void)::unlink(previous.c_str());
    if (::link(path.c_str(), previous.c_str()) != 0) {
      // A file system without links; then a copy.
      auto old = io::read_whole(path);
      if (!old) return old.error();
      if (auto kept = io::write_atomically(previous, *old); !kept) return kept;
    }
  }
  const auto mode = there ? before.st_mode & 0777U : 0640U;
  return io::write_atomically(path, text, mode);
}

}  // namespace

std::string ConfigurationFile::stamp() const {
  const auto secrets = std::filesystem::path(path_).parent_path() / "secrets.yaml";
  return stamp_of(path_) + " " + stamp_of(secrets.string());
}

Loaded ConfigurationFile::load() const {
  Loaded loaded;
  std::error_code failed;
  const auto type = std::filesystem::status(path_, failed).type();
  loaded.stamp = stamp();
  config::Problems problems;
  auto configuration = load_configuration(path_, problems);
  for (const config::Problem& problem : problems.all())
    log_problem(problem);
  loaded.verdict = verdict_of(problems, configuration.settings, path_);
  if (type == std::filesystem::file_type::not_found) loaded.verdict.state = http::Validity::missing;
  if (problems.any_error()) return loaded;
  auto house = build_house(std::move(configuration));
  if (house) {
    loaded.house = std::move(*house);
  } else {
    log::error("{}: {}", path_, house.error().detail());
    loaded.verdict.state = http::Validity::invalid;
    loaded.verdict.problems.emplace_back().message = house.error().detail();
  }
  return loaded;
}

Result<http::Document> ConfigurationFile::document() const {
  http::Document document;
  document.path = path_;
  auto text = io::read_whole(path_);
  if (!text && text.error().code() != Errc::not_found) return text.error();
  document.hash = text ? hash_of(*text) : std::string(no_file);
  if (text) document.text = *std::move(text);
  return document;
}

http::Verdict ConfigurationFile::check(const std::string& text) const {
  config::Problems problems;
  const auto configuration = parse_configuration(text, path_, problems);
  return verdict_of(problems, configuration.settings, path_);
}

http::Taken ConfigurationFile::write(const std::string& text, const std::string& hash) const {
  const auto now = document();
  if (!now) return {http::Outcome::failed, now.error().detail()};
  if (now->hash != hash)
    return {http::Outcome::stale, "the file was changed meanwhile: read it again"};
  http::Verdict verdict = check(text);
  http::Taken taken;
  taken.problems = std::move(verdict.problems);
  if (verdict.state == http::Validity::invalid) {
    taken.outcome = http::Outcome::invalid;
    taken.text = "nothing was written: the text has errors";
    return taken;
  }
  if (auto written = replace(real_path(path_), text); !written)
    return {http::Outcome::failed, written.error().detail()};
  taken.hash = hash_of(text);
  return taken;
}

}  // namespace meterbridge::app
