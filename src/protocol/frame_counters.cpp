// SPDX-License-Identifier: MIT
#include "protocol/frame_counters.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

namespace meterbridge::protocol {
namespace {

// Bounds for what a hostile line can make us remember.
constexpr std::size_t most_meters = 16;
constexpr int reset_after = 3;

}  // namespace

bool FrameCounters::admit(std::string_view system_title, std::uint32_t counter,
                          std::string_view content) {
  const std::size_t hash = content.empty() ? 0 : std::hash<std::string_view>()(content);
  const auto known =
      std::find_if(counters_.begin(), counters_.end(),
                   [system_title](const Counter& c) { return c.system_title == system_title; });
  if (known == counters_.end()) {
    if (counters_.size() == most_meters) counters_.erase(counters_.begin());
    Counter& added = counters_.emplace_back();
    added.system_title = system_title;
    added.last = counter;
    added.content = hash;
    return true;
  }
  if (counter > known->last) {
    known->last = counter;
    known->lower_in_a_row = 0;
    known->stands_still = false;
    return true;
  }
  // Elgama G35: every telegram has the counter 0. The same content is a repetition all the same.
  if (counter == 0 && known->last == 0 && !content.empty()) {
    const bool other = hash != known->content;
    known->content = hash;
    known->stands_still = known->stands_still || other;
    return known->stands_still && other;
  }
  const bool grows = known->lower_in_a_row > 0 && counter > known->lower;
  known->lower_in_a_row = grows ? known->lower_in_a_row + 1 : 1;
  known->lower = counter;
  if (known->lower_in_a_row < reset_after) return false;
  known->last = counter;
  known->lower_in_a_row = 0;
  return true;
}

std::string FrameCounters::text() const {
  std::string text;
  for (const Counter& counter : counters_) {
    text += (text.empty() ? "" : " ") + to_hex_upper(to_bytes(counter.system_title)) + ":" +
            std::to_string(counter.last);
  }
  return text;
}

void FrameCounters::remember(std::string_view text) {
  while (!text.empty() && counters_.size() < most_meters) {
    const std::string_view one = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t colon = one.find(':');
    const auto title = from_hex(one.substr(0, colon));
    if (!title || colon == std::string_view::npos) continue;
    Counter counter;
    counter.system_title = to_text(*title);
    const std::string_view digits = one.substr(colon + 1);
    const char* const behind = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), behind, counter.last);
    if (error == std::errc() && end == behind) counters_.push_back(std::move(counter));
  }
}

}  // namespace meterbridge::protocol
