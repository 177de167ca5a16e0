// SPDX-License-Identifier: MIT
#include "protocol/json/moment.hpp"

#include "protocol/json/text.hpp"
#include "protocol/p1/stamp.hpp"

#include <charconv>

namespace meterbridge::protocol::json {
namespace {

using std::chrono::minutes;

constexpr minutes central_europe{60};
constexpr std::int64_t latest = 4'102'444'800;  // 2100: what is later was no time

// Exactly `size` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t size) {
  if (at > text.size()) return std::nullopt;
  const std::string_view part = text.substr(at, size);
  int number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (part.size() != size || error != std::errc() || end != part.data() + size || part[0] == '-')
    return std::nullopt;
  return number;
}

// "Z", "+02:00", "+0200", "-03"; minutes east of Greenwich.
std::optional<minutes> offset_from(std::string_view text) {
  if (text == "Z" || text == "z") return minutes(0);
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = digits(text, 1, 2);
  std::string_view rest = text.substr(3);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  const auto more = rest.empty() ? std::optional<int>(0) : digits(rest, 0, 2);
  if (!hours || !more || (!rest.empty() && rest.size() != 2) || *hours > 14 || *more > 59)
    return std::nullopt;
  const minutes east(*hours * 60 + *more);
  return text[0] == '-' ? -east : east;
}

// 2023-07-24T15:07:30, a blank for the T, perhaps a fraction, perhaps an offset; without offset the
// zone of this machine counts.
std::optional<Seconds> parse_iso(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const bool punctuated = text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':' &&
                          (text[10] == 'T' || text[10] == 't' || text[10] == ' ');
  const auto local = LocalTime::make(*year, *month, *day, *hour, *minute, *second);
  if (!punctuated || !local) return std::nullopt;
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  if (rest.empty()) {
    const auto moment = to_utc(*local);
    return moment ? std::optional<Seconds>(*moment) : std::nullopt;
  }
  const auto offset = offset_from(rest);
  if (!offset) return std::nullopt;
  return Seconds(local->at.time_since_epoch() - *offset);
}

std::optional<Seconds> parse_unix(std::string_view text, int power) {
  const auto number = number_of(text);
  const auto seconds = number ? number->shifted(power) : Result<Decimal>(Decimal());
  const auto whole = seconds ? seconds->rounded(0) : Result<Decimal>(Decimal());
  if (!number || !whole || *whole <= Decimal(0) || *whole >= Decimal(latest)) return std::nullopt;
  // Without digits behind the point the text is that of an integer, whatever its exponent.
  std::int64_t count = 0;
  const std::string digits_text = whole->str();
  std::from_chars(digits_text.data(), digits_text.data() + digits_text.size(), count);
  return Seconds(std::chrono::seconds(count));
}

}  // namespace

std::optional<Seconds> parse_moment(Format format, std::string_view text) {
  switch (format) {
    case Format::dsmr:
      return p1::parse_stamp(text, central_europe);
    case Format::iso:
      return parse_iso(text);
    case Format::unix_seconds:
      return parse_unix(text, 0);
    case Format::unix_ms:
      return parse_unix(text, -3);
    case Format::plain:
    case Format::hex:
      break;
  }
  return std::nullopt;
}

std::string moment_text(Format format, Seconds moment) {
  const std::int64_t seconds = moment.time_since_epoch().count();
  switch (format) {
    case Format::dsmr:
      return p1::stamp_text(moment, central_europe);
    case Format::iso:
      return iso_utc(moment);
    case Format::unix_seconds:
      return std::to_string(seconds);
    case Format::unix_ms:
      return std::to_string(seconds * 1000);
    case Format::plain:
    case Format::hex:
      break;
  }
  return {};
}

}  // namespace meterbridge::protocol::json
