// SPDX-License-Identifier: MIT
#include "meter/traces.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::meter {
namespace {

using config::AlarmKind;
using config::AlarmSettings;

constexpr std::array outer{Phase::l1, Phase::l2, Phase::l3};
constexpr int points = 1000;  // of a look back, about

// A key without phase may speak for those of its phases.
bool speaks_for(const ReadingKey& key, const ReadingKey& other) {
  if (key == other) return true;
  if (key.phase != Phase::none || std::ranges::count(outer, other.phase) == 0) return false;
  return key == of_phase(other, Phase::none);
}

bool wants(const AlarmSettings& alarm, const ReadingKey& key) {
  switch (alarm.kind) {
    case AlarmKind::limit:
      return alarm.key && speaks_for(*alarm.key, key);
    case AlarmKind::stuck:
      return alarm.key ? speaks_for(*alarm.key, key) : is_measured(key);
    case AlarmKind::sign:
    case AlarmKind::lost_phase:
    case AlarmKind::phase_sum:
    case AlarmKind::power_product:
      return is_measured(key);
    case AlarmKind::silent:
    case AlarmKind::fault:
    case AlarmKind::energy:
      break;
  }
  return false;
}

}  // namespace

bool is_measured(const ReadingKey& key) noexcept {
  if (key.aspect != Aspect::none) return false;
  switch (key.quantity) {
    case Quantity::power:
    case Quantity::reactive_power:
    case Quantity::apparent_power:
    case Quantity::voltage:
    case Quantity::current:
    case Quantity::frequency:
    case Quantity::power_factor:
    case Quantity::dc_voltage:
    case Quantity::dc_current:
    case Quantity::dc_power:
    case Quantity::flow:
    case Quantity::temperature:
    case Quantity::temperature_flow:
    case Quantity::temperature_return:
    case Quantity::value:
      return true;
    default:
      return false;
  }
}

ReadingKey of_phase(ReadingKey key, Phase phase) noexcept {
  key.phase = phase;
  return key;
}

Traces::Traces(const std::vector<AlarmSettings>& alarms) : alarms_(alarms) {}

bool Traces::wanted(const ReadingKey& key) const {
  return std::any_of(alarms_.begin(), alarms_.end(),
                     [&](const AlarmSettings& alarm) { return wants(alarm, key); });
}

Milliseconds Traces::longest_look_back(const ReadingKey& key) const {
  Milliseconds longest{};
  for (const AlarmSettings& alarm : alarms_) {
    if (alarm.per && alarm.key && speaks_for(*alarm.key, key))
      longest = std::max(longest, *alarm.per);
  }
  return longest;
}

void Traces::take(const std::string& source, const std::vector<Reading>& readings, Time now) {
  for (const Reading& reading : readings) {
    if (!wanted(reading.key)) continue;
    const auto [found, fresh] = all_.try_emplace(TraceName{source, reading.key});
    Trace& trace = found->second;
    if (fresh) trace.first = now;
    if (fresh || trace.value != reading.value) {
      trace.moved = !fresh;
      trace.changed = now;
      trace.seen = 0;
      if (!fresh) ++moves_;
      trace.moves_of_others = moves_;
    }
    trace.value = reading.value;
    trace.unit = reading.unit;
    trace.at = now;
    ++trace.seen;
    const Milliseconds look_back = longest_look_back(reading.key);
    const Decimal* const number = trace.number();
    if (look_back == Milliseconds{} || number == nullptr) continue;
    if (trace.past.empty() || now - trace.past.back().first >= look_back / points)
      trace.past.emplace_back(now, *number);
    // One that is old enough must stay.
    while (trace.past.size() > 1 && now - trace.past[1].first >= look_back)
      trace.past.pop_front();
  }
}

const Trace* Traces::find(const ReadingKey& key, Time now) const {
  const auto found = all_.find(TraceName{{}, key});
  return found != all_.end() && fresh(found->second, now) ? &found->second : nullptr;
}

std::vector<const Traces::Map::value_type*> Traces::everything() const {
  std::vector<const Map::value_type*> entries;
  for (const auto& entry : all_)
    entries.push_back(&entry);
  return entries;
}

std::vector<const Traces::Map::value_type*> Traces::spoken_for(const ReadingKey& key) const {
  std::vector<const Map::value_type*> exact;
  std::vector<const Map::value_type*> phases;
  for (const auto& entry : all_) {
    if (entry.first.key == key) {
      exact.push_back(&entry);
    } else if (speaks_for(key, entry.first.key)) {
      phases.push_back(&entry);
    }
  }
  return exact.empty() ? phases : exact;
}

}  // namespace meterbridge::meter
