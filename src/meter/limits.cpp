// SPDX-License-Identifier: MIT
#include "meter/limits.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::meter {
namespace {

// Wide enough for any meter of the kind, tight enough for a slipped decimal point or a flipped bit.
// Voltage: medium voltage behind transformers has a factor. Frequency: 0 while a phase is missing.
// A larger step is believed with the second value (a phase that fails, a battery that is measured
// anew); 0 = any step is normal (loads, panels at sunrise).
struct Row {
  Quantity quantity;
  std::int64_t minimum;
  std::int64_t maximum;
  std::int64_t step;
  bool scales;  // with the factor of a transformer
};

constexpr std::array rows = {
    Row{Quantity::voltage, 0, 1000, 100, true},
    Row{Quantity::dc_voltage, -2000, 2000, 0, true},
    Row{Quantity::current, -6500, 6500, 0, true},
    Row{Quantity::dc_current, -6500, 6500, 0, true},
    Row{Quantity::frequency, 0, 70, 5, false},
    Row{Quantity::power_factor, -1, 1, 0, false},
    Row{Quantity::phase_angle, -360, 360, 0, false},
    Row{Quantity::thd_voltage, 0, 1000, 0, false},
    Row{Quantity::thd_current, 0, 1000, 0, false},
    Row{Quantity::state_of_charge, 0, 100, 50, false},
    Row{Quantity::temperature, -100, 250, 50, false},
    Row{Quantity::temperature_flow, -100, 250, 50, false},
    Row{Quantity::temperature_return, -100, 250, 50, false},
};

// Three phases of 100 A are 69 kW; larger plants show it in their power reading, or say max_power.
constexpr std::int64_t default_growth_watts = 250'000;
constexpr std::int64_t default_watts = 10'000'000;
constexpr std::int64_t default_cubic_metres = 1000;  // an hour
constexpr std::int64_t default_pulses = 3'600'000;   // an hour: a thousand each second

bool is_power(Quantity quantity) {
  return quantity == Quantity::power || quantity == Quantity::reactive_power ||
         quantity == Quantity::apparent_power || quantity == Quantity::dc_power;
}

Decimal scaled(std::int64_t number, const Decimal& factor) {
  const auto product = Decimal(number).times(factor);
  return product ? *product : Decimal(number);
}

// In the unit of the register an hour.
std::optional<Decimal> default_growth(const ReadingKey& key, Unit unit, const Decimal& watts,
                                      const Decimal& factor) {
  switch (dimension(unit)) {
    case Dimension::active_energy:
    case Dimension::reactive_energy:
    case Dimension::apparent_energy: {
      const auto in_kilo = watts.shifted(-3);
      if (!in_kilo) return std::nullopt;
      return *in_kilo;
    }
    case Dimension::heat: {
      // 1 GJ = 277.8 kWh; the wider 1 MWh = 3.6 GJ is exact.
      const auto in_giga = Decimal(36, -7).times(watts);
      if (!in_giga) return std::nullopt;
      if (unit == Unit::GJ) return *in_giga;
      const auto shifted = in_giga->shifted(unit == Unit::MJ ? 3 : 9);
      return shifted ? std::optional<Decimal>(*shifted) : std::nullopt;
    }
    case Dimension::volume:
      return scaled(default_cubic_metres, factor);
    default:
      if (key.quantity == Quantity::counter) return scaled(default_pulses, factor);
      return std::nullopt;
  }
}

void keep_own(Limits& limits, const config::ReadingOptions& own) {
  if (own.minimum) limits.minimum = own.minimum;
  if (own.maximum) limits.maximum = own.maximum;
  if (own.max_step) limits.step = own.max_step;
  if (own.max_growth) {
    limits.per_hour = own.max_growth;
    limits.assumed = false;
  }
}

}  // namespace

Limits limits_of(const ReadingKey& key, Unit unit, const config::MeterSettings& meter) {
  const auto own = meter.readings.find(key);
  const Decimal one(1);
  Decimal factor = one;
  if (own != meter.readings.end() && own->second.factor)
    factor = std::max(one, *own->second.factor);

  Limits limits;
  if (is_cumulative(key)) {
    limits.minimum = Decimal(0);
    limits.assumed = !meter.max_power;
    limits.per_hour = default_growth(
        key, unit, meter.max_power.value_or(scaled(default_growth_watts, factor)), factor);
  } else if (key.aspect == Aspect::limit) {
    // What the contract or the breaker allows is told as it is, 999.9 kW included.
  } else if (is_power(key.quantity)) {
    const Decimal watts = meter.max_power.value_or(scaled(default_watts, factor));
    limits.maximum = watts;
    if (const auto negative = watts.times(Decimal(-1))) limits.minimum = *negative;
  } else {
    const auto* const row = std::find_if(
        rows.begin(), rows.end(), [&](const Row& each) { return each.quantity == key.quantity; });
    if (row != rows.end() && key.aspect == Aspect::none) {
      limits.minimum = scaled(row->minimum, row->scales ? factor : one);
      limits.maximum = scaled(row->maximum, row->scales ? factor : one);
      if (row->step != 0) limits.step = scaled(row->step, row->scales ? factor : one);
    }
  }
  if (own != meter.readings.end()) keep_own(limits, own->second);
  return limits;
}

std::string with_unit(const Decimal& value, Unit unit) {
  std::string text = value.str();
  if (!symbol(unit).empty()) text += " " + std::string(symbol(unit));
  return text;
}

Milliseconds update_period(const ReadingKey& key) noexcept {
  using std::chrono::minutes;
  const bool electric =
      key.quantity == Quantity::energy || key.quantity == Quantity::reactive_energy ||
      key.quantity == Quantity::apparent_energy || key.quantity == Quantity::counter;
  return electric ? minutes(15) : minutes(60);
}

}  // namespace meterbridge::meter
