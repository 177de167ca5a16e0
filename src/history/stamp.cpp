// SPDX-License-Identifier: MIT
#include "history/stamp.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace meterbridge::history {
namespace {

using std::chrono::minutes;

Error no_stamp(std::string_view text) {
  return {Errc::malformed,
          "\"" + std::string(text.substr(0, 40)) + "\" is no time (2026-11-20 13:00:00 is one)"};
}

// Takes exactly `size` digits off the front.
std::optional<int> digits(std::string_view& text, std::size_t size) {
  int number = 0;
  if (text.size() < size || text[0] == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
  if (error != std::errc() || end != text.data() + size) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool skip(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

struct Date {
  int year = 0, month = 0, day = 0;
};

std::optional<Date> take_date(std::string_view& text) {
  const bool german = text.size() > 2 && text[2] == '.';
  const std::string_view between = german ? "." : "-";
  const auto first = digits(text, german ? 2 : 4);
  if (!first || !skip(text, between)) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !skip(text, between)) return std::nullopt;
  const auto last = digits(text, german ? 4 : 2);
  if (!last) return std::nullopt;
  Date date;
  date.year = german ? *last : *first;
  date.month = *month;
  date.day = german ? *first : *last;
  return date;
}

std::optional<Milliseconds> take_fraction(std::string_view& text) {
  if (!skip(text, ".,")) return Milliseconds{};
  std::int64_t value = 0;
  int taken = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++taken) {
    if (taken < 3) value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (taken == 0) return std::nullopt;
  for (; taken < 3; ++taken)
    value *= 10;
  return Milliseconds(value);
}

// "Z", "+01:00", "+0100", "+01"; "UTC" as databases write it. The text must be that and no more.
std::optional<minutes> zone_of(std::string_view text) {
  if (text == "Z" || text == "z" || text == " UTC" || text == "UTC") return minutes(0);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const bool west = text[0] == '-';
  text.remove_prefix(1);
  const auto hours = digits(text, 2);
  (void)skip(text, ":");
  const auto rest = text.empty() ? std::optional<int>(0) : digits(text, 2);
  if (!hours || !rest || !text.empty() || *hours > 14 || *rest > 59) return std::nullopt;
  const minutes east(*hours * 60 + *rest);
  return west ? -east : east;
}

Result<Stamp> since_1970(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return no_stamp(text);
  Stamp stamp;
  switch (text.size()) {
    case 10:
      stamp.at = Instant(Milliseconds(number * 1000));
      return stamp;
    case 13:
      stamp.at = Instant(Milliseconds(number));
      return stamp;
    case 16:
      stamp.at = Instant(Milliseconds(number / 1000));
      return stamp;
    case 19:
      stamp.at = Instant(Milliseconds(number / 1'000'000));
      return stamp;
    default:
      return no_stamp(text);
  }
}

}  // namespace

Result<Stamp> parse_stamp(std::string_view text) {
  const std::string_view whole = text;
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return since_1970(text);
  const auto date = take_date(text);
  if (!date || !skip(text, "T t")) return no_stamp(whole);
  std::array<int, 3> clock{};
  for (std::size_t i = 0; i < clock.size(); ++i) {
    if (i > 0 && !skip(text, ":")) return no_stamp(whole);
    const auto part = digits(text, 2);
    if (!part) return no_stamp(whole);
    clock[i] = *part;
  }
  const auto local =
      LocalTime::make(date->year, date->month, date->day, clock[0], clock[1], clock[2]);
  const auto fraction = take_fraction(text);
  if (!local || !fraction) return no_stamp(whole);
  Stamp stamp;
  stamp.local = *local;
  stamp.fraction = *fraction;
  if (text.empty()) return stamp;
  const auto zone = zone_of(text);
  if (!zone) return no_stamp(whole);
  stamp.at = Instant(Seconds(local->at.time_since_epoch()) - *zone) + *fraction;
  return stamp;
}

Result<Instant> WallClock::instant_of(const Stamp& stamp, std::optional<Season> season,
                                      const std::string& meter) {
  if (stamp.at) return *stamp.at;
  auto instant = to_utc(stamp.local, season);
  if (!instant) return instant.error();
  Seconds& last = last_[meter];
  if (!season && *instant < last) {
    const auto second = to_utc(stamp.local, {}, Seconds::max());
    if (second && *second >= last) instant = second;
  }
  last = *instant;
  return Instant(*instant) + stamp.fraction;
}

}  // namespace meterbridge::history
