// SPDX-License-Identifier: MIT
#include "protocol/registers.hpp"

#include <algorithm>

namespace meterbridge::protocol {
namespace {

// 100 A on three phases are 0.02 kWh in a second; a reading takes two.
constexpr int used_while_reading = 1;  // tenths of kWh
// Until the second reading, on a line with repetitions.
constexpr int used_between_readings = 1;  // kWh

// Nothing when the difference does not fit a Decimal: then it is no small one.
bool within(const Decimal& larger, const Decimal& smaller, const Decimal& limit) {
  const auto difference = larger.minus(smaller);
  return difference && *difference <= limit;
}

// What the registers may differ by because they are not read at one moment, and cut.
Result<Decimal> slack_of(const Registers& registers, int decimals) {
  const Decimal cut(static_cast<std::int64_t>(registers.size()), -decimals);
  return Decimal(used_while_reading, -1).plus(cut);
}

bool never_falls(const Registers& registers, const Registers& before) {
  return std::ranges::all_of(registers, [&](const auto& entry) {
    const auto old = before.find(entry.first);
    return old == before.end() || entry.second >= old->second;
  });
}

}  // namespace

bool adds_up(const Registers& registers, int decimals) {
  const auto total = registers.find(0);
  if (total == registers.end() || registers.size() < 2) return true;
  Decimal sum;
  for (const auto& [tariff, kwh] : registers) {
    if (tariff == 0) continue;
    const auto more = sum.plus(kwh);
    if (!more) return false;
    sum = *more;
  }
  const auto slack = slack_of(registers, decimals);
  return slack && within(total->second, sum, *slack) && within(sum, total->second, *slack);
}

bool follows(const Registers& registers, const Registers& before, int decimals) {
  if (!never_falls(registers, before)) return false;
  const auto total = registers.find(0);
  const auto old_total = before.find(0);
  if (total == registers.end() || old_total == before.end()) return true;
  const auto growth = total->second.minus(old_total->second);
  const auto slack = slack_of(registers, decimals);
  const auto most = growth && slack ? growth->plus(*slack) : slack;
  return most && std::ranges::all_of(registers, [&](const auto& entry) {
           const auto old = before.find(entry.first);
           return entry.first == 0 || old == before.end() ||
                  within(entry.second, old->second, *most);
         });
}

bool agrees(const Registers& first, const Registers& second) {
  if (first.size() != second.size() || !never_falls(second, first)) return false;
  return std::ranges::all_of(second, [&](const auto& entry) {
    const auto old = first.find(entry.first);
    return old != first.end() && within(entry.second, old->second, Decimal(used_between_readings));
  });
}

}  // namespace meterbridge::protocol
