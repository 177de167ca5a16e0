// SPDX-License-Identifier: MIT
// Time stamps as firmwares write them.
#pragma once

#include "core/time.hpp"
#include "protocol/json/fields.hpp"

#include <optional>
#include <string_view>

namespace meterbridge::protocol::json {

// Nothing for what is no time in this format, or no possible one.
[[nodiscard]] std::optional<Seconds> parse_moment(Format format, std::string_view text);
// The same the other way round, for meters that are not there; empty for formats that are no time.
[[nodiscard]] std::string moment_text(Format format, Seconds moment);

}  // namespace meterbridge::protocol::json
