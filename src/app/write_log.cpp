// SPDX-License-Identifier: MIT
#include "app/write_log.hpp"

#include "app/log.hpp"

namespace meterbridge::app {

void write_log(bool warning, const std::string& line) {
  log::at(warning ? log::Level::warn : log::Level::info, "{}", line);
}

}  // namespace meterbridge::app
