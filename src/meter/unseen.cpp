// SPDX-License-Identifier: MIT
#include "meter/unseen.hpp"

#include "meter/proof.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace meterbridge::meter {
namespace {

// The first row that fits counts; empty = any.
struct Reason {
  std::string_view protocol;
  std::string_view part;  // of the key
  std::string_view text;
};

constexpr std::array reasons{
    Reason{"", "_l2", "a meter that is connected to one phase has none"},
    Reason{"", "_l3", "a meter that is connected to one phase has none"},
    Reason{"", "energy_export", "a meter for one direction has no such register"},
    Reason{"", "gas", "no gas meter is registered with this one"},
    Reason{"", "water", "no water meter is registered with this one"},
    Reason{"", "_t", "the tariff is not used, or the grid operator does not show it"},
    Reason{"sml", "",
           "most meters send it only after their PIN was entered and the extended data set was "
           "switched on in their menu (InF or DSS: on)"},
    Reason{"p1", "", "the model or a setting of the grid operator leaves it out"},
    Reason{"dlms", "",
           "the grid operator decides what is pushed: ask for the extended customer data"},
    Reason{
        "iec62056-21", "",
        "its data list leaves it out: a setting of the maker or the grid operator (PIN, extended "
        "data set)"},
    Reason{"modbus", "",
           "the meter refuses the register or marks it as empty: another model, firmware or wiring "
           "(a transformer that is not connected)"},
    Reason{"json", "", "the program that publishes the messages leaves it out"},
    Reason{"", "", "this model, firmware or wiring does not have it"},
};

}  // namespace

std::set<ReadingKey> known_keys(const Profile& profile, const SettingValues& settings) {
  std::set<ReadingKey> keys;
  const auto telegram = read_simulated(profile, settings);
  if (!telegram) return keys;
  for (const MeterReadings& part : telegram->readings) {
    if (!part.submeter.empty()) continue;
    for (const Reading& reading : part.readings)
      keys.insert(reading.key);
  }
  return keys;
}

std::string_view why_unseen(std::string_view protocol, const ReadingKey& key) {
  const std::string text = key.text();
  const auto* const found = std::ranges::find_if(reasons, [&](const Reason& reason) {
    return (reason.protocol.empty() || reason.protocol == protocol) &&
           text.find(reason.part) != std::string::npos;
  });
  return found->text;
}

std::vector<Unseen> unseen(const Profile& profile, const std::set<ReadingKey>& known,
                           const std::set<ReadingKey>& seen) {
  std::vector<Unseen> missing;
  if (seen.empty()) return missing;
  for (const ReadingKey& key : known) {
    if (!seen.contains(key)) missing.emplace_back(key, why_unseen(profile.protocol->name, key));
  }
  return missing;
}

}  // namespace meterbridge::meter
