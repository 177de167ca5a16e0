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

// What a program that tells of several meters publishes: nothing for documents with fields.
[[nodiscard]] std::vector<Post> sender_posts(const Options& options, const MeterFace& face);

}  // namespace meterbridge::protocol::json
