// SPDX-License-Identifier: MIT
// Instants, local times of meters, and the only place that knows zones.
#pragma once

#include "core/result.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using Seconds = std::chrono::sys_seconds;
using Milliseconds = std::chrono::milliseconds;

// A local date and time as a meter shows it, zone unknown. Holds only valid calendar dates.
struct LocalTime {
  std::chrono::local_seconds at{};
  // Error: malformed for impossible dates (month 25, 30 February, hour 24).
  static Result<LocalTime> make(int year, int month, int day, int hour, int minute, int second);
};

enum class Season : std::uint8_t { winter, summer };  // the letters W and S of DSMR telegrams

// Offset of normal time from UTC plus one hour in summer: for telegrams that carry their own
// season.
[[nodiscard]] Seconds to_utc(const LocalTime& local, std::chrono::minutes normal_offset,
                             Season season) noexcept;
// By the process zone (TZ). Without a season the doubled hour means the later one that is not after
// `not_after` (pass nothing to get the first). Error: malformed for a time that the zone skips.
Result<Seconds> to_utc(const LocalTime& local, std::optional<Season> season = {},
                       std::optional<Seconds> not_after = {});
// The process zone's wall clock at an instant.
[[nodiscard]] LocalTime to_local(Seconds instant);

[[nodiscard]] std::string iso_utc(Seconds instant);           // 2023-07-24T13:07:30Z
[[nodiscard]] std::string iso_utc(Instant instant);           // 2026-11-20T18:30:00.000Z
[[nodiscard]] std::string iso_local(const LocalTime& local);  // 2023-07-24T15:07:30

// A time before this program was written is no time: a board without a battery after its start.
[[nodiscard]] bool clock_is_set(Instant now) noexcept;

// "500ms" "30s" "5m" "1h"; a bare number is refused. Error: invalid, in words.
Result<Milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string duration_text(
    Milliseconds duration);  // the shortest exact form: "90s", "5m"

// The clock of the house; a manual one in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override;
};

}  // namespace meterbridge
