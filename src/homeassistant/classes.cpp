// SPDX-License-Identifier: MIT
// Device and state classes. Home Assistant refuses an entity whose unit its device class does not
// know, so a class is only given with a unit of the right dimension.
#include "homeassistant/documents.hpp"

namespace meterbridge::homeassistant {
namespace {

constexpr std::string_view measurement = "measurement";
constexpr std::string_view total = "total";
constexpr std::string_view total_increasing = "total_increasing";

struct Row {
  Quantity quantity;
  Dimension dimension;  // of the units that the device class takes
  std::string_view device_class;
};

// Quantities with a unit. Home Assistant has no class for apparent energy, angles and distortion.
constexpr Row rows[] = {
    {Quantity::energy, Dimension::active_energy, "energy"},
    {Quantity::reactive_energy, Dimension::reactive_energy, "reactive_energy"},
    {Quantity::apparent_energy, Dimension::apparent_energy, ""},
    {Quantity::power, Dimension::active_power, "power"},
    {Quantity::reactive_power, Dimension::reactive_power, "reactive_power"},
    {Quantity::apparent_power, Dimension::apparent_power, "apparent_power"},
    {Quantity::voltage, Dimension::voltage, "voltage"},
    {Quantity::current, Dimension::current, "current"},
    {Quantity::frequency, Dimension::frequency, "frequency"},
    {Quantity::power_factor, Dimension::none, "power_factor"},
    {Quantity::phase_angle, Dimension::angle, ""},
    {Quantity::thd_voltage, Dimension::ratio, ""},
    {Quantity::thd_current, Dimension::ratio, ""},
    {Quantity::dc_voltage, Dimension::voltage, "voltage"},
    {Quantity::dc_current, Dimension::current, "current"},
    {Quantity::dc_power, Dimension::active_power, "power"},
    {Quantity::state_of_charge, Dimension::ratio, "battery"},
    {Quantity::gas, Dimension::volume, "gas"},
    {Quantity::water, Dimension::volume, "water"},
    {Quantity::volume, Dimension::volume, "volume"},
    {Quantity::heat, Dimension::heat, "energy"},
    {Quantity::flow, Dimension::flow, "volume_flow_rate"},
    {Quantity::temperature, Dimension::temperature, "temperature"},
    {Quantity::temperature_flow, Dimension::temperature, "temperature"},
    {Quantity::temperature_return, Dimension::temperature, "temperature"},
    {Quantity::counter, Dimension::none, ""},
    {Quantity::value, Dimension::none, ""},
};

// Spellings that Home Assistant's classes do not have, although the dimension fits.
bool unknown_to_home_assistant(Unit unit) {
  return unit == Unit::Mvarh || unit == Unit::MVAh || unit == Unit::kA || unit == Unit::dm3;
}

bool fits(const Row& row, Unit unit) {
  if (unknown_to_home_assistant(unit)) return false;
  if (dimension(unit) == row.dimension) return true;
  // Heat is counted in joules or in kWh.
  return row.quantity == Quantity::heat && dimension(unit) == Dimension::active_energy;
}

// Quantities whose classes allow no `measurement`.
bool counts(Quantity quantity) {
  switch (quantity) {
    case Quantity::energy:
    case Quantity::reactive_energy:
    case Quantity::apparent_energy:
    case Quantity::gas:
    case Quantity::water:
    case Quantity::volume:
    case Quantity::heat:
    case Quantity::counter:
      return true;
    default:
      return false;
  }
}

std::string_view state_class(const ReadingKey& key, Unit unit) {
  if (key.aspect == Aspect::limit) return {};  // a setting of the meter, nothing that is measured
  if (counts(key.quantity)) {
    if (key.direction == Direction::net) return total;  // may run backwards
    return is_cumulative(key) ? total_increasing : std::string_view{};
  }
  if (unit == Unit::degree) return "measurement_angle";
  return measurement;
}

Classes of_number(const ReadingKey& key, Unit unit) {
  for (const Row& row : rows) {
    if (row.quantity != key.quantity) continue;
    if (unit == Unit::none) unit = canonical_unit(key.quantity);
    if (!fits(row, unit)) return {{}, state_class(key, unit), symbol(unit)};
    return {row.device_class, state_class(key, unit), symbol(unit)};
  }
  return {{}, {}, symbol(unit)};  // a tariff, a status word: numbers that nobody adds or averages
}

}  // namespace

Classes classes_of(const ReadingKey& key, Kind kind, Unit unit) {
  switch (kind) {
    case Kind::number:
      return of_number(key, unit);
    case Kind::time:
      return {"timestamp", {}, {}};
    case Kind::flag:
      return {key.quantity == Quantity::status ? "power" : "", {}, {}};
    case Kind::text:
      return {};
  }
  return {};
}

}  // namespace meterbridge::homeassistant
