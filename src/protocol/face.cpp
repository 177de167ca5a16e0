// SPDX-License-Identifier: MIT
#include "protocol/face.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace meterbridge::protocol {
namespace {

// Decimals do not overflow with the numbers of a house; where they would, zero shows it.
Decimal or_zero(const Result<Decimal>& number) {
  return number ? *number : Decimal(0);
}

Decimal times(const Decimal& a, const Decimal& b) {
  return or_zero(a.times(b));
}

Decimal sum(const Decimal& a, const Decimal& b) {
  return or_zero(a.plus(b));
}

template <std::size_t N>
Decimal sum_of(const std::array<Decimal, N>& all) {
  Decimal total(0);
  for (const Decimal& one : all)
    total = sum(total, one);
  return total;
}

std::optional<std::size_t> phase_index(Phase phase) {
  switch (phase) {
    case Phase::l1:
    case Phase::l1_l2:
      return 0;
    case Phase::l2:
    case Phase::l2_l3:
      return 1;
    case Phase::l3:
    case Phase::l3_l1:
      return 2;
    default:
      return std::nullopt;
  }
}

bool between_phases(Phase phase) {
  return phase == Phase::l1_l2 || phase == Phase::l2_l3 || phase == Phase::l3_l1;
}

// kWh
Decimal energy(const ReadingKey& key, const std::array<Decimal, 4>& registers) {
  const bool tariff = key.tariff >= 1 && key.tariff <= registers.size();
  Decimal wh = tariff ? registers[key.tariff - 1U] : sum_of(registers);
  if (key.phase != Phase::none) wh = times(wh, Decimal(25, -2));
  return or_zero(wh.shifted(-3));
}

Decimal energy_of(const ReadingKey& key, const MeterFace& face) {
  const Decimal imported = energy(key, face.energy_import);
  const Decimal exported = energy(key, face.energy_export);
  switch (key.direction) {
    case Direction::export_:
      return exported;
    case Direction::total:
      return sum(imported, exported);
    case Direction::net:
      return or_zero(imported.minus(exported));
    default:
      return imported;
  }
}

// W
Decimal power_of(const ReadingKey& key, const MeterFace& face) {
  const auto phase = phase_index(key.phase);
  const Decimal net = phase ? face.power[*phase] : sum_of(face.power);
  if (key.direction == Direction::import) return std::max(net, Decimal(0));
  if (key.direction == Direction::export_) return std::max(times(net, Decimal(-1)), Decimal(0));
  return net;
}

Decimal voltage_of(const ReadingKey& key, const MeterFace& face) {
  const Decimal volt = face.voltage[phase_index(key.phase).value_or(0)];
  return between_phases(key.phase) ? times(volt, Decimal(1732, -3)) : volt;
}

Decimal current_of(const ReadingKey& key, const MeterFace& face) {
  if (key.phase == Phase::n) return Decimal(12, -2);
  const auto phase = phase_index(key.phase);
  return phase ? face.current[*phase] : sum_of(face.current);
}

Decimal absolute(const Decimal& value) {
  return value.is_negative() ? times(value, Decimal(-1)) : value;
}

}  // namespace

Decimal shown(const ReadingKey& key, const MeterFace& face) {
  static const Decimal reactive_share(1, -1);
  switch (key.quantity) {
    case Quantity::energy:
      return energy_of(key, face);
    case Quantity::reactive_energy:
      return times(energy_of(key, face), reactive_share);
    case Quantity::apparent_energy:
    case Quantity::heat:
      return energy_of(key, face);
    case Quantity::power:
    case Quantity::dc_power:
      return power_of(key, face);
    case Quantity::reactive_power:
      return times(power_of(key, face), reactive_share);
    case Quantity::apparent_power:
      return absolute(power_of(key, face));
    case Quantity::voltage:
      return voltage_of(key, face);
    case Quantity::current:
    case Quantity::dc_current:
      return current_of(key, face);
    case Quantity::frequency:
      return face.frequency;
    case Quantity::power_factor:
      return Decimal(98, -2);
    case Quantity::phase_angle:
      return Decimal(115, -1);
    case Quantity::thd_voltage:
    case Quantity::thd_current:
      return Decimal(21, -1);
    case Quantity::dc_voltage:
      return Decimal(3805, -1);
    case Quantity::state_of_charge:
      return Decimal(57);
    case Quantity::gas:
    case Quantity::volume:
      return face.gas;
    case Quantity::water:
      return face.water;
    case Quantity::flow:
      return Decimal(12, -1);
    case Quantity::temperature:
    case Quantity::temperature_flow:
    case Quantity::temperature_return:
      return Decimal(235, -1);
    case Quantity::tariff:
      return Decimal(face.tariff);
    case Quantity::input:
      return Decimal(key.number % 2);
    case Quantity::counter:
      return or_zero(sum_of(face.energy_import).rounded(0));
    default:
      return Decimal(1234);  // a number that stands for a text
  }
}

}  // namespace meterbridge::protocol
