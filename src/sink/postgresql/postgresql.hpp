// SPDX-License-Identifier: MIT
// PostgreSQL, TimescaleDB.
#pragma once

#include "sink/sink.hpp"

#include <string>

namespace meterbridge::sink::postgresql {

[[nodiscard]] Kind kind();
// "libpq 15.18"; empty where the program was built without it.
[[nodiscard]] std::string library_version();

}  // namespace meterbridge::sink::postgresql
