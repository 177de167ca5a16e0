// SPDX-License-Identifier: MIT
// Time stamps as other programs write them into files.
#pragma once

#include "core/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::history {

// A stamp taken apart: with a zone of its own (`at`), or a wall clock.
struct Stamp {
  Stamp() = default;
  std::optional<Instant> at;
  LocalTime local;
  Milliseconds fraction{};
};

// "2026-11-20T13:00:00.000Z", "2026-11-20 13:00:00+01:00", "20.11.2026 13:00:00", and digits alone:
// seconds, milliseconds, microseconds or nanoseconds since 1970 by their number. Fractions of a
// millisecond are cut. Error: malformed, in words.
Result<Stamp> parse_stamp(std::string_view text);

// Wall clocks of one file, one after the other. The hour that comes twice in autumn: the first
// time, until a meter's clock goes back.
class WallClock {
 public:
  // Error: malformed for a time that the zone skips.
  Result<Instant> instant_of(const Stamp& stamp, std::optional<Season> season,
                             const std::string& meter);

 private:
  std::map<std::string, Seconds, std::less<>> last_;
};

}  // namespace meterbridge::history
