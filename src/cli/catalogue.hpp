// SPDX-License-Identifier: MIT
// Profiles for commands that need no configuration.
#pragma once

#include "cli/command.hpp"
#include "meter/profile_library.hpp"

#include <string>
#include <string_view>

namespace meterbridge::cli {

// The shipped profiles and the user's own, which lie beside the configuration. What is wrong with
// one of them is told on stderr; it is left out. For who wants `only` one of them, which need not
// exist, the shipped ones are not all read.
meter::ProfileLibrary load_library(const Arguments& arguments, std::string_view only = {});
// By name, or by the path of a file (NAME.yaml), which is then part of the library. Error:
// not_found with the nearest name; invalid with file, line and column.
Result<const meter::Profile*> choose_profile(meter::ProfileLibrary& library,
                                             const std::string& name);

}  // namespace meterbridge::cli
