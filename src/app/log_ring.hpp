// SPDX-License-Identifier: MIT
// The last lines of the log, for the page.
#pragma once

#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

namespace meterbridge::app {

// From any thread. Bounded in lines and bytes.
class LogRing {
 public:
  static constexpr std::size_t most_lines = 500;
  static constexpr std::size_t most_bytes = std::size_t{96} * 1024;
  static constexpr std::size_t longest_line = 1000;

  void add(Instant time, std::string_view level, std::string_view text);
  [[nodiscard]] std::vector<http::LogLine> after(std::uint64_t number) const;

 private:
  mutable std::mutex mutex_;
  std::deque<http::LogLine> lines_;
  std::uint64_t number_ = 0;
  std::size_t bytes_ = 0;
};

// That of the process, fed by its log once it is attached, which is before there are threads.
[[nodiscard]] LogRing& log_ring();
void attach_log_ring();

}  // namespace meterbridge::app
