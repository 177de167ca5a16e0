// SPDX-License-Identifier: MIT
// A source of documents that is not there: fills the fields of its profile from the simulated
// house.
#pragma once

#include "protocol/json/decode.hpp"
#include "protocol/responder.hpp"

#include <memory>

namespace meterbridge::protocol::json {

// Error: invalid, when nothing of the fields can be shown.
Result<std::unique_ptr<Responder>> make_json_responder(Options options);

}  // namespace meterbridge::protocol::json
