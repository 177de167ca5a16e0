// SPDX-License-Identifier: MIT
// What a decoder found, for people.
#pragma once

#include "protocol/telegram.hpp"

#include <string>

namespace meterbridge::cli {

// Status and place, then a table of the items as sent, then one of the readings.
[[nodiscard]] std::string decoded_text(const protocol::Decoded& decoded);

}  // namespace meterbridge::cli
