// SPDX-License-Identifier: MIT
#pragma once

#include "http/status.hpp"

#include <string>

namespace meterbridge::http {

// The text format of Prometheus, version 0.0.4. docs/monitoring.md names every metric.
[[nodiscard]] std::string metrics_text(const Status& status);

}  // namespace meterbridge::http
