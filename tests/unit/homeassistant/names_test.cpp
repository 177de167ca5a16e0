// SPDX-License-Identifier: MIT
#include "core/text.hpp"
#include "facts.hpp"

#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;

TEST(P27_Names, NumberTheTariffsAndNeverCallThemLowOrHigh) {
  for (const EntityFacts& facts : all_readings(Kind::number)) {
    const std::string name = lower(entity_name(facts.key));
    for (const char* word : {"low", "high", "normal", "day", "night", "off-peak"}) {
      const std::size_t at = name.find(word);
      if (at == std::string::npos) continue;
      // "Flow" is no tariff.
      EXPECT_TRUE(std::string_view(word) == "low" && at > 0 && name[at - 1] == 'f') << name;
    }
    if (facts.key.tariff != 0) {
      EXPECT_TRUE(name.ends_with(" tariff " + std::to_string(facts.key.tariff))) << name;
    }
  }
}

TEST(P27_Names, AreSentences) {
  const std::map<std::string, std::string> expected = {
      {"energy_import_t1", "Energy import tariff 1"},
      {"power_l1", "Power L1"},
      {"power", "Power"},
      {"power_import_demand", "Power import demand"},
      {"power_import_peak_t2", "Power import peak tariff 2"},
      {"voltage_l1_l2", "Voltage L1-L2"},
      {"current_limit_l3", "Current limit L3"},
      {"current_n", "Current N"},
      {"reactive_energy_q3", "Reactive energy Q3"},
      {"battery_energy_export", "Battery energy export"},
      {"battery_dc_voltage", "Battery DC voltage"},
      {"pv_power", "PV power"},
      {"channel12_power", "Channel 12 power"},
      {"input_7", "Input 7"},
      {"counter_3_t2", "Counter 3 tariff 2"},
      {"temperature_flow", "Flow temperature"},
      {"serial", "Serial number"},
      {"state_of_charge", "State of charge"},
  };
  for (const auto& [key, name] : expected)
    EXPECT_EQ(entity_name(entity(key).key), name);
}

TEST(Names, DifferForDifferentKeys) {
  std::map<std::string, std::string> seen;
  for (const EntityFacts& facts : all_readings(Kind::number)) {
    const auto [place, fresh] = seen.emplace(entity_name(facts.key), facts.key.text());
    EXPECT_TRUE(fresh) << place->first << " is " << place->second << " and " << facts.key.text();
  }
}

json name_of(const std::string& device, const EntityFacts& facts) {
  MeterFacts meter;
  meter.id = "m";
  meter.name = device;
  meter.entities = {facts};
  return json::parse(device_document(bridge(), meter).payload)["cmps"][facts.key.text()]["name"];
}

TEST(P34_Names, NeverRepeatTheDevice) {
  EXPECT_EQ(name_of("House", entity("power_l1")), "Power L1");
  EXPECT_EQ(name_of("Power", entity("power_l1")), "L1");
  EXPECT_EQ(name_of("Gas", entity("gas")), nullptr) << "the main feature of the device";
  EXPECT_EQ(name_of("Power", entity("power_factor")), "factor");
  EXPECT_EQ(name_of("Ga", entity("gas")), "Gas") << "only whole words";
  EXPECT_EQ(name_of("Power", entity("dc_power")), "DC power");
}

TEST(Names, OfDevicesAreNeverEmpty) {
  const auto device = [](const MeterFacts& meter) {
    return json::parse(device_document(bridge(), meter).payload)["dev"]["name"].get<std::string>();
  };
  MeterFacts meter = gas_behind_p1();
  EXPECT_EQ(device(meter), "Gas meter G0039001");
  meter.identity.serial.clear();
  EXPECT_EQ(device(meter), "Gas meter");
  meter.medium.clear();
  EXPECT_EQ(device(meter), meter.id);
  meter.name = "Kitchen gas";
  EXPECT_EQ(device(meter), "Kitchen gas");
  meter = polled_house();
  meter.name.clear();
  EXPECT_EQ(device(meter), "house");
}

TEST(P34_Names, OfTheUserWin) {
  EXPECT_EQ(name_of("House", entity("energy_import_t1", Kind::number, 0, "Day")), "Day");
  EXPECT_EQ(name_of("House", entity("energy_import_t1", Kind::number, 0, "House day")), "day");
  EXPECT_EQ(name_of("House", entity("status", Kind::flag, 0, "Main switch")), "Main switch");
}

}  // namespace
}  // namespace meterbridge::homeassistant::test
