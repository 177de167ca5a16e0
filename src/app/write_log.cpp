// SPDX-License-Identifier: MIT
#include "app/write_log.hpp"

#include <spdlog/spdlog.h>

namespace meterbridge::app {

void write_log(bool warning, const std::string& line) {
  spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", line);
}

}  // namespace meterbridge::app
