// SPDX-License-Identifier: MIT
#include "facts.hpp"
#include "homeassistant/entity.hpp"
#include "homeassistant/language.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace meterbridge::homeassistant::test {
namespace {

using nlohmann::json;

struct EveryLanguage : ::testing::TestWithParam<const Language*> {
  const Language& in = *GetParam();

  // Each key of an enumeration has a term of its own, except the first ones, which say nothing.
  template <class Key>
  void expect_complete(std::span<const Term<Key>> terms, Key last, int first) {
    for (int i = first; i <= static_cast<int>(last); ++i)
      EXPECT_FALSE(find_term(terms, static_cast<Key>(i)).empty())
          << in.code << " lacks number " << i;
    std::set<std::string_view> different;
    for (const auto& term : terms)
      EXPECT_TRUE(different.insert(term.text).second) << term.text << " stands for two";
    EXPECT_EQ(terms.size(), static_cast<std::size_t>(static_cast<int>(last) - first + 1));
  }
};

INSTANTIATE_TEST_SUITE_P(Languages, EveryLanguage,
                         ::testing::ValuesIn(languages().begin(), languages().end()),
                         [](const auto& one) { return std::string(one.param->code); });

TEST_P(EveryLanguage, HasEveryTerm) {
  expect_complete(in.scopes, Scope::channel, 1);
  expect_complete(in.quantities, Quantity::value, 0);
  expect_complete(in.directions, Direction::q4, 1);
  expect_complete(in.aspects, Aspect::limit, 1);
  expect_complete(in.phases, Phase::l3_l1, 1);
  expect_complete(in.words, last_word, 0);
  EXPECT_NE(in.tariff.find("{}"), std::string_view::npos);
  for (const std::string_view medium :
       {"gas", "water", "heat", "electricity", "allocator", "sensor", "ert", "other"})
    EXPECT_FALSE(find_term(in.media, medium).empty()) << medium;
  for (const std::string_view kind :
       {"stuck", "sign", "lost_phase", "phase_sum", "power_product", "energy"})
    EXPECT_FALSE(find_term(in.anomalies, kind).empty()) << kind;
}

TEST_P(EveryLanguage, NamesEveryKeyDifferently) {
  std::map<std::string, std::string> seen;
  for (const EntityFacts& facts : all_readings(Kind::number)) {
    const std::string name = entity_name(facts.key, in);
    EXPECT_EQ(name.find("{}"), std::string::npos) << name;
    EXPECT_EQ(name, capitalised(name));
    const auto [place, fresh] = seen.emplace(name, facts.key.text());
    EXPECT_TRUE(fresh) << name << " is " << place->second << " and " << facts.key.text();
  }
}

// All of a document that is not text for people.
json without_names(json document) {
  document["dev"].erase("name");
  for (auto& [key, component] : document["cmps"].items())
    component.erase("name");
  return document;
}

TEST_P(EveryLanguage, P35ChangesNothingButNames) {
  BridgeFacts other = bridge();
  other.language = std::string(in.code);
  for (const MeterFacts& meter : all_meters()) {
    const json here = json::parse(device_document(bridge(), meter).payload);
    const json there = json::parse(device_document(other, meter).payload);
    EXPECT_EQ(without_names(here), without_names(there));
    EXPECT_EQ(device_document(bridge(), meter).topic, device_document(other, meter).topic);
    const auto singles = component_documents(bridge(), meter);
    const auto translated = component_documents(other, meter);
    ASSERT_EQ(singles.size(), translated.size());
    for (std::size_t i = 0; i < singles.size(); ++i) {
      EXPECT_EQ(singles[i].topic, translated[i].topic);
      const json one = json::parse(singles[i].payload);
      const json two = json::parse(translated[i].payload);
      EXPECT_EQ(one["uniq_id"], two["uniq_id"]);
      EXPECT_EQ(one["obj_id"], two["obj_id"]);
    }
  }
}

// A name that was written down beside the tables would stay English.
TEST_P(EveryLanguage, TranslatesEveryEntity) {
  if (in.code == "en") return;
  const std::set<std::string> international = {"Gas", "Firmware", "Status", "Pause", "Version"};
  BridgeFacts other = bridge();
  other.language = std::string(in.code);
  const auto compare = [&](const std::vector<Entity>& english, const std::vector<Entity>& ours) {
    ASSERT_EQ(english.size(), ours.size());
    for (std::size_t i = 0; i < english.size(); ++i) {
      if (international.contains(english[i].name)) continue;
      EXPECT_NE(english[i].name, ours[i].name) << in.code << ": " << english[i].key;
    }
  };
  compare(entities_of(bridge()), entities_of(other));
  for (MeterFacts meter : all_meters()) {
    for (EntityFacts& facts : meter.entities)
      facts.label.clear();
    meter.name = "x";
    compare(entities_of(bridge(), meter), entities_of(other, meter));
  }
}

TEST(Languages, SpeakLikeThePeopleOfTheField) {
  const std::map<std::string, std::map<std::string, std::string>> expected = {
      {"energy_import", {{"de", "Bezug"}, {"hu", "Fogyasztás"}, {"ru", "Потреблённая энергия"}}},
      {"energy_export_t2",
       {{"de", "Einspeisung Tarif 2"},
        {"hu", "Visszatáplálás, 2. tarifa"},
        {"ru", "Отданная энергия, тариф 2"}}},
      {"power_l1",
       {{"de", "Wirkleistung L1"},
        {"hu", "Hatásos teljesítmény L1"},
        {"ru", "Активная мощность L1"}}},
      {"power_import_peak",
       {{"de", "Wirkleistung Bezug Höchstwert"},
        {"hu", "Vételezett teljesítmény, csúcsérték"},
        {"ru", "Потребляемая мощность, максимум"}}},
      {"battery_state_of_charge",
       {{"de", "Batterie: Ladezustand"},
        {"hu", "Akkumulátor: töltöttségi szint"},
        {"ru", "Аккумулятор: уровень заряда"}}},
      {"channel12_voltage_l1_l2",
       {{"de", "Kanal 12: Spannung L1-L2"},
        {"hu", "12. csatorna: feszültség L1-L2"},
        {"ru", "Канал 12: напряжение L1-L2"}}},
      {"counter_3",
       {{"de", "Impulszähler 3"}, {"hu", "3. számláló"}, {"ru", "Счётчик импульсов 3"}}},
  };
  for (const auto& [key, names] : expected) {
    for (const auto& [code, name] : names)
      EXPECT_EQ(entity_name(entity(key).key, language(code)), name);
  }
}

TEST(Languages, NameSubMetersAndLeaveTheUsersLabels) {
  BridgeFacts russian = bridge();
  russian.language = "ru";
  const MeterFacts gas = gas_behind_p1();
  EXPECT_EQ(json::parse(device_document(russian, gas).payload)["dev"]["name"],
            "Счётчик газа G0039001");
  MeterFacts meter;
  meter.id = "m";
  meter.name = "Küche";
  meter.entities = {entity("energy_import_t1", Kind::number, 0, "Day")};
  const json document = json::parse(device_document(russian, meter).payload);
  EXPECT_EQ(document["dev"]["name"], "Küche");
  EXPECT_EQ(document["cmps"]["energy_import_t1"]["name"], "Day");
}

TEST(Languages, AnUnknownOneIsEnglish) {
  EXPECT_EQ(language("xx").code, "en");
}

TEST(Languages, CapitalsOfAllAlphabets) {
  EXPECT_EQ(capitalised("energy"), "Energy");
  EXPECT_EQ(capitalised("DC power"), "DC power");
  EXPECT_EQ(capitalised("áram"), "Áram");
  EXPECT_EQ(capitalised("őr"), "Őr");
  EXPECT_EQ(capitalised("űr"), "Űr");
  EXPECT_EQ(capitalised("ёмкость"), "Ёмкость");
  EXPECT_EQ(capitalised("ток"), "Ток");
  EXPECT_EQ(capitalised("пар"), "Пар");
  EXPECT_EQ(capitalised("яма"), "Яма");
  EXPECT_EQ(capitalised("12. bemenet"), "12. bemenet");
  EXPECT_EQ(capitalised(""), "");
}

}  // namespace
}  // namespace meterbridge::homeassistant::test
