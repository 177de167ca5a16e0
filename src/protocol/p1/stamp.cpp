// SPDX-License-Identifier: MIT
#include "protocol/p1/stamp.hpp"

#include <array>

namespace meterbridge::protocol::p1 {
namespace {

namespace chrono = std::chrono;

constexpr std::size_t digits_of_stamp = 12;
constexpr int first_year_of_last_century = 70;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

int pair(std::string_view text, std::size_t at) noexcept {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool all_digits(std::string_view text) noexcept {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

std::optional<LocalTime> local_time(std::string_view digits) {
  if (digits.size() != digits_of_stamp || !all_digits(digits)) return std::nullopt;
  const int year = pair(digits, 0) + (pair(digits, 0) >= first_year_of_last_century ? 1900 : 2000);
  const auto made = LocalTime::make(year, pair(digits, 2), pair(digits, 4), pair(digits, 6),
                                    pair(digits, 8), pair(digits, 10));
  if (!made) return std::nullopt;
  return *made;
}

Seconds change_of(chrono::year year, chrono::month month) {
  const chrono::sys_days last_sunday = year / month / chrono::Sunday[chrono::last];
  return last_sunday + chrono::hours(1);  // 01:00 UTC in all zones of the Union
}

bool is_summer(Seconds instant) {
  const auto year = chrono::year_month_day(chrono::floor<chrono::days>(instant)).year();
  return instant >= change_of(year, chrono::March) && instant < change_of(year, chrono::October);
}

}  // namespace

bool looks_like_stamp(std::string_view text) noexcept {
  return text.size() == digits_of_stamp + 1 && all_digits(text.substr(0, digits_of_stamp)) &&
         !is_digit(text.back()) && text.back() != '.';
}

std::optional<Seconds> parse_stamp(std::string_view text, chrono::minutes normal_offset) {
  if (text.size() != digits_of_stamp + 1) return std::nullopt;
  const char letter = text.back();
  if (letter != 'S' && letter != 'W') return std::nullopt;
  const auto local = local_time(text.substr(0, digits_of_stamp));
  if (!local) return std::nullopt;
  return to_utc(*local, normal_offset, letter == 'S' ? Season::summer : Season::winter);
}

std::optional<Seconds> parse_stamp_without_season(std::string_view text,
                                                  chrono::minutes normal_offset) {
  const auto local = local_time(text);
  if (!local) return std::nullopt;
  const Seconds as_summer = to_utc(*local, normal_offset, Season::summer);
  if (is_summer(as_summer)) return as_summer;
  return to_utc(*local, normal_offset, Season::winter);
}

std::string stamp_text(Seconds instant, chrono::minutes normal_offset) {
  const bool summer = is_summer(instant);
  const Seconds local = instant + normal_offset + (summer ? chrono::hours(1) : chrono::hours(0));
  const auto day = chrono::floor<chrono::days>(local);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(local - day);
  const std::array<int, 6> parts = {static_cast<int>(date.year()) % 100,
                                    static_cast<int>(static_cast<unsigned>(date.month())),
                                    static_cast<int>(static_cast<unsigned>(date.day())),
                                    static_cast<int>(clock.hours().count()),
                                    static_cast<int>(clock.minutes().count()),
                                    static_cast<int>(clock.seconds().count())};
  std::string out;
  for (const int part : parts) {
    out += static_cast<char>('0' + part / 10);
    out += static_cast<char>('0' + part % 10);
  }
  out += summer ? 'S' : 'W';
  return out;
}

}  // namespace meterbridge::protocol::p1
