// SPDX-License-Identifier: MIT
#pragma once

#include "http/status.hpp"

#include <span>
#include <string>

namespace meterbridge {
class JsonWriter;
}

namespace meterbridge::http {

// docs/api.md names every member. Values are text with the meter's digits; what is absent is null.
[[nodiscard]] std::string status_json(const Status& status);
// One meter of it, and what it did not send.
[[nodiscard]] std::string meter_json(const MeterStatus& meter,
                                     std::span<const UnseenStatus> unseen);
// The same without what changes by itself: what is left has changed when this has.
[[nodiscard]] std::string fingerprint(const Status& status);
[[nodiscard]] std::string log_json(std::span<const LogLine> lines);  // {"lines": [...]}
[[nodiscard]] std::string line_json(const LogLine& line);
// As a member "problems" of the object that is open.
void write_problems(JsonWriter& json, std::span<const ProblemStatus> problems);

}  // namespace meterbridge::http
