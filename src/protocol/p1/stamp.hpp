// SPDX-License-Identifier: MIT
// Time stamps of P1 telegrams: YYMMDDhhmmssX, X = W (normal time) or S (summer time).
#pragma once

#include "core/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::p1 {

// normal_offset: of the country's normal time, 1 h for Central Europe. Years 70 to 99 are of the
// last century (a meter without clock says 1970). Nothing for impossible stamps.
[[nodiscard]] std::optional<Seconds> parse_stamp(std::string_view text,
                                                 std::chrono::minutes normal_offset);
// Twelve digits without season (DSMR 2.2 and 3.0, AM550 in Slovenia): the European Union's rule
// decides; the doubled hour is taken as its first occurrence.
[[nodiscard]] std::optional<Seconds> parse_stamp_without_season(std::string_view text,
                                                                std::chrono::minutes normal_offset);
[[nodiscard]] std::string stamp_text(Seconds instant, std::chrono::minutes normal_offset);
// Has the form of a stamp, possible or not.
[[nodiscard]] bool looks_like_stamp(std::string_view text) noexcept;

}  // namespace meterbridge::protocol::p1
