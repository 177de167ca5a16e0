// SPDX-License-Identifier: MIT
// The app without a usable configuration: its page, and nothing else, until there is one.
#pragma once

#include "app/service.hpp"

#include <optional>

namespace meterbridge::app {

// Blocks until the file is valid and has a meter (what it is then), or until SIGTERM or SIGINT
// (nothing).
std::optional<Loaded> wait_for_configuration(const ConfigurationFile& file,
                                             const http::ServerOptions& pages, Loaded first);

}  // namespace meterbridge::app
