// SPDX-License-Identifier: MIT
#pragma once

#include "app/plan.hpp"
#include "cli/command.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::cli {

// Loads the configuration file of the arguments. Prints every problem to stderr as
// file:line:column; nothing when there is an error.
std::optional<app::House> load_house(const Arguments& arguments);

// The configured meter that an id belongs to: itself, or its sub-meter `<id>_<name>`. The longest
// wins, because "house_2" may be a meter beside "house". Empty when there is none.
std::string owner_of(const app::House& house, std::string_view id);

// "no meter X in the configuration", and what may be meant; empty when there is one, or
// X is a sub-meter of one, where those count.
std::optional<std::string> unknown_meter(const config::Settings& settings, std::string_view id,
                                         bool submeters);

inline constexpr Option config_option{
    "--config", "-c", "FILE",
    "the configuration; default /etc/meterbridge/meterbridge.yaml, then ./meterbridge.yaml"};

}  // namespace meterbridge::cli
