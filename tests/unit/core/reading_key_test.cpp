// SPDX-License-Identifier: MIT
#include "core/reading_key.hpp"

#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

using namespace meterbridge;

namespace {

constexpr int quantity_count = static_cast<int>(Quantity::value) + 1;

bool is_energy(Quantity q) {
  return q == Quantity::energy || q == Quantity::reactive_energy || q == Quantity::apparent_energy;
}

bool is_power(Quantity q) {
  return q == Quantity::power || q == Quantity::reactive_power || q == Quantity::apparent_power;
}

// The table of contract.md, section 3, written down a second time.
bool allowed(Quantity quantity, Direction direction) {
  const bool reactive =
      quantity == Quantity::reactive_energy || quantity == Quantity::reactive_power;
  switch (direction) {
    case Direction::none:
      return !is_energy(quantity);
    case Direction::import:
    case Direction::export_:
      return is_energy(quantity) || is_power(quantity);
    case Direction::net:
    case Direction::total:
      return is_energy(quantity);
    default:
      return reactive;
  }
}

bool has_tariffs(Quantity q) {
  return is_energy(q) || is_power(q) || q == Quantity::gas || q == Quantity::water ||
         q == Quantity::volume || q == Quantity::heat;
}

bool is_text(Quantity q) {
  return q >= Quantity::tariff && q <= Quantity::message;
}

// Every key with one aspect, phase, tariff and scope combination that the grammar has.
std::vector<ReadingKey> all_keys() {
  std::vector<ReadingKey> keys;
  for (int q = 0; q < quantity_count; ++q) {
    const auto quantity = static_cast<Quantity>(q);
    const bool numbered =
        quantity == Quantity::input || quantity == Quantity::counter || quantity == Quantity::value;
    const bool bare = is_text(quantity) || numbered;
    for (int d = 0; d < 9; ++d) {
      const auto direction = static_cast<Direction>(d);
      if (!allowed(quantity, direction)) continue;
      for (int aspect = 0; aspect < (bare ? 1 : 4); ++aspect) {
        for (int phase = 0; phase < (bare ? 1 : 8); ++phase) {
          for (int tariff = 0; tariff <= (has_tariffs(quantity) ? 8 : 0); ++tariff) {
            for (int scope = 0; scope < 6; ++scope) {
              ReadingKey key = make_key(quantity, direction, static_cast<Phase>(phase), tariff,
                                        static_cast<Aspect>(aspect));
              key.scope = static_cast<Scope>(scope);
              if (key.scope == Scope::channel)
                key.channel = static_cast<std::uint8_t>(1 + keys.size() % 255);
              if (numbered) key.number = static_cast<std::uint8_t>(keys.size() % 256);
              keys.push_back(key);
            }
          }
        }
      }
    }
  }
  return keys;
}

std::string reason(std::string_view text) {
  const auto key = ReadingKey::parse(text);
  return key ? "accepted as " + key->text() : key.error().detail();
}

}  // namespace

TEST(ReadingKey, SurvivesTextInEveryValidCombination) {
  std::set<std::string> seen;
  const auto keys = all_keys();
  for (const ReadingKey& key : keys) {
    const std::string text = key.text();
    const auto back = ReadingKey::parse(text);
    ASSERT_TRUE(back) << back.error().detail();
    ASSERT_EQ(*back, key) << text;
    ASSERT_TRUE(seen.insert(text).second) << "two keys print as " << text;
  }
  EXPECT_GT(keys.size(), 10000U);
}

