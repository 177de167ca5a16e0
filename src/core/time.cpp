// SPDX-License-Identifier: MIT
#include "core/time.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <vector>

namespace meterbridge {
namespace {

namespace chrono = std::chrono;

Error impossible() {
  return {Errc::malformed, "the meter's date or time does not exist"};
}

// Without the locale machinery, and the same on every system.
void append_number(std::string& out, long number, std::size_t width) {
  std::array<char, 20> digits{};
  const auto printed = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  const auto size = static_cast<std::size_t>(printed.ptr - digits.data());
  if (size < width) out.append(width - size, '0');
  out.append(digits.data(), size);
}

std::string iso(chrono::local_seconds at) {
  const auto day = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(at - day);
  std::string out;
  out.reserve(sizeof "2026-11-20T18:30:00.000Z");
  append_number(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_number(out, static_cast<long>(static_cast<unsigned>(date.month())), 2);
  out += '-';
  append_number(out, static_cast<long>(static_cast<unsigned>(date.day())), 2);
  out += 'T';
  append_number(out, static_cast<long>(clock.hours().count()), 2);
  out += ':';
  append_number(out, static_cast<long>(clock.minutes().count()), 2);
  out += ':';
  append_number(out, static_cast<long>(clock.seconds().count()), 2);
  return out;
}

struct Wall {
  chrono::local_seconds at{};
  bool summer = false;
};

// The process zone's clock, as far as the C library knows it.
Wall wall_at(Seconds instant) {
  const std::int64_t count = instant.time_since_epoch().count();
  const auto seconds = static_cast<std::time_t>(count);
  std::tm parts{};
  // A time_t of 32 bits (a C library from before 2021) ends in 2038: UTC then, and no other year.
  if (seconds != count || localtime_r(&seconds, &parts) == nullptr)
    return {chrono::local_seconds(instant.time_since_epoch()), false};
  const chrono::year_month_day date(chrono::year(parts.tm_year + 1900),
                                    chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                    chrono::day(static_cast<unsigned>(parts.tm_mday)));
  const chrono::local_seconds at = chrono::local_days(date) + chrono::hours(parts.tm_hour) +
                                   chrono::minutes(parts.tm_min) + chrono::seconds(parts.tm_sec);
  return {at, parts.tm_isdst > 0};
}

struct Candidate {
  Seconds instant{};
  bool summer = false;
};

// Every instant at which the clock of the house shows `local`, in order: one as a rule, two in the
// doubled hour, none in the skipped one. mktime() is not asked, because it silently moves times
// that do not exist, and with a wrong tm_isdst also those that do; the offsets in force around the
// time are tried instead.
std::vector<Candidate> candidates(chrono::local_seconds local) {
  const Seconds as_utc(local.time_since_epoch());
  std::vector<Candidate> found;
  for (const auto distance : {chrono::hours(-26), chrono::hours(0), chrono::hours(26)}) {
    const Seconds probe = as_utc + distance;
    const chrono::seconds offset = wall_at(probe).at.time_since_epoch() - probe.time_since_epoch();
    const Seconds instant = as_utc - offset;
    const Wall wall = wall_at(instant);
    const bool known = std::any_of(found.begin(), found.end(),
                                   [instant](const Candidate& c) { return c.instant == instant; });
    if (wall.at == local && !known) found.push_back({instant, wall.summer});
  }
  std::sort(found.begin(), found.end(),
            [](const Candidate& a, const Candidate& b) { return a.instant < b.instant; });
  return found;
}

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};

// Read, and never written: what was said as 48h stays so.
constexpr DurationUnit days{"d", 86'400'000};

constexpr std::array duration_units = {
    DurationUnit{"h", 3'600'000},
    DurationUnit{"m", 60'000},
    DurationUnit{"s", 1'000},
    DurationUnit{"ms", 1},
};

// Ten years; longer ones would leave the range of the nanosecond clocks they are added to.
constexpr std::int64_t max_duration_ms = std::int64_t{10} * 366 * 24 * 3'600'000;

}  // namespace

Result<LocalTime> LocalTime::make(int year, int month, int day, int hour, int minute, int second) {
  constexpr int last_year = 9999;
  if (year < 1 || year > last_year || month < 1 || month > 12 || day < 1 || day > 31)
    return impossible();
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return impossible();
  const chrono::year_month_day date(chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return impossible();
  LocalTime local;
  local.at = chrono::local_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
             chrono::seconds(second);
  return local;
}

Seconds to_utc(const LocalTime& local, chrono::minutes normal_offset, Season season) noexcept {
  const chrono::minutes extra = season == Season::summer ? chrono::minutes(60) : chrono::minutes(0);
  return Seconds(local.at.time_since_epoch()) - normal_offset - extra;
}

Result<Seconds> to_utc(const LocalTime& local, std::optional<Season> season,
                       std::optional<Seconds> not_after) {
  const std::vector<Candidate> found = candidates(local.at);
  if (found.empty()) {
    return Error{Errc::malformed,
                 "the local time " + iso_local(local) + " is skipped by the time zone"};
  }
  if (season) {
    const bool summer = *season == Season::summer;
    const auto fits = [summer](const Candidate& c) { return c.summer == summer; };
    // Where the zone knows no such season (TZ=UTC in a container), the time of day still counts.
    if (std::count_if(found.begin(), found.end(), fits) == 1) {
      return std::find_if(found.begin(), found.end(), fits)->instant;
    }
  }
  Seconds chosen = found.front().instant;
  for (const Candidate& candidate : found) {
    if (not_after && candidate.instant <= *not_after) chosen = candidate.instant;
  }
  return chosen;
}

LocalTime to_local(Seconds instant) {
  LocalTime local;
  local.at = wall_at(instant).at;
  return local;
}

std::string iso_utc(Seconds instant) {
  std::string out = iso(chrono::local_seconds(instant.time_since_epoch()));
  out += 'Z';
  return out;
}

std::string iso_utc(Instant instant) {
  const auto whole = chrono::floor<chrono::seconds>(instant);
  std::string out = iso(chrono::local_seconds(whole.time_since_epoch()));
  out += '.';
  append_number(out, static_cast<long>((instant - whole).count()), 3);
  out += 'Z';
  return out;
}

std::string iso_local(const LocalTime& local) {
  return iso(local.at);
}

Result<Milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return Error{Errc::invalid, "'" + sanitised(text, 40) + "' " + std::string(why) +
                                    "; write for example 500ms, 30s, 5m or 1h"};
  };
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto used = static_cast<std::size_t>(parsed.ptr - text.data());
  if (parsed.ec == std::errc::result_out_of_range) return wrong("is too long");
  if (parsed.ec != std::errc() || text.front() == '-') return wrong("is no duration");
  const std::string_view unit = text.substr(used);
  if (unit.empty()) return wrong("has no unit");
  const auto found = std::find_if(duration_units.begin(), duration_units.end(),
                                  [&](const DurationUnit& known) { return known.name == unit; });
  if (found == duration_units.end() && unit != days.name) return wrong("is no duration");
  const DurationUnit& known = found == duration_units.end() ? days : *found;
  if (number > max_duration_ms / known.milliseconds) return wrong("is too long");
  return Milliseconds(number * known.milliseconds);
}

bool clock_is_set(Instant now) noexcept {
  constexpr std::chrono::sys_days written = std::chrono::year(2026) / 1 / 1;
  return now >= written;
}

std::string duration_text(Milliseconds duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const DurationUnit& unit : duration_units) {
    if (count % unit.milliseconds == 0) {
      return std::to_string(count / unit.milliseconds) + std::string(unit.name);
    }
  }
  return std::to_string(count) + "ms";
}

Instant SystemClock::now() const {
  return chrono::floor<chrono::milliseconds>(chrono::system_clock::now());
}

chrono::steady_clock::time_point SystemClock::steady() const {
  return chrono::steady_clock::now();
}

}  // namespace meterbridge
