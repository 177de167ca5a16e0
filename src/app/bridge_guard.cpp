// SPDX-License-Identifier: MIT
// The bridge and its meters' guards: what they refuse, what the user says of it, what outlives a
// restart.
#include "app/bridge.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {
namespace {

// A faster meter is read anew before anybody misses its values.
constexpr Milliseconds slow_meter{60000};

std::string_view event_type(meter::Guard::Notice::Kind kind) {
  using Kind = meter::Guard::Notice::Kind;
  switch (kind) {
    case Kind::refused:
      return "value_refused";
    case Kind::released:
      return "value_released";
    case Kind::replaced:
      break;
  }
  return "meter_replaced";
}

}  // namespace

void Bridge::admit(MeterState& state, Sample& sample) {
  const auto verdict = state.guard->admit(sample, {clock_.now(), clock_.steady()});
  for (const auto& notice : verdict.notices)
    guard_event(state, notice);
  if (verdict.refused == 0) return;
  MeterState* main = state.is_submeter() ? find(state.facts.parent) : &state;
  if (main == nullptr) return;
  main->health.refused += verdict.refused;
  main->health.fault = Fault::refused;
  main->health.error = (state.is_submeter() ? state.facts.id + ": " : std::string()) + verdict.why;
}

// One event when something begins and one when it ends; what flutters is counted, not told. A
// fluttering counter does not use up what another meter's serial number has to say.
void Bridge::guard_event(MeterState& state, const meter::Guard::Notice& notice) {
  const bool replaced = notice.kind == meter::Guard::Notice::Kind::replaced;
  TokenBucket& budget = replaced ? state.replacements : state.guard_events;
  if (!budget.take(clock_.steady())) return;
  event(state.facts.id, event_type(notice.kind), notice.text);
}

Result<std::string> Bridge::accept(std::string_view meter, std::optional<ReadingKey> key) {
  MeterState* state = find(meter);
  if (state == nullptr) return Error(Errc::not_found, "no such meter");
  return state->guard->accept(key, {clock_.now(), clock_.steady()});
}

Result<std::string> Bridge::replace(std::string_view meter, meter::Continuation how) {
  MeterState* state = find(meter);
  if (state == nullptr) return Error(Errc::not_found, "no such meter");
  return state->guard->replace(how, {clock_.now(), clock_.steady()});
}

void Bridge::show_next(std::string_view meter) {
  with_submeters(meter, [](MeterState& state) { state.show_all = true; });
}

bool Bridge::take_decided() noexcept {
  bool decided = false;
  for (auto& [id, state] : states_) {
    decided |= state.guard->take_decided();
    decided |= std::exchange(state.decided, false);
  }
  return decided;
}

Memory Bridge::memory() const {
  return memory_of({});
}

// Of a meter and its sub-meters; of all when the id is empty.
Memory Bridge::memory_of(std::string_view wanted) const {
  Memory memory;
  const auto steady = clock_.steady();
  const Instant wall = clock_.now();
  for (const auto& [id, state] : states_) {
    if (!wanted.empty() && id != wanted && state.facts.parent != wanted) continue;
    MeterMemory& meter = memory.meters[id];
    meter.time = state.time;
    meter.guard = state.guard->memory();
    if (state.alarms) meter.alarms = state.alarms->memory();
    for (const auto& [key, kept] : state.values) {
      const Instant at = wall - std::chrono::duration_cast<Instant::duration>(steady - kept.at);
      if (!kept.stale) meter.values.emplace(key, RememberedValue(kept.value, at));
    }
  }
  return memory;
}

void Bridge::restore(const Memory& memory) {
  for (auto& [id, state] : states_) {
    const auto found = memory.meters.find(id);
    if (found != memory.meters.end()) restore(state, found->second);
  }
}

// A damaged memory does not make another meter of it.
void Bridge::keep_serial(MeterState& state) {
  meter::GuardMemory guard = state.guard->memory();
  if (!guard.serial.empty()) return;
  guard.serial = state.known->identity.serial;
  state.guard->restore(std::move(guard));
}

void Bridge::restore(MeterState& state, const MeterMemory& memory) {
  state.guard->restore(memory.guard);
  keep_serial(state);
  if (state.alarms) {
    state.alarms->restore(memory.alarms);
    show_alarms(state);
  }
  const auto period = state.health.interval;
  if (period < slow_meter) return;
  const auto steady = clock_.steady();
  const Instant wall = clock_.now();
  for (const auto& [key, value] : memory.values) {
    const auto age = wall - value.at;
    const bool announced = state.known->entities.contains(key);
    if (!announced || age < Instant::duration::zero() || age >= period * periods_until_stale)
      continue;
    const auto at = steady - std::chrono::duration_cast<MeterState::Time::duration>(age);
    state.values.try_emplace(key, value.value, at,
                             meter::pace_of(key, value.value, state.plan->settings));
    state.last_reading = std::max(state.last_reading.value_or(at), at);
  }
  if (!state.last_reading) return;
  state.time = memory.time;
  state.online = true;
  state.health.last_reading =
      wall - std::chrono::duration_cast<Instant::duration>(steady - *state.last_reading);
}

}  // namespace meterbridge::app