TEST(ReadingKey, IsOrderedPartByPartFromTheFirst) {
  const auto parts = [](const ReadingKey& k) {
    return std::tuple(k.scope, k.channel, k.quantity, k.number, k.direction, k.aspect, k.phase,
                      k.tariff);
  };
  std::minstd_rand random(7);
  const auto some_key = [&random] {
    ReadingKey key;
    key.scope = static_cast<Scope>(random() % 2);
    key.channel = static_cast<std::uint8_t>(random() % 2 * 200);
    key.quantity = static_cast<Quantity>(random() % 3);
    key.number = static_cast<std::uint8_t>(random() % 2 * 255);
    key.direction = static_cast<Direction>(random() % 2);
    key.aspect = static_cast<Aspect>(random() % 2);
    key.phase = static_cast<Phase>(random() % 2);
    key.tariff = static_cast<std::uint8_t>(random() % 2);
    return key;
  };
  for (int i = 0; i < 10000; ++i) {
    const ReadingKey a = some_key();
    const ReadingKey b = some_key();
    EXPECT_EQ(a < b, parts(a) < parts(b)) << a.text() << " " << b.text();
    EXPECT_EQ(a == b, parts(a) == parts(b)) << a.text() << " " << b.text();
  }
}

TEST(ReadingKey, ReadsTheExamplesOfTheContract) {
  EXPECT_EQ(ReadingKey::parse("energy_import")->direction, Direction::import);
  EXPECT_EQ(ReadingKey::parse("energy_import_t2")->tariff, 2);
  EXPECT_EQ(ReadingKey::parse("power_l1")->phase, Phase::l1);
  const auto demand = ReadingKey::parse("power_import_demand");
  ASSERT_TRUE(demand);
  EXPECT_EQ(*demand, make_key(Quantity::power, Direction::import, Phase::none, 0, Aspect::demand));
  const auto battery = ReadingKey::parse("battery_energy_export");
  ASSERT_TRUE(battery);
  EXPECT_EQ(battery->scope, Scope::battery);
  EXPECT_EQ(battery->quantity, Quantity::energy);
  EXPECT_EQ(battery->direction, Direction::export_);
  const auto input = ReadingKey::parse("input_7");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->quantity, Quantity::input);
  EXPECT_EQ(input->number, 7);
}

TEST(ReadingKey, TakesTheLongestName) {
  EXPECT_EQ(ReadingKey::parse("temperature_flow")->quantity, Quantity::temperature_flow);
  EXPECT_EQ(ReadingKey::parse("power_factor_l1")->quantity, Quantity::power_factor);
  EXPECT_EQ(ReadingKey::parse("voltage_l1_l2")->phase, Phase::l1_l2);
  EXPECT_EQ(ReadingKey::parse("current_n")->phase, Phase::n);
  EXPECT_EQ(ReadingKey::parse("channel12_power_l3")->channel, 12);
  EXPECT_EQ(ReadingKey::parse("reactive_energy_q4_l2_t8")->direction, Direction::q4);
}

TEST(ReadingKey, RefusesDirectionsThatAQuantityDoesNotHave) {
  for (int q = 0; q < quantity_count; ++q) {
    const auto quantity = static_cast<Quantity>(q);
    if (quantity == Quantity::input || quantity == Quantity::counter || quantity == Quantity::value)
      continue;
    for (int d = 0; d < 9; ++d) {
      const auto direction = static_cast<Direction>(d);
      const std::string text = make_key(quantity, direction).text();
      const auto key = ReadingKey::parse(text);
      EXPECT_EQ(static_cast<bool>(key), allowed(quantity, direction)) << text;
      if (!key) {
        EXPECT_EQ(key.error().code(), Errc::invalid);
      }
    }
  }
  EXPECT_NE(reason("energy").find("needs a direction"), std::string::npos) << reason("energy");
  EXPECT_NE(reason("power_net").find("no direction 'net'"), std::string::npos)
      << reason("power_net");
  EXPECT_NE(reason("energy_q1").find("no direction 'q1'"), std::string::npos)
      << reason("energy_q1");
}

