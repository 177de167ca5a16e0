// SPDX-License-Identifier: MIT
// Hungarian.
#include "homeassistant/language.hpp"

#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array<Term<Scope>, 5> scopes = {{
    {Scope::grid, "hálózat: "},
    {Scope::battery, "akkumulátor: "},
    {Scope::pv, "napelem: "},
    {Scope::load, "fogyasztók: "},
    {Scope::channel, "{}. csatorna: "},
}};

constexpr std::array<Term<Quantity>, 34> quantities = {{
    {Quantity::energy, "energia"},
    {Quantity::reactive_energy, "meddő energia"},
    {Quantity::apparent_energy, "látszólagos energia"},
    {Quantity::power, "hatásos teljesítmény"},
    {Quantity::reactive_power, "meddő teljesítmény"},
    {Quantity::apparent_power, "látszólagos teljesítmény"},
    {Quantity::voltage, "feszültség"},
    {Quantity::current, "áramerősség"},
    {Quantity::frequency, "frekvencia"},
    {Quantity::power_factor, "teljesítménytényező"},
    {Quantity::phase_angle, "fázisszög"},
    {Quantity::thd_voltage, "feszültség torzítása"},
    {Quantity::thd_current, "áram torzítása"},
    {Quantity::dc_voltage, "egyenfeszültség"},
    {Quantity::dc_current, "egyenáram"},
    {Quantity::dc_power, "egyenáramú teljesítmény"},
    {Quantity::state_of_charge, "töltöttségi szint"},
    {Quantity::gas, "gáz"},
    {Quantity::water, "víz"},
    {Quantity::volume, "térfogat"},
    {Quantity::heat, "hőmennyiség"},
    {Quantity::flow, "térfogatáram"},
    {Quantity::temperature, "hőmérséklet"},
    {Quantity::temperature_flow, "előremenő hőmérséklet"},
    {Quantity::temperature_return, "visszatérő hőmérséklet"},
    {Quantity::tariff, "tarifa"},
    {Quantity::serial, "gyári szám"},
    {Quantity::firmware, "firmware"},
    {Quantity::clock, "mérő órája"},
    {Quantity::status, "állapot"},
    {Quantity::message, "üzenet"},
    {Quantity::input, "{}. bemenet"},
    {Quantity::counter, "{}. számláló"},
    {Quantity::value, "{}. érték"},
}};

constexpr std::array<Phrase, 13> phrases = {{
    {Quantity::energy, Direction::import, "fogyasztás"},
    {Quantity::energy, Direction::export_, "visszatáplálás"},
    {Quantity::energy, Direction::net, "energiaegyenleg"},
    {Quantity::reactive_energy, Direction::import, "vételezett meddő energia"},
    {Quantity::reactive_energy, Direction::export_, "visszatáplált meddő energia"},
    {Quantity::apparent_energy, Direction::import, "vételezett látszólagos energia"},
    {Quantity::apparent_energy, Direction::export_, "visszatáplált látszólagos energia"},
    {Quantity::power, Direction::import, "vételezett teljesítmény"},
    {Quantity::power, Direction::export_, "visszatáplált teljesítmény"},
    {Quantity::reactive_power, Direction::import, "vételezett meddő teljesítmény"},
    {Quantity::reactive_power, Direction::export_, "visszatáplált meddő teljesítmény"},
    {Quantity::apparent_power, Direction::import, "vételezett látszólagos teljesítmény"},
    {Quantity::apparent_power, Direction::export_, "visszatáplált látszólagos teljesítmény"},
}};

constexpr std::array<Term<Direction>, 8> directions = {{
    {Direction::import, ", vételezés"},
    {Direction::export_, ", visszatáplálás"},
    {Direction::net, ", egyenleg"},
    {Direction::total, " összesen"},
    {Direction::q1, " Q1"},
    {Direction::q2, " Q2"},
    {Direction::q3, " Q3"},
    {Direction::q4, " Q4"},
}};

constexpr std::array<Term<Aspect>, 3> aspects = {{
    {Aspect::demand, ", átlag"},
    {Aspect::peak, ", csúcsérték"},
    {Aspect::limit, ", határérték"},
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
    {Word::breaker, "Megszakító"},
    {Word::connectivity, "Kapcsolat"},
    {Word::last_reading, "Utolsó leolvasás"},
    {Word::fault, "Hibaállapot"},
    {Word::error, "Hibaüzenet"},
    {Word::error_rate, "Hibaarány"},
    {Word::recoveries, "Helyreállítások"},
    {Word::poll_time, "Lekérdezés időtartama"},
    {Word::poll, "Lekérdezés most"},
    {Word::interval, "Lekérdezési időköz"},
    {Word::pause, "Szüneteltetés"},
    {Word::uptime, "Üzemidő"},
    {Word::memory, "Memória"},
    {Word::queue, "Várakozó üzenetek"},
    {Word::version, "Verzió"},
    {Word::alarms, "Riasztások"},
}};

constexpr std::array<Term<std::string_view>, 8> media = {{
    {"gas", "Gázmérő"},
    {"water", "Vízmérő"},
    {"heat", "Hőmennyiségmérő"},
    {"electricity", "Villanyóra"},
    {"allocator", "Fűtési költségmegosztó"},
    {"sensor", "Érzékelő"},
    {"ert", "ERT-mérő"},
    {"other", "Mérő"},
}};

constexpr std::array<Term<std::string_view>, 6> anomalies = {{
    {"stuck", "Az értékek nem változnak"},
    {"sign", "Hibás előjel"},
    {"lost_phase", "Fáziskimaradás"},
    {"phase_sum", "A fázisok összege nem egyezik"},
    {"power_product", "A feszültség és az áram nem adja ki a teljesítményt"},
    {"energy", "A számláló nem követi a teljesítményt"},
}};

}  // namespace

constinit const Language languages_of_the_house::hungarian = {
    "hu",   scopes,         quantities, phrases, directions, aspects,
    phases, ", {}. tarifa", words,      media,   anomalies};

}  // namespace meterbridge::homeassistant
