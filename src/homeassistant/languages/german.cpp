// SPDX-License-Identifier: MIT
// German. Nouns keep their capitals.
#include "homeassistant/language.hpp"

#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array<Term<Scope>, 5> scopes = {{
    {Scope::grid, "Netz: "},
    {Scope::battery, "Batterie: "},
    {Scope::pv, "PV: "},
    {Scope::load, "Verbraucher: "},
    {Scope::channel, "Kanal {}: "},
}};

constexpr std::array<Term<Quantity>, 34> quantities = {{
    {Quantity::energy, "Energie"},
    {Quantity::reactive_energy, "Blindarbeit"},
    {Quantity::apparent_energy, "Scheinarbeit"},
    {Quantity::power, "Wirkleistung"},
    {Quantity::reactive_power, "Blindleistung"},
    {Quantity::apparent_power, "Scheinleistung"},
    {Quantity::voltage, "Spannung"},
    {Quantity::current, "Strom"},
    {Quantity::frequency, "Frequenz"},
    {Quantity::power_factor, "Leistungsfaktor"},
    {Quantity::phase_angle, "Phasenwinkel"},
    {Quantity::thd_voltage, "Klirrfaktor der Spannung"},
    {Quantity::thd_current, "Klirrfaktor des Stroms"},
    {Quantity::dc_voltage, "Gleichspannung"},
    {Quantity::dc_current, "Gleichstrom"},
    {Quantity::dc_power, "Gleichstromleistung"},
    {Quantity::state_of_charge, "Ladezustand"},
    {Quantity::gas, "Gas"},
    {Quantity::water, "Wasser"},
    {Quantity::volume, "Volumen"},
    {Quantity::heat, "Wärmemenge"},
    {Quantity::flow, "Durchfluss"},
    {Quantity::temperature, "Temperatur"},
    {Quantity::temperature_flow, "Vorlauftemperatur"},
    {Quantity::temperature_return, "Rücklauftemperatur"},
    {Quantity::tariff, "Tarif"},
    {Quantity::serial, "Zählernummer"},
    {Quantity::firmware, "Firmware"},
    {Quantity::clock, "Zähleruhr"},
    {Quantity::status, "Status"},
    {Quantity::message, "Nachricht"},
    {Quantity::input, "Eingang {}"},
    {Quantity::counter, "Impulszähler {}"},
    {Quantity::value, "Wert {}"},
}};

constexpr std::array<Phrase, 3> phrases = {{
    {Quantity::energy, Direction::import, "Bezug"},
    {Quantity::energy, Direction::export_, "Einspeisung"},
    {Quantity::energy, Direction::net, "Energiesaldo"},
}};

constexpr std::array<Term<Direction>, 8> directions = {{
    {Direction::import, " Bezug"},
    {Direction::export_, " Einspeisung"},
    {Direction::net, " Saldo"},
    {Direction::total, " gesamt"},
    {Direction::q1, " Q1"},
    {Direction::q2, " Q2"},
    {Direction::q3, " Q3"},
    {Direction::q4, " Q4"},
}};

constexpr std::array<Term<Aspect>, 3> aspects = {{
    {Aspect::demand, " Mittelwert"},
    {Aspect::peak, " Höchstwert"},
    {Aspect::limit, " Grenzwert"},
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
    {Word::breaker, "Trennschalter"},
    {Word::connectivity, "Verbindung"},
    {Word::last_reading, "Letzte Ablesung"},
    {Word::fault, "Störung"},
    {Word::error, "Fehlermeldung"},
    {Word::error_rate, "Fehlerquote"},
    {Word::recoveries, "Wiederherstellungen"},
    {Word::poll_time, "Abfragedauer"},
    {Word::poll, "Jetzt abfragen"},
    {Word::interval, "Abfrageintervall"},
    {Word::pause, "Pause"},
    {Word::uptime, "Laufzeit"},
    {Word::memory, "Arbeitsspeicher"},
    {Word::queue, "Warteschlange"},
    {Word::version, "Version"},
    {Word::alarms, "Alarme"},
}};

constexpr std::array<Term<std::string_view>, 8> media = {{
    {"gas", "Gaszähler"},
    {"water", "Wasserzähler"},
    {"heat", "Wärmezähler"},
    {"electricity", "Stromzähler"},
    {"allocator", "Heizkostenverteiler"},
    {"sensor", "Sensor"},
    {"ert", "ERT-Zähler"},
    {"other", "Zähler"},
}};

constexpr std::array<Term<std::string_view>, 6> anomalies = {{
    {"stuck", "Werte stehen still"},
    {"sign", "Falsches Vorzeichen"},
    {"lost_phase", "Phase ausgefallen"},
    {"phase_sum", "Phasen ergeben nicht die Summe"},
    {"power_product", "Spannung und Strom ergeben nicht die Leistung"},
    {"energy", "Zählwerk folgt der Leistung nicht"},
}};

}  // namespace

constinit const Language languages_of_the_house::german = {
    "de",   scopes,      quantities, phrases, directions, aspects,
    phases, " Tarif {}", words,      media,   anomalies};

}  // namespace meterbridge::homeassistant
