// SPDX-License-Identifier: MIT
#include "facts.hpp"
#include "rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;

struct Expected {
  std::string_view key;
  Unit unit;
  std::string_view device_class, state_class, symbol;
};

constexpr Expected table[] = {
    {"energy_import", Unit::kWh, "energy", "total_increasing", "kWh"},
    {"energy_export_t4", Unit::kWh, "energy", "total_increasing", "kWh"},
    {"energy_total", Unit::kWh, "energy", "total_increasing", "kWh"},
    {"energy_net", Unit::kWh, "energy", "total", "kWh"},
    {"reactive_energy_q4", Unit::kvarh, "reactive_energy", "total_increasing", "kvarh"},
    {"reactive_energy_net", Unit::kvarh, "reactive_energy", "total", "kvarh"},
    {"apparent_energy_import", Unit::kVAh, "", "total_increasing", "kVAh"},
    {"power", Unit::W, "power", "measurement", "W"},
    {"power_import_demand", Unit::W, "power", "measurement", "W"},
    {"power_import_peak", Unit::W, "power", "measurement", "W"},
    {"power_limit", Unit::W, "power", "", "W"},
    {"current_limit_l1", Unit::A, "current", "", "A"},
    {"reactive_power_import", Unit::var, "reactive_power", "measurement", "var"},
    {"apparent_power_l2", Unit::VA, "apparent_power", "measurement", "VA"},
    {"voltage_l1_l2", Unit::V, "voltage", "measurement", "V"},
    {"current_n", Unit::A, "current", "measurement", "A"},
    {"frequency", Unit::Hz, "frequency", "measurement", "Hz"},
    {"power_factor", Unit::none, "power_factor", "measurement", ""},
    {"phase_angle_l1", Unit::degree, "", "measurement_angle", "°"},
    {"thd_current_l1", Unit::percent, "", "measurement", "%"},
    {"pv_dc_power", Unit::W, "power", "measurement", "W"},
    {"battery_state_of_charge", Unit::percent, "battery", "measurement", "%"},
    {"gas", Unit::m3, "gas", "total_increasing", "m³"},
    {"water", Unit::m3, "water", "total_increasing", "m³"},
    {"volume", Unit::m3, "volume", "total_increasing", "m³"},
    {"heat", Unit::GJ, "energy", "total_increasing", "GJ"},
    {"heat", Unit::MJ, "energy", "total_increasing", "MJ"},
    {"heat", Unit::kWh, "energy", "total_increasing", "kWh"},
    {"heat", Unit::none, "", "total_increasing", ""},
    {"flow", Unit::m3_per_h, "volume_flow_rate", "measurement", "m³/h"},
    {"temperature_return", Unit::celsius, "temperature", "measurement", "°C"},
    {"tariff", Unit::none, "", "", ""},
    {"counter_12", Unit::none, "", "total_increasing", ""},
    {"value_3", Unit::none, "", "measurement", ""},
    {"value_3", Unit::kWh, "", "measurement", "kWh"},
};

TEST(P33_Classes, AreThoseOfTheTable) {
  for (const Expected& row : table) {
    const Classes classes = classes_of(entity(row.key).key, Kind::number, row.unit);
    EXPECT_EQ(classes.device_class, row.device_class) << row.key;
    EXPECT_EQ(classes.state_class, row.state_class) << row.key;
    EXPECT_EQ(classes.unit, row.symbol) << row.key;
  }
}

TEST(P33_Classes, AreAllowedForEveryKeyAndEveryUnit) {
  ASSERT_EQ(allowed_classes().size(), 20U);
  constexpr int last_unit = static_cast<int>(Unit::hour);
  for (const EntityFacts& facts : all_readings(Kind::number)) {
    if (facts.key.phase != Phase::none || facts.key.tariff != 0) continue;  // they change no class
    for (int unit = 0; unit <= last_unit; ++unit) {
      const Classes classes = classes_of(facts.key, Kind::number, static_cast<Unit>(unit));
      json sensor = json::object();
      if (!classes.device_class.empty()) sensor["dev_cla"] = classes.device_class;
      if (!classes.state_class.empty()) sensor["stat_cla"] = classes.state_class;
      if (!classes.unit.empty()) sensor["unit_of_meas"] = classes.unit;
      ASSERT_THAT(complaints_of_classes(sensor), testing::IsEmpty())
          << facts.key.text() << " in " << symbol(static_cast<Unit>(unit));
    }
  }
}

TEST(P33_Classes, EveryQuantityOfTheEnergyDashboardIsSelectable) {
  for (const std::string_view key :
       {"energy_import", "energy_export", "gas", "water", "battery_energy_import"}) {
    const EntityFacts facts = entity(key);
    const Classes classes = classes_of(facts.key, Kind::number, facts.unit);
    EXPECT_TRUE(classes.device_class == "energy" || classes.device_class == "gas" ||
                classes.device_class == "water");
    EXPECT_EQ(classes.state_class, "total_increasing");
  }
}

TEST(P33_Classes, TextTimesAndFlagsHaveNeitherUnitNorStateClass) {
  for (const Kind kind : {Kind::text, Kind::flag, Kind::time}) {
    for (const EntityFacts& facts : all_readings(kind)) {
      const Classes classes = classes_of(facts.key, kind, Unit::kWh);
      EXPECT_TRUE(classes.unit.empty() && classes.state_class.empty()) << facts.key.text();
    }
  }
  EXPECT_EQ(classes_of(entity("clock").key, Kind::time, Unit::none).device_class, "timestamp");
}

TEST(P18_Classes, OnlyRegistersThatNeverFallAreCalledIncreasing) {
  for (const EntityFacts& facts : all_readings(Kind::number)) {
    const Classes classes = classes_of(facts.key, Kind::number, facts.unit);
    EXPECT_EQ(classes.state_class == "total_increasing", is_cumulative(facts.key))
        << facts.key.text();
  }
}

}  // namespace
}  // namespace meterbridge::homeassistant::test
