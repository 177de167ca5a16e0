// SPDX-License-Identifier: MIT
#include "scan/badge.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace meterbridge::scan {
namespace {

// What makers' tables name as such. SunSpec devices tell their maker anyway.
constexpr std::array badges{
    Badge{"abb-b21", 3, 0x8960, "string", 6, {"B21"}},
    Badge{"abb-b23", 3, 0x8960, "string", 6, {"B23", "B24"}},
    Badge{"algodue-uem", 3, 0x0505, "u16", 1, {"3", "8", "12", "16", "18"}},
    Badge{"carlo-gavazzi-em24-ethernet",
          4,
          0x000B,
          "u16",
          1,
          {"1648", "1649", "1650", "1651", "1652", "1653"}},
    Badge{"finder-7e23", 3, 0x0006, "string", 8, {"7E23"}},
    Badge{"saia-burgess-ale3", 3, 0x0006, "string", 8, {"ALE3", "ALD1"}},
    Badge{"siemens-pac2200", 3, 0xFA01, "u16", 1, {"42"}},
    Badge{"siemens-pac3200", 3, 0xFA01, "u16", 1, {"42"}},
    Badge{"socomec-countis-e34", 3, 0xC350, "string8", 4, {"SOCO"}},
    Badge{"socomec-diris-a10", 3, 0xC350, "string8", 4, {"SOCO"}},
    Badge{"socomec-diris-b30", 3, 0xC350, "string8", 4, {"SOCO"}},
    Badge{"wirenboard-map12e", 4, 0x0122, "string8", 12, {"MAP12"}},
    Badge{"wirenboard-map3e", 4, 0x0122, "string8", 12, {"MAP3"}},
};

bool is_expected(const Badge& badge, const std::string& text, bool whole) {
  const std::string small = lower(text);
  return std::ranges::any_of(badge.expected, [&](std::string_view word) {
    if (word.empty()) return false;
    return whole ? small == word : small.find(lower(word)) != std::string::npos;
  });
}

}  // namespace

const Badge* badge_of(std::string_view profile) {
  const auto* const found = std::ranges::find(badges, profile, &Badge::profile);
  return found == badges.end() ? nullptr : found;
}

SettingValues settings_of(const Candidate& candidate, const Badge& badge) {
  const auto tables = candidate.profile->protocol->tables;
  const auto spec = std::ranges::find(tables, std::string_view("registers"), &TableSpec::name);
  SettingValues row;
  row.set("key", std::string(badge.type == "u16" ? "value_1" : "firmware"));
  row.set("address", std::int64_t{badge.address});
  row.set("counted_from", std::int64_t{0});
  row.set("function", std::int64_t{badge.function});
  row.set("type", std::string(badge.type));
  row.set("length", std::int64_t{badge.length});
  SettingValues values = candidate.whole;
  values.share_tables(SettingValues());
  if (spec != tables.end()) values.add_rows(*spec, std::span(&row, 1));
  return values;
}

Bearer bearer_of(const Badge& badge, const protocol::Telegram& telegram) {
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& reading : meter.readings) {
      if (const auto* const number = std::get_if<Decimal>(&reading.value)) {
        if (number->is_zero()) continue;
        return is_expected(badge, number->str(), true) ? Bearer::own : Bearer::another;
      }
      const auto* const text = std::get_if<std::string>(&reading.value);
      if (text == nullptr || text->empty()) continue;
      return is_expected(badge, *text, false) ? Bearer::own : Bearer::another;
    }
  }
  return Bearer::unknown;
}

}  // namespace meterbridge::scan
