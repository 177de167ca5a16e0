// SPDX-License-Identifier: MIT
#include "facts.hpp"

#include <stdexcept>

namespace meterbridge::homeassistant::test {
namespace {

constexpr int last_quantity = static_cast<int>(Quantity::value);
constexpr int last_direction = static_cast<int>(Direction::q4);
constexpr int last_aspect = static_cast<int>(Aspect::limit);
constexpr int last_phase = static_cast<int>(Phase::l3_l1);

void add_if_known(std::vector<EntityFacts>& all, const ReadingKey& key, Kind kind) {
  const auto parsed = ReadingKey::parse(key.text());
  if (!parsed || *parsed != key) return;
  EntityFacts facts;
  facts.key = key;
  facts.kind = kind;
  facts.precision = 3;
  if (kind == Kind::number) {
    facts.unit = key.quantity == Quantity::heat ? Unit::GJ : canonical_unit(key.quantity);
  }
  all.push_back(facts);
}

void add_forms(std::vector<EntityFacts>& all, ReadingKey key, Kind kind) {
  for (int direction = 0; direction <= last_direction; ++direction) {
    for (int aspect = 0; aspect <= last_aspect; ++aspect) {
      for (int phase = 0; phase <= last_phase; ++phase) {
        for (const int tariff : {0, 8}) {
          if (tariff != 0 && kind != Kind::number) continue;
          key.direction = static_cast<Direction>(direction);
          key.aspect = static_cast<Aspect>(aspect);
          key.phase = static_cast<Phase>(phase);
          key.tariff = static_cast<std::uint8_t>(tariff);
          add_if_known(all, key, kind);
        }
      }
    }
  }
}

}  // namespace

BridgeFacts bridge() {
  BridgeFacts facts;
  facts.instance = "meterbridge";
  facts.base = "meterbridge";
  facts.version = "0.1.0";
  return facts;
}

EntityFacts entity(std::string_view key, Kind kind, int precision, std::string label) {
  const auto parsed = ReadingKey::parse(key);
  if (!parsed) throw std::invalid_argument(parsed.error().detail());
  EntityFacts facts;
  facts.key = *parsed;
  facts.kind = kind;
  if (kind == Kind::number) facts.unit = canonical_unit(parsed->quantity);
  facts.precision = precision;
  facts.label = std::move(label);
  return facts;
}

EntityFacts with_unit(EntityFacts facts, Unit unit) {
  facts.unit = unit;
  return facts;
}

MeterFacts polled_house() {
  MeterFacts meter;
  meter.id = "house";
  meter.name = "House meter";
  meter.identity.manufacturer = "Energomera";
  meter.identity.model = "CE307";
  meter.identity.serial = "011076013462";
  meter.identity.firmware = "7.1";
  meter.entities = {
      entity("energy_import", Kind::number, 2),
      entity("energy_import_t1", Kind::number, 2, "Day"),
      entity("energy_import_t2", Kind::number, 2),
      entity("power", Kind::number, 0),
      entity("serial", Kind::text),
      entity("clock", Kind::time),
      entity("status", Kind::text),
  };
  return meter;
}

MeterFacts pushing_p1() {
  MeterFacts meter;
  meter.id = "p1";
  meter.name = "P1";
  meter.polled = false;
  meter.identity.manufacturer = "Sagemcom";
  meter.identity.serial = "890082200002160";
  meter.entities = {
      entity("energy_import", Kind::number, 3),
      entity("energy_export", Kind::number, 3),
      entity("energy_net", Kind::number, 3),
      entity("energy_import_t1", Kind::number, 3),
      entity("energy_import_t2", Kind::number, 3),
      entity("reactive_energy_import", Kind::number, 3),
      entity("reactive_energy_q1", Kind::number, 3),
      entity("apparent_energy_import", Kind::number, 3),
      entity("power", Kind::number, 0),
      entity("power_import", Kind::number, 0),
      entity("power_import_demand", Kind::number, 0),
      entity("power_import_peak", Kind::number, 0),
      entity("power_limit", Kind::number, 0),
      entity("reactive_power_import", Kind::number, 0),
      entity("apparent_power", Kind::number, 0),
      entity("voltage_l1", Kind::number, 1),
      entity("voltage_l1_l2", Kind::number, 1),
      entity("current_l1", Kind::number, 2),
      entity("current_limit_l1", Kind::number, 0),
      entity("frequency", Kind::number, 2),
      entity("power_factor_l1", Kind::number, 3),
      entity("phase_angle_l1", Kind::number, 1),
      entity("thd_voltage_l1", Kind::number, 1),
      entity("battery_state_of_charge", Kind::number, 1),
      entity("battery_energy_export", Kind::number, 1),
      entity("channel2_power", Kind::number, 1),
      entity("flow", Kind::number, 3),
      entity("temperature_flow", Kind::number, 1),
      with_unit(entity("heat", Kind::number, 3), Unit::GJ),
      entity("tariff", Kind::number),
      entity("status", Kind::flag),
      entity("input_7", Kind::flag),
      entity("counter_3", Kind::number),
      entity("value_4", Kind::number),
      entity("message", Kind::text),
      entity("firmware", Kind::text),
  };
  return meter;
}

MeterFacts gas_behind_p1() {
  MeterFacts meter;
  meter.id = "p1_gas_4730303339303031";
  meter.parent = "p1";
  meter.medium = "gas";
  meter.polled = false;
  meter.identity.serial = "G0039001";
  meter.entities = {entity("gas", Kind::number, 3)};
  return meter;
}

std::vector<MeterFacts> all_meters() {
  return {polled_house(), pushing_p1(), gas_behind_p1()};
}

std::vector<EntityFacts> all_readings(Kind kind) {
  std::vector<EntityFacts> all;
  for (const Scope scope : {Scope::none, Scope::channel}) {
    if (scope != Scope::none && kind != Kind::number) continue;
    for (int quantity = 0; quantity <= last_quantity; ++quantity) {
      ReadingKey key;
      key.scope = scope;
      if (scope == Scope::channel) key.channel = 12;
      key.quantity = static_cast<Quantity>(quantity);
      if (key.quantity == Quantity::input || key.quantity == Quantity::counter ||
          key.quantity == Quantity::value)
        key.number = 7;
      add_forms(all, key, kind);
    }
  }
  return all;
}

}  // namespace meterbridge::homeassistant::test
