// SPDX-License-Identifier: MIT
#include "history/layouts.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::history {
namespace {

constexpr std::array<Name, 1> default_names{{{"time_local", "", ""}}};
constexpr std::array<std::string_view, 1> default_marks{"time_local"};

constexpr std::array<Name, 4> okosmero_names{{
    {"Import", "power_import", "kW"},
    {"Export", "power_export", "kW"},
    {"TotalImport", "energy_import", "kWh"},
    {"TotalExport", "energy_export", "kWh"},
}};
constexpr std::array<std::string_view, 3> okosmero_marks{"MeterId", "DST", "TotalImport"};

constexpr std::array<Name, 14> netz_noe_names{{
    {"U_L1", "voltage_l1", "V"},
    {"U_L2", "voltage_l2", "V"},
    {"U_L3", "voltage_l3", "V"},
    {"I_L1", "current_l1", "A"},
    {"I_L2", "current_l2", "A"},
    {"I_L3", "current_l3", "A"},
    {"COS(PHI)", "power_factor", ""},
    {"P_ZU", "power_import", "W"},
    {"P_AB", "power_export", "W"},
    {"E_ZU", "energy_import", "Wh"},
    {"E_AB", "energy_export", "Wh"},
    // The board's own sensor and reception.
    {"T", "", ""},
    {"RH", "", ""},
    {"RSSI", "", ""},
}};
constexpr std::array<std::string_view, 2> netz_noe_marks{"E_ZU", "U_L1"};

constexpr std::array<Name, 15> energy_data_names{{
    {"id", "", ""},
    {"active_power", "power", "kW"},
    {"reactive_power", "reactive_power", "kvar"},
    {"apparent_power", "apparent_power", "kVA"},
    {"power_factor", "power_factor", ""},
    {"voltage_l1", "voltage_l1", "V"},
    {"voltage_l2", "voltage_l2", "V"},
    {"voltage_l3", "voltage_l3", "V"},
    {"current_l1", "current_l1", "A"},
    {"current_l2", "current_l2", "A"},
    {"current_l3", "current_l3", "A"},
    {"frequency", "frequency", "Hz"},
    {"energy_consumed", "energy_import", "kWh"},
    {"data_quality", "", ""},
    {"created_at", "", ""},
}};
constexpr std::array<std::string_view, 2> energy_data_marks{"device_name", "active_power"};

constexpr std::array<Name, 2> wide_names{{{"instance", "", ""}, {"sequence", "", ""}}};
constexpr std::array<std::string_view, 2> wide_marks{"meter", "energy_import"};
constexpr std::array<std::string_view, 3> values_marks{"meter", "name", "shown"};
constexpr std::array<std::string_view, 2> flux_marks{"_field", "_value"};
constexpr std::array<std::string_view, 1> influx_table_marks{"name"};
constexpr std::array<Name, 1> influx_table_names{{{"tags", "", ""}}};
constexpr std::array<std::string_view, 2> history_marks{"entity_id", "state"};

constexpr std::array<Name, 9> orman_names{{
    {"power", "power", "kW"},
    {"voltage", "voltage", "V"},
    {"current", "current", "A"},
    {"active_energy_total", "energy_import", "kWh"},
    {"active_energy_t1", "energy_import_t1", "kWh"},
    {"active_energy_t2", "energy_import_t2", "kWh"},
    {"active_energy_t3", "energy_import_t3", "kWh"},
    {"active_energy_t4", "energy_import_t4", "kWh"},
    {"reactive_energy_total", "reactive_energy_import", "kvarh"},
}};

const Decimal* number_of(const Sample& sample, const ReadingKey& key) {
  for (const Reading& reading : sample.readings) {
    if (reading.key == key) return std::get_if<Decimal>(&reading.value);
  }
  return nullptr;
}

// That logger writes 0 for what it could not read, and the first tariff once more as the total.
bool mend_orman(Sample& sample) {
  const auto energy = [](int tariff) {
    return make_key(Quantity::energy, Direction::import, Phase::none, tariff);
  };
  const Decimal* const first = number_of(sample, energy(1));
  const bool unread = first != nullptr && first->is_zero();
  bool others = false;
  for (int tariff = 2; tariff <= 4; ++tariff) {
    const Decimal* const number = number_of(sample, energy(tariff));
    others = others || (number != nullptr && !number->is_zero());
  }
  const Decimal* const total = number_of(sample, energy(0));
  const bool repeated = total != nullptr && first != nullptr && *total == *first && others;
  std::erase_if(sample.readings, [&](const Reading& reading) {
    if (reading.key == energy(0) && repeated) return true;
    if (reading.key.quantity == Quantity::energy) return unread && !others;
    const auto* number = std::get_if<Decimal>(&reading.value);
    const bool never_zero = reading.key.quantity == Quantity::voltage ||
                            reading.key.quantity == Quantity::reactive_energy;
    return never_zero && number != nullptr && number->is_zero();
  });
  return !sample.readings.empty();
}

// Those that are known by more come first.
constexpr std::array<Layout, 12> all{{
    {.name = "default",
     .about = "our CSV files (default, monthly), and journal export --format csv",
     .time = "time_utc",
     .meter = "meter",
     .marks = default_marks,
     .names = default_names,
     .ours = true},
    {.name = "json", .about = "journal export --format json", .form = Form::json, .ours = true},
    {.name = "influx",
     .about = "line protocol of InfluxDB: journal export --format influx, influx_inspect export",
     .form = Form::lines,
     .ours = true},
    {.name = "saiman-orman",
     .about = "line protocol or CSV with the measurement energy_measurement of the Saiman server",
     .form = Form::lines,
     .names = orman_names,
     .mend = mend_orman},
    {.name = "influx-csv",
     .about = "CSV of InfluxDB 2: influx query --raw, or the page's download",
     .form = Form::list,
     .time = "_time",
     .meter = "meter",
     .key = "_field",
     .value = "_value",
     .marks = flux_marks,
     .ours = true},
    {.name = "influx-table",
     .about = "CSV of InfluxDB 1: influx -format csv",
     .time = "time",
     .meter = "name",
     .marks = influx_table_marks,
     .names = influx_table_names,
     .ours = true},
    {.name = "sql-values",
     .about = "our view meterbridge_values as CSV",
     .form = Form::list,
     .utc = true,
     .time = "at_utc",
     .meter = "meter",
     .key = "name",
     .value = "shown",
     .unit = "unit",
     .marks = values_marks,
     .ours = true},
    {.name = "sql-wide",
     .about = "our view meterbridge_wide as CSV",
     .filled_up = true,
     .utc = true,
     .time = "at_utc",
     .meter = "meter",
     .marks = wide_marks,
     .names = wide_names,
     .ours = true},
    {.name = "okosmero",
     .about = "daily CSV files of the Hungarian P1 logger",
     .time = "Time",
     .season = "DST",
     .meter = "MeterId",
     .marks = okosmero_marks,
     .names = okosmero_names},
    {.name = "netz-noe",
     .about = "monthly CSV files of the ESP32 logger for Kaifa MA309M and Sagemcom T210-D",
     .separator = ';',
     .decimal_comma = true,
     .time = "DATUM_ZEIT",
     .marks = netz_noe_marks,
     .names = netz_noe_names},
    {.name = "energy-data",
     .about = "table energy_data of the workshop's MySQL: mysqldump, or CSV",
     .time = "timestamp",
     .meter = "device_name",
     .marks = energy_data_marks,
     .names = energy_data_names},
    {.name = "home-assistant",
     .about = "Home Assistant's history as CSV; name each entity with --map",
     .form = Form::list,
     .time = "last_changed",
     .key = "entity_id",
     .value = "state",
     .marks = history_marks},
}};

}  // namespace

std::span<const Layout> layouts() {
  return all;
}

const Layout* find_layout(std::string_view name) {
  const auto found = std::ranges::find(all, name, &Layout::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace meterbridge::history
