// SPDX-License-Identifier: MIT
#pragma once

#include "core/bytes.hpp"
#include "protocol/telegram.hpp"

#include <string>

namespace meterbridge::cli {

// A table of all numbers that the registers of a Modbus answer can mean, in each word order beside
// each other (P20); empty where the answer has no registers.
[[nodiscard]] std::string meanings_text(const protocol::Decoded& decoded);
// The same of bytes that are registers and no frame. Error: malformed, for an odd or too large
// number of bytes.
Result<std::string> meanings_text(ByteView registers);

}  // namespace meterbridge::cli
