// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.hpp"

#include <optional>
#include <string>

namespace meterbridge::cli {

// The log goes to stderr; without time stamps where a service manager adds its own (INVOCATION_ID,
// JOURNAL_STREAM). Error: invalid, with the levels that exist.
Result<> set_up_log(const std::optional<std::string>& level);

}  // namespace meterbridge::cli