TEST(ReadingKey, RefusesEverythingThatItWouldNotPrint) {
  for (const char* text : {"",
                           "_",
                           "power_",
                           "_power",
                           "power__l1",
                           "Power",
                           "power_L1",
                           "powerl1",
                           "power_l4",
                           "power_l1_l3",
                           "power_t9",
                           "power_t0",
                           "power_t10",
                           "power_t1_t2",
                           "power_l1_demand",
                           "power_t1_l1",
                           "power_demand_import",
                           "power_demand_peak",
                           "voltage_t1",
                           "serial_l1",
                           "message_demand",
                           "input",
                           "input_",
                           "input_256",
                           "input_07",
                           "input_x",
                           "input_-1",
                           "channel_power",
                           "channel0_power",
                           "channel256_power",
                           "channel01_power",
                           "channel1",
                           "grid",
                           "grid_",
                           "grid_pv_power",
                           "power_grid",
                           "energy_import_export",
                           "colour",
                           "energy_import_kwh",
                           "power ",
                           " power",
                           "power\n",
                           "current_power"}) {
    EXPECT_FALSE(ReadingKey::parse(text)) << reason(text);
  }
}

TEST(ReadingKey, RefusesEveryCutOfAKeyThatIsNoKeyItself) {
  const auto keys = all_keys();
  for (std::size_t i = 0; i < keys.size(); i += 23) {
    const std::string text = keys[i].text();
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      const auto parsed = ReadingKey::parse(std::string_view(text).substr(0, cut));
      if (parsed) {
        ASSERT_EQ(parsed->text(), text.substr(0, cut));
      }
    }
  }
}

TEST(ReadingKey, SanitisesWhatItRepeats) {
  const std::string said = reason("pow\x1B[31m\xFF");
  EXPECT_EQ(said.find('\x1B'), std::string::npos);
  EXPECT_EQ(said.find('\xFF'), std::string::npos);
}

TEST(Quantity, HasTheUnitOfTheContract) {
  EXPECT_EQ(canonical_unit(Quantity::energy), Unit::kWh);
  EXPECT_EQ(canonical_unit(Quantity::reactive_energy), Unit::kvarh);
  EXPECT_EQ(canonical_unit(Quantity::apparent_energy), Unit::kVAh);
  EXPECT_EQ(canonical_unit(Quantity::power), Unit::W);
  EXPECT_EQ(canonical_unit(Quantity::reactive_power), Unit::var);
  EXPECT_EQ(canonical_unit(Quantity::apparent_power), Unit::VA);
  EXPECT_EQ(canonical_unit(Quantity::voltage), Unit::V);
  EXPECT_EQ(canonical_unit(Quantity::current), Unit::A);
  EXPECT_EQ(canonical_unit(Quantity::frequency), Unit::Hz);
  EXPECT_EQ(canonical_unit(Quantity::power_factor), Unit::none);
  EXPECT_EQ(canonical_unit(Quantity::phase_angle), Unit::degree);
  EXPECT_EQ(canonical_unit(Quantity::thd_current), Unit::percent);
  EXPECT_EQ(canonical_unit(Quantity::state_of_charge), Unit::percent);
  EXPECT_EQ(canonical_unit(Quantity::gas), Unit::m3);
  EXPECT_EQ(canonical_unit(Quantity::heat), Unit::none);
  EXPECT_EQ(canonical_unit(Quantity::flow), Unit::m3_per_h);
  EXPECT_EQ(canonical_unit(Quantity::temperature_return), Unit::celsius);
  EXPECT_EQ(canonical_unit(Quantity::message), Unit::none);
  EXPECT_EQ(name(Quantity::reactive_energy), "reactive_energy");
}

TEST(Quantity, GrowsOnlyWhereARegisterDoes) {
  for (const char* text : {"energy_import", "energy_total_t1", "reactive_energy_q1", "gas", "water",
                           "volume", "heat", "counter_1", "pv_energy_export_l1"}) {
    EXPECT_TRUE(is_cumulative(*ReadingKey::parse(text))) << text;
  }
  for (const char* text :
       {"energy_net", "power", "power_import", "voltage_l1", "flow", "temperature", "input_1",
        "energy_import_limit", "status", "dc_power", "state_of_charge"}) {
    EXPECT_FALSE(is_cumulative(*ReadingKey::parse(text))) << text;
  }
}
