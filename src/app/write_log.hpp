// SPDX-License-Identifier: MIT
// The program's log, for layers that know none: they get this as their `log`.
#pragma once

#include <string>

namespace meterbridge::app {

void write_log(bool warning, const std::string& line);

}  // namespace meterbridge::app
