// SPDX-License-Identifier: MIT
// A text file line by line, compressed or not.
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::history {

// What is longer is no line of a table: files without line ends must not fill the memory.
inline constexpr std::size_t longest_line = 16'000'000;

class Lines {
 public:
  // Error: not_found or io, in words.
  static Result<Lines> open(const std::string& path);

  // The next line without its end; nothing at the end of the file. Valid until the next call.
  // Error: io (what was compressed is damaged), malformed (a line without end).
  Result<std::optional<std::string_view>> next();

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }  // of the last; from 1

 private:
  struct Close {
    void operator()(void* file) const noexcept;
  };

  Lines() = default;
  Result<bool> fill();

  std::string path_;
  std::unique_ptr<void, Close> file_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t number_ = 0;
};

// At most so many samples are in a file: each needs a line, or a bracket in a dump.
Result<std::uint64_t> most_samples(const std::string& path);

}  // namespace meterbridge::history
