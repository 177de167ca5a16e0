// SPDX-License-Identifier: MIT
// From the readings of a meter to its entities, and which of those of an earlier run stay.
#include "app/bridge.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {
namespace {

using homeassistant::EntityFacts;
using homeassistant::Kind;

Kind kind_of(const Value& value) {
  switch (value.index()) {
    case 0:
      return Kind::number;
    case 1:
      return Kind::text;
    case 2:
      return Kind::flag;
    default:
      return Kind::time;
  }
}

int precision_of(const Value& value) {
  const auto* number = std::get_if<Decimal>(&value);
  return number == nullptr ? 0 : number->precision();
}

// By key alone, for sub-meters too, as factor and offset are applied.
const config::ReadingOptions* options_of(const MeterState& state, const ReadingKey& key) {
  const auto found = state.plan->settings.readings.find(key);
  return found == state.plan->settings.readings.end() ? nullptr : &found->second;
}

// The readings that tables of the configuration or the profile name: registers, codes, fields.
std::vector<ReadingKey> listed_keys(const MeterPlan& plan) {
  std::vector<ReadingKey> keys;
  for (const TableSpec& table : plan.tables) {
    for (const SettingValues& row : plan.settings.protocol.rows(table.name)) {
      if (const auto key = ReadingKey::parse(row.text("key")); key) keys.push_back(*key);
    }
  }
  return keys;
}

bool lists(const MeterPlan& plan, const ReadingKey& key) {
  const auto keys = listed_keys(plan);
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

// A reading that was hidden or taken out of the table since would stay "unknown" for ever (P36).
// Another profile is another meter: what it says is seen when it speaks, and history may go on.
void Bridge::keep_entities(MeterState& state) {
  KnownMeter& known = *state.known;
  const std::string& profile = state.plan->settings.profile;
  const bool same = known.profile == profile;
  const auto keys = listed_keys(*state.plan);
  const auto listed = [&](const ReadingKey& key) {
    return std::ranges::find(keys, key) != keys.end();
  };
  std::erase_if(known.entities, [&](const auto& entry) {
    const config::ReadingOptions* options = options_of(state, entry.first);
    const bool gone = same && entry.second.listed && !listed(entry.first);
    return gone || (options != nullptr && options->hidden);
  });
  for (auto& [key, entity] : known.entities) {
    const config::ReadingOptions* options = options_of(state, key);
    entity.label = options == nullptr ? std::string() : options->name;
    known_changed_ |= entity.listed != listed(key);
    entity.listed = listed(key);
  }
  known_changed_ |= !same;
  known.profile = profile;
}

void Bridge::take(MeterState& state, const Sample& sample) {
  const auto now = clock_.steady();
  take_identity(state, sample.identity);
  for (const Reading& reading : sample.readings) {
    const config::ReadingOptions* options = options_of(state, reading.key);
    if (options != nullptr && options->hidden) continue;
    EntityFacts entity;
    entity.key = reading.key;
    entity.kind = kind_of(reading.value);
    entity.unit = reading.unit;
    entity.precision = precision_of(reading.value);
    if (options != nullptr) entity.label = options->name;
    const auto [known, fresh] = state.known->entities.try_emplace(reading.key, entity);
    EntityFacts& kept = known->second;
    if (fresh || kept.kind != entity.kind || kept.unit != entity.unit ||
        kept.precision < entity.precision) {
      entity.precision = std::max(kept.precision, entity.precision);
      entity.listed = lists(*state.plan, reading.key);
      kept = entity;
      state.announced = false;
      known_changed_ = true;
    }
    const auto [value, first] =
        state.values.try_emplace(reading.key, reading.value, now,
                                 meter::pace_of(reading.key, reading.value, state.plan->settings));
    if (first) continue;
    // What was shown as unknown shows at once.
    if (std::exchange(value->second.stale, false)) value->second.shown_at.reset();
    value->second.value = reading.value;
    value->second.at = now;
    value->second.waits = true;
  }
  state.time = sample.at;
  state.last_reading = now;
  state.health.last_reading = clock_.now();
}

}  // namespace meterbridge::app
