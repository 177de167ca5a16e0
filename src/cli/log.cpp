// SPDX-License-Identifier: MIT
#include "cli/log.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

namespace meterbridge::cli {

Result<> set_up_log(const std::optional<std::string>& level) {
  static constexpr std::array<std::pair<const char*, spdlog::level::level_enum>, 5> levels{{
      {"error", spdlog::level::err},
      {"warning", spdlog::level::warn},
      {"info", spdlog::level::info},
      {"debug", spdlog::level::debug},
      {"trace", spdlog::level::trace},
  }};
  const std::string wanted = level.value_or("info");
  for (const auto& [name, value] : levels) {
    if (wanted != name) continue;
    auto logger = std::make_shared<spdlog::logger>(
        "meterbridge", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    const bool journal =
        std::getenv("JOURNAL_STREAM") != nullptr || std::getenv("INVOCATION_ID") != nullptr;
    logger->set_pattern(journal ? "%^%l%$: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$: %v");
    logger->set_level(value);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    return {};
  }
  return Error(Errc::invalid,
               "--log-level \"" + wanted + "\" is none of error, warning, info, debug, trace");
}

}  // namespace meterbridge::cli
