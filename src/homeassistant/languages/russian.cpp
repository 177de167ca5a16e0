// SPDX-License-Identifier: MIT
// Russian. Energy and power are feminine, and so are their adjectives.
#include "homeassistant/language.hpp"

#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array<Term<Scope>, 5> scopes = {{
    {Scope::grid, "сеть: "},
    {Scope::battery, "аккумулятор: "},
    {Scope::pv, "солнечные панели: "},
    {Scope::load, "нагрузка: "},
    {Scope::channel, "канал {}: "},
}};

constexpr std::array<Term<Quantity>, 34> quantities = {{
    {Quantity::energy, "энергия"},
    {Quantity::reactive_energy, "реактивная энергия"},
    {Quantity::apparent_energy, "полная энергия"},
    {Quantity::power, "активная мощность"},
    {Quantity::reactive_power, "реактивная мощность"},
    {Quantity::apparent_power, "полная мощность"},
    {Quantity::voltage, "напряжение"},
    {Quantity::current, "ток"},
    {Quantity::frequency, "частота"},
    {Quantity::power_factor, "коэффициент мощности"},
    {Quantity::phase_angle, "угол сдвига фаз"},
    {Quantity::thd_voltage, "искажение напряжения"},
    {Quantity::thd_current, "искажение тока"},
    {Quantity::dc_voltage, "постоянное напряжение"},
    {Quantity::dc_current, "постоянный ток"},
    {Quantity::dc_power, "мощность постоянного тока"},
    {Quantity::state_of_charge, "уровень заряда"},
    {Quantity::gas, "газ"},
    {Quantity::water, "вода"},
    {Quantity::volume, "объём"},
    {Quantity::heat, "тепловая энергия"},
    {Quantity::flow, "расход"},
    {Quantity::temperature, "температура"},
    {Quantity::temperature_flow, "температура подачи"},
    {Quantity::temperature_return, "температура обратки"},
    {Quantity::tariff, "тариф"},
    {Quantity::serial, "заводской номер"},
    {Quantity::firmware, "прошивка"},
    {Quantity::clock, "часы счётчика"},
    {Quantity::status, "состояние"},
    {Quantity::message, "сообщение"},
    {Quantity::input, "вход {}"},
    {Quantity::counter, "счётчик импульсов {}"},
    {Quantity::value, "значение {}"},
}};

constexpr std::array<Phrase, 13> phrases = {{
    {Quantity::energy, Direction::import, "потреблённая энергия"},
    {Quantity::energy, Direction::export_, "отданная энергия"},
    {Quantity::energy, Direction::net, "сальдо энергии"},
    {Quantity::reactive_energy, Direction::import, "потреблённая реактивная энергия"},
    {Quantity::reactive_energy, Direction::export_, "отданная реактивная энергия"},
    {Quantity::apparent_energy, Direction::import, "потреблённая полная энергия"},
    {Quantity::apparent_energy, Direction::export_, "отданная полная энергия"},
    {Quantity::power, Direction::import, "потребляемая мощность"},
    {Quantity::power, Direction::export_, "отдаваемая мощность"},
    {Quantity::reactive_power, Direction::import, "потребляемая реактивная мощность"},
    {Quantity::reactive_power, Direction::export_, "отдаваемая реактивная мощность"},
    {Quantity::apparent_power, Direction::import, "потребляемая полная мощность"},
    {Quantity::apparent_power, Direction::export_, "отдаваемая полная мощность"},
}};

constexpr std::array<Term<Direction>, 8> directions = {{
    {Direction::import, ", приём"},
    {Direction::export_, ", отдача"},
    {Direction::net, ", сальдо"},
    {Direction::total, ", всего"},
    {Direction::q1, " Q1"},
    {Direction::q2, " Q2"},
    {Direction::q3, " Q3"},
    {Direction::q4, " Q4"},
}};

constexpr std::array<Term<Aspect>, 3> aspects = {{
    {Aspect::demand, ", среднее значение"},
    {Aspect::peak, ", максимум"},
    {Aspect::limit, ", предел"},
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
    {Word::breaker, "Реле нагрузки"},
    {Word::connectivity, "Связь"},
    {Word::last_reading, "Последнее показание"},
    {Word::fault, "Неисправность"},
    {Word::error, "Сообщение об ошибке"},
    {Word::error_rate, "Доля ошибок"},
    {Word::recoveries, "Восстановления"},
    {Word::poll_time, "Время опроса"},
    {Word::poll, "Опросить сейчас"},
    {Word::interval, "Период опроса"},
    {Word::pause, "Пауза"},
    {Word::uptime, "Время работы"},
    {Word::memory, "Память"},
    {Word::queue, "Очередь"},
    {Word::version, "Версия"},
    {Word::alarms, "Тревоги"},
}};

constexpr std::array<Term<std::string_view>, 8> media = {{
    {"gas", "Счётчик газа"},
    {"water", "Счётчик воды"},
    {"heat", "Счётчик тепла"},
    {"electricity", "Счётчик электроэнергии"},
    {"allocator", "Распределитель тепла"},
    {"sensor", "Датчик"},
    {"ert", "Счётчик ERT"},
    {"other", "Счётчик"},
}};

constexpr std::array<Term<std::string_view>, 6> anomalies = {{
    {"stuck", "Значения не меняются"},
    {"sign", "Неверный знак"},
    {"lost_phase", "Обрыв фазы"},
    {"phase_sum", "Сумма фаз не сходится"},
    {"power_product", "Напряжение и ток не дают мощности"},
    {"energy", "Счётчик не следует за мощностью"},
}};

}  // namespace

constinit const Language languages_of_the_house::russian = {
    "ru",   scopes,       quantities, phrases, directions, aspects,
    phases, ", тариф {}", words,      media,   anomalies};

}  // namespace meterbridge::homeassistant
