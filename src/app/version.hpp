// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace meterbridge::app {

inline constexpr std::string_view version = METERBRIDGE_VERSION;
#ifdef NDEBUG
inline constexpr std::string_view build_type = "release";
#else
inline constexpr std::string_view build_type = "debug";
#endif
inline constexpr const char* compiler =
#ifdef __clang__
    "clang " __clang_version__;
#else
    "gcc " __VERSION__;
#endif

}  // namespace meterbridge::app
