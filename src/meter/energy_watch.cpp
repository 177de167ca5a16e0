// SPDX-License-Identifier: MIT
#include "meter/energy_watch.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace meterbridge::meter {
namespace {

constexpr std::int64_t per_watt_hour = 10LL * 3600 * 1000;  // deciwatts times milliseconds
constexpr std::int64_t most_deciwatts = 1'000'000'000;      // 100 MW: what is larger is not summed
constexpr std::int64_t least_watt_hours = 100;              // smaller differences tell nothing

const Decimal* number_in(const std::vector<Reading>& readings, const ReadingKey& key) {
  for (const Reading& reading : readings) {
    if (reading.key == key) return std::get_if<Decimal>(&reading.value);
  }
  return nullptr;
}

// The number in so many digits behind the point, as an integer.
std::optional<std::int64_t> whole(const Decimal& value, int digits) {
  const auto moved = value.shifted(digits);
  const auto rounded = moved ? moved->rounded(0) : moved;
  return rounded ? std::optional<std::int64_t>(rounded->digits()) : std::nullopt;
}

// Net power, import positive.
std::optional<std::int64_t> deciwatts(const std::vector<Reading>& readings) {
  Decimal net;
  if (const Decimal* const power = number_in(readings, make_key(Quantity::power))) {
    net = *power;
  } else {
    const Decimal* const in = number_in(readings, make_key(Quantity::power, Direction::import));
    const Decimal* const out = number_in(readings, make_key(Quantity::power, Direction::export_));
    if (in == nullptr) return std::nullopt;
    const auto difference = in->minus(out == nullptr ? Decimal(0) : *out);
    if (!difference) return std::nullopt;
    net = *difference;
  }
  const auto result = whole(net, 1);
  if (!result || std::abs(*result) > most_deciwatts) return std::nullopt;
  return result;
}

}  // namespace

void EnergyWatch::begin(Time now) {
  began_ = now;
  import_ = Side{.begin = import_.latest, .latest = import_.latest};
  export_ = Side{.begin = export_.latest, .latest = export_.latest};
}

// Power is taken as the mean of the values before and after.
void EnergyWatch::add(std::int64_t deciwatts, Milliseconds time) {
  const std::int64_t mean = (power_ + deciwatts) / 2;
  (mean < 0 ? export_ : import_).flowed += std::abs(mean) * time.count();
}

std::string EnergyWatch::compare(const Side& side, std::string_view counter) const {
  if (!side.begin || !side.latest) return {};
  const auto growth = side.latest->minus(*side.begin);
  const auto counted = growth ? whole(*growth, 3) : std::nullopt;
  const auto step = whole(Decimal(1, -side.latest->precision()), 3);
  const auto percent = whole(tolerance_, 0);
  if (!counted || !step || !percent) return {};
  const std::int64_t flowed = side.flowed / per_watt_hour;
  const std::int64_t slack = std::max(least_watt_hours, 2 * *step);
  const std::int64_t allowed = std::max(*counted, flowed) / 100 * *percent + slack;
  if (std::abs(*counted - flowed) <= allowed) return {};
  return std::string(counter) + " grew by " + growth->str() + " kWh in " + duration_text(span_) +
         ", the power says " + Decimal(flowed, -3).str() + " kWh";
}

void EnergyWatch::take(const std::vector<Reading>& readings, Time now) {
  const auto power = deciwatts(readings);
  if (!power) return;
  const auto follow = [&](Side& side, Direction direction) {
    const Decimal* const counter = number_in(readings, make_key(Quantity::energy, direction));
    // A counter that is held back, or begins anew, cannot be compared.
    const bool lost =
        counter == nullptr ? side.latest.has_value() : side.latest && *counter < *side.latest;
    side.latest = counter == nullptr ? std::nullopt : std::optional<Decimal>(*counter);
    return !lost && side.begin.has_value() == side.latest.has_value();
  };
  const auto passed =
      last_ ? std::chrono::floor<Milliseconds>(now - *last_) : longest_gap_ + Milliseconds(1);
  last_ = now;
  if (passed <= longest_gap_) add(*power, passed);
  power_ = *power;
  const bool in = follow(import_, Direction::import);
  const bool out = follow(export_, Direction::export_);
  if (!in || !out || passed > longest_gap_) return begin(now);
  if (now - began_ < span_) return;
  if (!import_.latest && !export_.latest) return;
  std::string words = compare(import_, "energy_import");
  if (words.empty()) words = compare(export_, "energy_export");
  result_ = std::move(words);
  begin(now);
}

}  // namespace meterbridge::meter
