// SPDX-License-Identifier: MIT
// English.
#include "homeassistant/language.hpp"

#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array<Term<Scope>, 5> scopes = {{
    {Scope::grid, "grid "},
    {Scope::battery, "battery "},
    {Scope::pv, "PV "},
    {Scope::load, "load "},
    {Scope::channel, "channel {} "},
}};

constexpr std::array<Term<Quantity>, 34> quantities = {{
    {Quantity::energy, "energy"},
    {Quantity::reactive_energy, "reactive energy"},
    {Quantity::apparent_energy, "apparent energy"},
    {Quantity::power, "power"},
    {Quantity::reactive_power, "reactive power"},
    {Quantity::apparent_power, "apparent power"},
    {Quantity::voltage, "voltage"},
    {Quantity::current, "current"},
    {Quantity::frequency, "frequency"},
    {Quantity::power_factor, "power factor"},
    {Quantity::phase_angle, "phase angle"},
    {Quantity::thd_voltage, "voltage distortion"},
    {Quantity::thd_current, "current distortion"},
    {Quantity::dc_voltage, "DC voltage"},
    {Quantity::dc_current, "DC current"},
    {Quantity::dc_power, "DC power"},
    {Quantity::state_of_charge, "state of charge"},
    {Quantity::gas, "gas"},
    {Quantity::water, "water"},
    {Quantity::volume, "volume"},
    {Quantity::heat, "heat"},
    {Quantity::flow, "flow"},
    {Quantity::temperature, "temperature"},
    {Quantity::temperature_flow, "flow temperature"},
    {Quantity::temperature_return, "return temperature"},
    {Quantity::tariff, "tariff"},
    {Quantity::serial, "serial number"},
    {Quantity::firmware, "firmware"},
    {Quantity::clock, "clock"},
    {Quantity::status, "status"},
    {Quantity::message, "message"},
    {Quantity::input, "input {}"},
    {Quantity::counter, "counter {}"},
    {Quantity::value, "value {}"},
}};

constexpr std::array<Term<Direction>, 8> directions = {{
    {Direction::import, " import"},
    {Direction::export_, " export"},
    {Direction::net, " net"},
    {Direction::total, " total"},
    {Direction::q1, " Q1"},
    {Direction::q2, " Q2"},
    {Direction::q3, " Q3"},
    {Direction::q4, " Q4"},
}};

constexpr std::array<Term<Aspect>, 3> aspects = {{
    {Aspect::demand, " demand"},
    {Aspect::peak, " peak"},
    {Aspect::limit, " limit"},
}};

constexpr std::array<Term<Phase>, 7> phases = {{
    {Phase::l1, " L1"},
    {Phase::l2, " L2"},
    {Phase::l3, " L3"},
    {Phase::n, " N"},
    {Phase::l1_l2, " L1-L2"},
    {Phase::l2_l3, " L2-L3"},
    {Phase::l3_l1, " L3-L1"},
}};

constexpr std::array<Term<Word>, 16> words = {{
    {Word::breaker, "Breaker"},
    {Word::connectivity, "Connectivity"},
    {Word::last_reading, "Last reading"},
    {Word::fault, "Fault"},
    {Word::error, "Error"},
    {Word::error_rate, "Error rate"},
    {Word::recoveries, "Recoveries"},
    {Word::poll_time, "Poll time"},
    {Word::poll, "Poll now"},
    {Word::interval, "Interval"},
    {Word::pause, "Pause"},
    {Word::uptime, "Uptime"},
    {Word::memory, "Memory"},
    {Word::queue, "Queue"},
    {Word::version, "Version"},
    {Word::alarms, "Alarms"},
}};

constexpr std::array<Term<std::string_view>, 8> media = {{
    {"gas", "Gas meter"},
    {"water", "Water meter"},
    {"heat", "Heat meter"},
    {"electricity", "Electricity meter"},
    {"allocator", "Heat cost allocator"},
    {"sensor", "Sensor"},
    {"ert", "ERT meter"},
    {"other", "Meter"},
}};

constexpr std::array<Term<std::string_view>, 6> anomalies = {{
    {"stuck", "Values stand still"},
    {"sign", "Wrong sign"},
    {"lost_phase", "Phase lost"},
    {"phase_sum", "Phases are not the total"},
    {"power_product", "Voltage and current are not the power"},
    {"energy", "Counter does not follow the power"},
}};

}  // namespace

constinit const Language languages_of_the_house::english = {
    "en",   scopes,       quantities, {},    directions, aspects,
    phases, " tariff {}", words,      media, anomalies};

}  // namespace meterbridge::homeassistant
