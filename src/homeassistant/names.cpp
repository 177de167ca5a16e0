// SPDX-License-Identifier: MIT
// Names of entities. Tariffs are numbered, never "low" or "high": which is which differs from
// country to country.
#include "core/text.hpp"
#include "homeassistant/documents.hpp"

namespace meterbridge::homeassistant {
namespace {

std::string_view words(Quantity quantity) {
  switch (quantity) {
    case Quantity::energy:
      return "Energy";
    case Quantity::reactive_energy:
      return "Reactive energy";
    case Quantity::apparent_energy:
      return "Apparent energy";
    case Quantity::power:
      return "Power";
    case Quantity::reactive_power:
      return "Reactive power";
    case Quantity::apparent_power:
      return "Apparent power";
    case Quantity::voltage:
      return "Voltage";
    case Quantity::current:
      return "Current";
    case Quantity::frequency:
      return "Frequency";
    case Quantity::power_factor:
      return "Power factor";
    case Quantity::phase_angle:
      return "Phase angle";
    case Quantity::thd_voltage:
      return "Voltage distortion";
    case Quantity::thd_current:
      return "Current distortion";
    case Quantity::dc_voltage:
      return "DC voltage";
    case Quantity::dc_current:
      return "DC current";
    case Quantity::dc_power:
      return "DC power";
    case Quantity::state_of_charge:
      return "State of charge";
    case Quantity::gas:
      return "Gas";
    case Quantity::water:
      return "Water";
    case Quantity::volume:
      return "Volume";
    case Quantity::heat:
      return "Heat";
    case Quantity::flow:
      return "Flow";
    case Quantity::temperature:
      return "Temperature";
    case Quantity::temperature_flow:
      return "Flow temperature";
    case Quantity::temperature_return:
      return "Return temperature";
    case Quantity::tariff:
      return "Tariff";
    case Quantity::serial:
      return "Serial number";
    case Quantity::firmware:
      return "Firmware";
    case Quantity::clock:
      return "Clock";
    case Quantity::status:
      return "Status";
    case Quantity::message:
      return "Message";
    case Quantity::input:
      return "Input";
    case Quantity::counter:
      return "Counter";
  }
  return "Value";
}

std::string_view words(Direction direction) {
  switch (direction) {
    case Direction::none:
      return "";
    case Direction::import:
      return " import";
    case Direction::export_:
      return " export";
    case Direction::net:
      return " net";
    case Direction::total:
      return " total";
    case Direction::q1:
      return " Q1";
    case Direction::q2:
      return " Q2";
    case Direction::q3:
      return " Q3";
    case Direction::q4:
      return " Q4";
  }
  return "";
}

std::string_view words(Aspect aspect) {
  switch (aspect) {
    case Aspect::none:
      return "";
    case Aspect::demand:
      return " demand";
    case Aspect::peak:
      return " peak";
    case Aspect::limit:
      return " limit";
  }
  return "";
}

std::string_view words(Phase phase) {
  switch (phase) {
    case Phase::none:
      return "";
    case Phase::l1:
      return " L1";
    case Phase::l2:
      return " L2";
    case Phase::l3:
      return " L3";
    case Phase::n:
      return " N";
    case Phase::l1_l2:
      return " L1-L2";
    case Phase::l2_l3:
      return " L2-L3";
    case Phase::l3_l1:
      return " L3-L1";
  }
  return "";
}

std::string words(const ReadingKey& key) {
  switch (key.scope) {
    case Scope::none:
      return "";
    case Scope::grid:
      return "Grid ";
    case Scope::battery:
      return "Battery ";
    case Scope::pv:
      return "PV ";
    case Scope::load:
      return "Load ";
    case Scope::channel:
      return "Channel " + std::to_string(key.channel) + " ";
  }
  return "";
}

}  // namespace

std::string entity_name(const ReadingKey& key) {
  std::string name = words(key);
  std::string quantity(words(key.quantity));
  // Inside a sentence only the abbreviation DC keeps its capitals.
  if (!name.empty() && !quantity.starts_with("DC")) quantity = lower(quantity);
  name += quantity;
  if (key.quantity == Quantity::input || key.quantity == Quantity::counter) {
    name += " " + std::to_string(key.number);
  }
  name += words(key.direction);
  name += words(key.aspect);
  name += words(key.phase);
  if (key.tariff != 0) name += " tariff " + std::to_string(key.tariff);
  return name;
}

}  // namespace meterbridge::homeassistant
