// SPDX-License-Identifier: MIT
#include "core/topic.hpp"

#include <algorithm>
#include <optional>

namespace meterbridge {
namespace {

constexpr std::string_view share = "$share/";

// Takes the first level off; nothing when there is none left.
std::optional<std::string_view> take_level(std::optional<std::string_view>& rest) noexcept {
  if (!rest) return std::nullopt;
  const std::size_t end = rest->find('/');
  const std::string_view level = rest->substr(0, end);
  rest = end == std::string_view::npos ? std::nullopt : std::optional(rest->substr(end + 1));
  return level;
}

}  // namespace

std::string_view filter_fault(std::string_view filter) noexcept {
  if (filter.starts_with(share) &&
      (share_group(filter).empty() || unshared(filter).empty() ||
       share_group(filter).find_first_of("+#") != std::string_view::npos))
    return "is no shared subscription: $share/GROUP/TOPIC";
  for (std::size_t begin = 0; begin <= filter.size();) {
    const std::size_t end = std::min(filter.find('/', begin), filter.size());
    const std::string_view level = filter.substr(begin, end - begin);
    if (level.size() > 1 && level.find_first_of("+#") != std::string_view::npos)
      return "has a wildcard that is not a whole level";
    if (level == "#" && end != filter.size()) return "has a # that is not at its end";
    begin = end + 1;
  }
  return {};
}

std::string_view share_group(std::string_view filter) noexcept {
  if (!filter.starts_with(share)) return {};
  filter.remove_prefix(share.size());
  return filter.substr(0, filter.find('/'));
}

std::string_view unshared(std::string_view filter) noexcept {
  const std::size_t group = share_group(filter).size();
  return group == 0 ? filter : filter.substr(std::min(share.size() + group + 1, filter.size()));
}

bool topic_matches(std::string_view filter, std::string_view topic) noexcept {
  if (topic.starts_with('$') && !filter.starts_with('$')) return false;
  return filters_overlap(filter, topic);
}

bool filters_overlap(std::string_view a, std::string_view b) noexcept {
  std::optional<std::string_view> left = a;
  std::optional<std::string_view> right = b;
  for (;;) {
    const auto x = take_level(left);
    const auto y = take_level(right);
    // "a/#" is "a", too.
    if ((x && *x == "#") || (y && *y == "#")) return true;
    if (!x || !y) return !x && !y;
    if (*x != *y && *x != "+" && *y != "+") return false;
  }
}

}  // namespace meterbridge
