// SPDX-License-Identifier: MIT
#pragma once

#include "sink/sink.hpp"

namespace meterbridge::sink::csv {

[[nodiscard]] Kind kind();

}  // namespace meterbridge::sink::csv
