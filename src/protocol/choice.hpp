// SPDX-License-Identifier: MIT
// A setting that is one of several words, as the number of that word: enumerations follow their
// tables.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace meterbridge::protocol {

// 0 for a word that is not there: settings were checked before.
template <std::size_t N>
[[nodiscard]] std::size_t index_in(const std::array<std::string_view, N>& names,
                                   const std::string& name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? 0 : static_cast<std::size_t>(at - names.begin());
}

}  // namespace meterbridge::protocol
