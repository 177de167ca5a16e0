// SPDX-License-Identifier: MIT
// The bridge and its meters' alarms: what they look at, and who hears of them.
#include "app/bridge.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {

// What is published is smoothed, and alarms look at what is published. A sub-meter's readings are
// the alarms' of its meter.
void Bridge::smooth(MeterState& main, MeterState& state, Sample& sample) {
  const meter::Moment now{clock_.now(), clock_.steady()};
  const Milliseconds gap = state.health.interval * periods_until_stale;
  state.smoothing->apply(sample.readings, now, gap);
  if (!main.alarms) return;
  std::string source;
  if (state.is_submeter()) source = state.facts.id.substr(main.facts.id.size() + 1);
  const auto& options = state.plan->settings.readings;
  std::vector<Reading> shown;
  std::copy_if(sample.readings.begin(), sample.readings.end(), std::back_inserter(shown),
               [&](const Reading& reading) {
                 const auto found = options.find(reading.key);
                 return found == options.end() || !found->second.hidden;
               });
  main.alarms->take(source, shown, now);
}

void Bridge::watch(MeterState& state) {
  if (!state.alarms) return;
  meter::Alarms::Situation situation;
  situation.fault = state.health.fault;
  situation.error = state.health.error;
  situation.paused = state.health.paused;
  situation.stale_after = state.health.interval * periods_until_stale;
  const auto events = state.alarms->judge(situation, {clock_.now(), clock_.steady()});
  for (const auto& alarm : events)
    alarm_event(state, alarm);
  if (!state.alarms->take_changed() && events.empty()) return;
  const std::size_t announced = state.facts.alarms.size();
  show_alarms(state);
  state.alarms_waiting = true;
  if (state.facts.alarms.size() != announced) say_discovery(state);
}

// One that flutters without a delay is told ten times, then once in ten minutes; its entity and the
// health topic show every state that lasts.
void Bridge::alarm_event(MeterState& state, const meter::Alarms::Event& alarm) {
  TokenBucket& budget =
      state.alarm_events.try_emplace(alarm.alarm->name, TokenBucket{10, std::chrono::minutes(10)})
          .first->second;
  if (!budget.take(clock_.steady())) return;
  state.decided = true;
  event(state.facts.id, alarm.raised ? "alarm_raised" : "alarm_cleared", alarm.text, alarm.alarm);
}

void Bridge::show_alarms(MeterState& state) {
  state.facts.alarms.clear();
  state.health.alarms.clear();
  for (const auto& [alarm, active, memory] : state.alarms->states()) {
    if (alarm->automatic && !memory->judged) continue;
    homeassistant::AlarmFacts facts;
    facts.name = alarm->name;
    facts.label = alarm->label;
    facts.of_values =
        alarm->kind != config::AlarmKind::silent && alarm->kind != config::AlarmKind::fault;
    state.facts.alarms.push_back(std::move(facts));
    homeassistant::AlarmHealth health;
    health.name = alarm->name;
    health.severity = name(alarm->severity);
    health.active = active;
    health.raised = memory->raised;
    health.since = memory->since;
    health.text = memory->text;
    state.health.alarms.push_back(std::move(health));
  }
}

}  // namespace meterbridge::app
