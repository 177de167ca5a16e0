// SPDX-License-Identifier: MIT
// What is used at a desk and not beside a meter: meters that are simulated on a link, explanations
// of bytes, bundles and their replay, Home Assistant's statistics. METERBRIDGE_TOOLS=OFF leaves
// it out of the program. Responders stay: scan and doctor compare with what they say.
#pragma once

#include <string_view>

namespace meterbridge {

#ifdef METERBRIDGE_WITHOUT_TOOLS
inline constexpr bool has_tools = false;
#else
inline constexpr bool has_tools = true;
#endif

inline constexpr std::string_view tools_option = "METERBRIDGE_TOOLS";

// For entries of a table: null in a program without. Nothing else names the function, and the
// linker leaves it out with all that only it needs.
template <typename F>
consteval F* with_tools(F* function) {
  return has_tools ? function : nullptr;
}

}  // namespace meterbridge
