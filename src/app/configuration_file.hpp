// SPDX-License-Identifier: MIT
// The configuration file as it is looked at, checked and written while the program runs.
#pragma once

#include "app/plan.hpp"
#include "http/desk.hpp"

#include <optional>
#include <string>

namespace meterbridge::app {

// What came of reading the file.
struct Loaded {
  Loaded() = default;
  http::Verdict verdict;
  std::optional<House> house;  // nothing: it is not valid
  std::string stamp;           // of the file that was read
};

class ConfigurationFile {
 public:
  explicit ConfigurationFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Changes whenever the file, or secrets.yaml beside it, is written.
  [[nodiscard]] std::string stamp() const;
  // Every problem goes to the log, too.
  [[nodiscard]] Loaded load() const;
  [[nodiscard]] Result<http::Document> document() const;
  [[nodiscard]] http::Verdict check(const std::string& text) const;
  // Whole or not at all, with the mode that it had; what was there stays beside it as *.previous.
  // Nothing is written when the text has errors, or the file is not the one with this hash.
  [[nodiscard]] http::Taken write(const std::string& text, const std::string& hash) const;

 private:
  std::string path_;
};

}  // namespace meterbridge::app
