// SPDX-License-Identifier: MIT
#include "core/reading.hpp"

#include "core/text.hpp"

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
  if (key.quantity == Quantity::value) return Reading(key, value, unit);
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

Result<Unit> unit_for(const ReadingKey& key, std::string_view text) {
  constexpr std::size_t shown = 20;
  if (key.quantity == Quantity::value) return unit_of_user(text);
  if (const auto unit = unit_from(text)) return *unit;
  return Error{Errc::invalid, "\"" + sanitised(text, shown) + "\" is no unit of " + key.text() +
                                  "; value_<n> may have any"};
}

const Reading* MeterReadings::find(const ReadingKey& key) const noexcept {
  for (const Reading& reading : readings) {
    if (reading.key == key) return &reading;
  }
  return nullptr;
}

}  // namespace meterbridge
