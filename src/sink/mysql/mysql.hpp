// SPDX-License-Identifier: MIT
// MySQL and MariaDB.
#pragma once

#include "sink/sink.hpp"

#include <string>

namespace meterbridge::sink::mysql {

[[nodiscard]] Kind kind();
// "libmariadb 3.3.19"; empty where the program was built without it.
[[nodiscard]] std::string library_version();

}  // namespace meterbridge::sink::mysql
