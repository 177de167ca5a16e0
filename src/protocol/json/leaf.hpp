// SPDX-License-Identifier: MIT
// What another meterbridge (a leaf) says of a sample, on <base>/<meter>/sample.
#pragma once

#include "protocol/json/decode.hpp"

#include <span>
#include <string_view>

namespace meterbridge::protocol::json {

// A sample, or the word that there is none between two numbers: then without readings. The
// sub-meter is "<instance>_<meter>" of the leaf. Error: malformed, unsupported.
Result<Understood> understand_leaf(std::span<const Leaf> leaves, std::string_view topic);

}  // namespace meterbridge::protocol::json
