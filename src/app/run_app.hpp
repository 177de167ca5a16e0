// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace meterbridge::app {

// The entry point of Home Assistant's app; docs/api.md and DOCS.md tell users about it. Blocks;
// the exit code. A level of the log that was asked for counts more than the app's option.
int run_app(const std::optional<std::string>& log_level);

}  // namespace meterbridge::app
