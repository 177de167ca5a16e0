// SPDX-License-Identifier: MIT
#include "app/log.hpp"

#include <array>

#include <spdlog/spdlog.h>

namespace meterbridge::app::log {

namespace {

constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                            spdlog::level::err, spdlog::level::critical};

}  // namespace

void write(Level level, fmt::string_view text, fmt::format_args arguments) {
  spdlog::logger* const logger = spdlog::default_logger_raw();
  const auto known = levels.at(static_cast<std::size_t>(level));
  if (logger->should_log(known))
    logger->log(known, spdlog::string_view_t(fmt::vformat(text, arguments)));
}

}  // namespace meterbridge::app::log
