// SPDX-License-Identifier: MIT
// Lines for the program's log, put together by the code that libfmt shares. spdlog's own functions
// are templates that bring all of it into the program once more: 40 kB, which a router has not.
#pragma once

#include <spdlog/fmt/fmt.h>

namespace meterbridge::app::log {

enum class Level { debug, info, warn, error, critical };

void write(Level level, fmt::string_view text, fmt::format_args arguments);

// Texts are compared with their arguments by the compiler.
template <typename... Args>
void at(Level level, fmt::format_string<Args...> text, Args&&... args) {
  write(level, text, fmt::make_format_args(args...));
}

template <typename... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::debug, text, fmt::make_format_args(args...));
}

template <typename... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::info, text, fmt::make_format_args(args...));
}

template <typename... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::warn, text, fmt::make_format_args(args...));
}

template <typename... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::error, text, fmt::make_format_args(args...));
}

template <typename... Args>
void critical(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::critical, text, fmt::make_format_args(args...));
}

}  // namespace meterbridge::app::log
