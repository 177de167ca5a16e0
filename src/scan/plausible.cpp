// SPDX-License-Identifier: MIT
#include "scan/plausible.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::scan {
namespace {

struct Range {
  Quantity quantity;
  Decimal least;
  Decimal most;
  bool strict;  // outside is impossible, not only doubtful
};

// Of houses, shops and their transformers. Powers and energies are wide: they only have to refuse
// numbers that come of a wrong type or word order.
const std::array ranges{
    Range{Quantity::voltage, Decimal(40), Decimal(560), true},
    Range{Quantity::frequency, Decimal(45), Decimal(65), true},
    Range{Quantity::current, Decimal(-20'000), Decimal(20'000), false},
    Range{Quantity::power_factor, Decimal(-1), Decimal(1), false},
    Range{Quantity::phase_angle, Decimal(-360), Decimal(360), false},
    Range{Quantity::power, Decimal(-20'000'000), Decimal(20'000'000), false},
    Range{Quantity::reactive_power, Decimal(-20'000'000), Decimal(20'000'000), false},
    Range{Quantity::apparent_power, Decimal(-20'000'000), Decimal(20'000'000), false},
    Range{Quantity::energy, Decimal(-100'000'000), Decimal(100'000'000), false},
    Range{Quantity::reactive_energy, Decimal(-100'000'000), Decimal(100'000'000), false},
    Range{Quantity::apparent_energy, Decimal(-100'000'000), Decimal(100'000'000), false},
    Range{Quantity::thd_voltage, Decimal(0), Decimal(100), false},
    Range{Quantity::thd_current, Decimal(0), Decimal(1000), false},
    Range{Quantity::dc_voltage, Decimal(0), Decimal(1500), false},
    Range{Quantity::dc_current, Decimal(-5000), Decimal(5000), false},
    Range{Quantity::dc_power, Decimal(-5'000'000), Decimal(5'000'000), false},
    Range{Quantity::state_of_charge, Decimal(0), Decimal(100), false},
    Range{Quantity::temperature, Decimal(-50), Decimal(150), false},
};

// A float that is none: integers read as one are mostly such.
bool is_crumb(const Decimal& number) {
  return number > Decimal(-1, -7) && number < Decimal(1, -7);
}

bool is_readable(const std::string& text) {
  constexpr std::size_t shortest = 3;
  return text.size() >= shortest && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == ' ' || c == '-' || c == '.' || c == '_';
         });
}

}  // namespace

Likelihood likelihood_of(const Reading& reading) {
  if (std::holds_alternative<bool>(reading.value)) return Likelihood::flag;
  if (const auto* text = std::get_if<std::string>(&reading.value))
    return is_readable(*text) ? Likelihood::readable : Likelihood::nothing;
  const auto* number = std::get_if<Decimal>(&reading.value);
  if (number == nullptr || number->is_zero()) return Likelihood::nothing;
  if (is_crumb(*number)) return Likelihood::doubtful;
  const auto range = std::ranges::find(ranges, reading.key.quantity, &Range::quantity);
  if (range == ranges.end()) return Likelihood::nothing;
  if (*number >= range->least && *number <= range->most) return Likelihood::good;
  return range->strict ? Likelihood::impossible : Likelihood::doubtful;
}

Tally tally(const protocol::Telegram& telegram) {
  Tally tally;
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& reading : meter.readings) {
      switch (likelihood_of(reading)) {
        case Likelihood::good:
          ++tally.good;
          break;
        case Likelihood::readable:
          ++tally.readable;
          break;
        case Likelihood::flag:
          ++tally.flags;
          break;
        case Likelihood::nothing:
          ++tally.nothing;
          break;
        case Likelihood::doubtful:
          ++tally.doubtful;
          break;
        case Likelihood::impossible:
          ++tally.impossible;
          break;
      }
    }
  }
  return tally;
}

int Tally::points(std::size_t expected) const noexcept {
  constexpr int of_good = 4;
  constexpr int of_doubtful = -6;
  constexpr int of_impossible = -20;
  constexpr int of_missing = -2;
  constexpr int of_nothing = -1;
  constexpr int of_readable = 2;
  const std::size_t missing = expected > all() ? expected - all() : 0;
  // A module of inputs and counters has nothing but flags and small numbers; that all of them are
  // there is all that can be said of it.
  const bool module = flags >= 8 && flags + nothing == expected;
  if (module) return 1;
  return of_readable * static_cast<int>(readable) + of_good * static_cast<int>(good) +
         of_doubtful * static_cast<int>(doubtful) + of_impossible * static_cast<int>(impossible) +
         of_missing * static_cast<int>(missing) + of_nothing * static_cast<int>(nothing);
}

}  // namespace meterbridge::scan
