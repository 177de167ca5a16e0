// SPDX-License-Identifier: MIT
#include "meter/smoothing.hpp"

#include <algorithm>

namespace meterbridge::meter {
namespace {

void keep(std::deque<Decimal>& row, const Decimal& value, int most) {
  row.push_back(value);
  while (row.size() > static_cast<std::size_t>(most))
    row.pop_front();
}

}  // namespace

Decimal median_of(std::vector<Decimal> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Decimal mean_of(const std::deque<Decimal>& values) {
  Result<Decimal> sum = Decimal(0);
  int precision = 0;
  for (const Decimal& value : values) {
    if (sum) sum = sum->plus(value);
    precision = std::max(precision, value.precision());
  }
  // All digits that any of them has, as one integer.
  const auto whole = sum ? sum->rounded(precision) : sum;
  if (!whole) return values.back();
  const auto count = static_cast<std::int64_t>(values.size());
  const std::int64_t half = count / 2;
  const std::int64_t digits = whole->digits();
  std::int64_t mean = digits / count;
  const std::int64_t rest = digits % count;
  if (rest > half || (rest == half && count % 2 == 0)) ++mean;
  if (-rest > half || (-rest == half && count % 2 == 0)) --mean;
  return Decimal(mean, -precision);
}

void Smoothing::apply(std::vector<Reading>& readings, const Moment& now, Milliseconds longest_gap) {
  for (Reading& reading : readings) {
    const auto options = settings_->readings.find(reading.key);
    const auto* const value = std::get_if<Decimal>(&reading.value);
    if (options == settings_->readings.end() || value == nullptr) continue;
    const int median = options->second.median;
    const int average = options->second.average;
    if (median <= 1 && average <= 1) continue;
    Row& row = rows_[reading.key];
    if (now.steady - row.at > longest_gap) row = Row();
    row.at = now.steady;
    keep(row.values, *value, median);
    keep(row.medians, median_of({row.values.begin(), row.values.end()}), average);
    reading.value = mean_of(row.medians);
  }
}

}  // namespace meterbridge::meter
