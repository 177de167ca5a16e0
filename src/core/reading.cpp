// SPDX-License-Identifier: MIT
#include "core/reading.hpp"

namespace meterbridge {
namespace {

// Heat stays as the meter counts it; only the size of the unit is brought to one of GJ, MJ, kWh.
Unit target_unit(const ReadingKey& key, Unit unit) noexcept {
  if (key.quantity != Quantity::heat) return canonical_unit(key.quantity);
  if (dimension(unit) == Dimension::active_energy) return Unit::kWh;
  return unit == Unit::J ? Unit::MJ : unit;
}

bool belongs(Quantity quantity, Unit unit, Unit target) noexcept {
  if (quantity == Quantity::heat) return dimension(unit) == Dimension::heat || target == Unit::kWh;
  return dimension(unit) == dimension(target);
}

}  // namespace

Result<Reading> Reading::make(const ReadingKey& key, const Decimal& value, Unit unit) {
  const Unit target = target_unit(key, unit);
  if (!belongs(key.quantity, unit, target)) {
    const std::string sent =
        unit == Unit::none ? "no unit" : "the unit " + std::string(symbol(unit));
    return Error{Errc::malformed, key.text() + " came with " + sent};
  }
  const auto converted = convert(value, unit, target);
  if (!converted) return converted.error().within(key.text());
  return Reading(key, *converted, target);
}

const Reading* MeterReadings::find(const ReadingKey& key) const noexcept {
  for (const Reading& reading : readings) {
    if (reading.key == key) return &reading;
  }
  return nullptr;
}

}  // namespace meterbridge
