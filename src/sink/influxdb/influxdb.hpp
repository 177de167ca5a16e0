// SPDX-License-Identifier: MIT
#pragma once

#include "sink/sink.hpp"

namespace meterbridge::sink::influxdb {

[[nodiscard]] Kind kind();

}  // namespace meterbridge::sink::influxdb
