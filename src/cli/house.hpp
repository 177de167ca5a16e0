// SPDX-License-Identifier: MIT
#pragma once

#include "app/plan.hpp"
#include "cli/command.hpp"

#include <optional>

namespace meterbridge::cli {

// Loads the configuration file of the arguments. Prints every problem to stderr as
// file:line:column; nothing when there is an error.
std::optional<app::House> load_house(const Arguments& arguments);

inline constexpr Option config_option{
    "--config", "-c", "FILE",
    "the configuration; default /etc/meterbridge/meterbridge.yaml, then ./meterbridge.yaml"};

}  // namespace meterbridge::cli
