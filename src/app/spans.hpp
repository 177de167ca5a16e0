// SPDX-License-Identifier: MIT
// Sets of numbers as few spans.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>

namespace meterbridge::app {

// From behind `after` up to and including `last`.
struct Span {
  std::uint64_t after = 0;
  std::uint64_t last = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

inline std::string numbers_text(const Span& gap) {
  return "numbers " + std::to_string(gap.after + 1) + " to " + std::to_string(gap.last);
}

class Spans {
 public:
  void add(Span span) {
    if (span.last <= span.after) return;
    auto at = spans_.upper_bound(span.after);
    if (at != spans_.begin() && std::prev(at)->second >= span.after) --at;
    while (at != spans_.end() && at->first <= span.last) {
      span.after = std::min(span.after, at->first);
      span.last = std::max(span.last, at->second);
      at = spans_.erase(at);
    }
    spans_.emplace(span.after, span.last);
  }

  [[nodiscard]] bool holds(std::uint64_t number) const {
    const auto behind = spans_.lower_bound(number);
    return behind != spans_.begin() && std::prev(behind)->second >= number;
  }

  // All from the first span on, without a gap; 0 = nothing.
  [[nodiscard]] std::uint64_t complete() const {
    return spans_.empty() ? 0 : spans_.begin()->second;
  }

  [[nodiscard]] std::uint64_t highest() const {
    return spans_.empty() ? 0 : spans_.rbegin()->second;
  }

  [[nodiscard]] const std::map<std::uint64_t, std::uint64_t>& all() const noexcept {
    return spans_;
  }

  void clear() { spans_.clear(); }

 private:
  std::map<std::uint64_t, std::uint64_t> spans_;  // after -> last; apart from one another
};

}  // namespace meterbridge::app
