// SPDX-License-Identifier: MIT
// Graphite: carbon, and what takes its plaintext protocol.
#pragma once

#include "sink/sink.hpp"

namespace meterbridge::sink::graphite {

[[nodiscard]] Kind kind();

}  // namespace meterbridge::sink::graphite
