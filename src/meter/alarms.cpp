// SPDX-License-Identifier: MIT
#include "meter/alarms.hpp"

#include "core/text.hpp"
#include "meter/limits.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::meter {
namespace {

using config::AlarmKind;
using config::AlarmSettings;
using Verdict = Finding::Verdict;

constexpr Milliseconds shortest_gap = std::chrono::minutes(1);

// Nothing while the clock is not set: then nobody knows which hours these are.
std::optional<bool> within(const config::DayWindow& window, Instant now) {
  if (!clock_is_set(now)) return std::nullopt;
  const auto local = to_local(std::chrono::floor<std::chrono::seconds>(now)).at;
  const auto minutes = local - std::chrono::floor<std::chrono::days>(local);
  if (window.from < window.to) return minutes >= window.from && minutes < window.to;
  return minutes >= window.from || minutes < window.to;
}

// A worse value of a limit than any since the alarm was raised.
bool is_worse(const Finding& finding, const AlarmMemory& memory) {
  if (!finding.value || finding.verdict != Verdict::over) return false;
  if (!memory.worst) return true;
  return finding.beneath ? *finding.value < *memory.worst : *finding.value > *memory.worst;
}

std::string raised_text(const AlarmSettings& alarm, const Finding& finding) {
  std::string text = finding.words;
  if (alarm.delay > Milliseconds{}) text += " for " + duration_text(alarm.delay);
  return sanitised(text);
}

std::string cleared_text(const AlarmSettings& alarm, const AlarmMemory& memory,
                         const Finding& finding, Instant now) {
  const bool present = alarm.kind == AlarmKind::limit && !finding.words.empty();
  std::string text = present ? finding.words : "over: " + memory.text;
  if (memory.since && clock_is_set(now) && now >= *memory.since)
    text +=
        ", after " + duration_text(std::chrono::floor<std::chrono::seconds>(now - *memory.since));
  if (memory.worst) text += ", was at " + memory.worst->str();
  return sanitised(text);
}

}  // namespace

Alarms::Alarms(const config::MeterSettings& settings) : traces_(settings.alarms) {
  for (const AlarmSettings& alarm : settings.alarms) {
    watches_.emplace_back(alarm);
    if (alarm.kind == AlarmKind::energy && !energy_)
      energy_.emplace(alarm, std::max(settings.interval * 3, shortest_gap));
  }
}

void Alarms::take(const std::string& source, const std::vector<Reading>& readings,
                  const Moment& now) {
  if (!readings.empty()) last_reading_ = now.steady;
  traces_.take(source, readings, now.steady);
  if (energy_ && source.empty()) energy_->take(readings, now.steady);
}

Finding Alarms::find(const AlarmSettings& alarm, const Situation& situation,
                     const Moment& now) const {
  switch (alarm.kind) {
    case AlarmKind::limit:
      return find_limit(alarm, traces_, now);
    case AlarmKind::silent: {
      if (situation.paused) return Finding();
      const auto quiet = now.steady - last_reading_.value_or(*began_);
      if (quiet >= alarm.span)
        return Finding(Verdict::over, "no reading for " + duration_text(alarm.span));
      return last_reading_ ? Finding(Verdict::calm) : Finding();
    }
    case AlarmKind::fault:
      if (situation.paused || situation.fault == Fault::starting) return Finding();
      if (situation.fault == Fault::ok) return Finding(Verdict::calm);
      return Finding(
          Verdict::over,
          std::string(name(situation.fault)) + ": " +
              std::string(situation.error.empty() ? describe(situation.fault) : situation.error));
    case AlarmKind::stuck:
      return find_stuck(alarm, traces_, now);
    case AlarmKind::sign:
      return find_sign(traces_, now);
    case AlarmKind::lost_phase:
      return find_lost_phase(alarm, traces_, now);
    case AlarmKind::phase_sum:
      return find_phase_sum(alarm, traces_, now);
    case AlarmKind::power_product:
      return find_power_product(alarm, traces_, now);
    case AlarmKind::energy:
      break;
  }
  if (!energy_ || !energy_->result()) return Finding();
  if (energy_->result()->empty()) return Finding(Verdict::calm);
  return Finding(Verdict::over, *energy_->result());
}

std::optional<Alarms::Event> Alarms::advance(Watch& watch, const Finding& finding,
                                             const Moment& now) {
  const AlarmSettings& alarm = *watch.alarm;
  AlarmMemory& memory = watch.memory;
  const bool over = finding.verdict == Verdict::over;
  const bool calm = finding.verdict == Verdict::calm;
  if (!over || memory.raised) watch.begins.reset();
  if (!calm || !memory.raised) watch.ends.reset();
  if (finding.verdict == Verdict::unknown) return std::nullopt;
  memory.judged = true;
  if (!memory.raised) {
    if (!over) return std::nullopt;
    if (!watch.begins) watch.begins = now.steady;
    if (now.steady - *watch.begins < alarm.delay) return std::nullopt;
    watch.begins.reset();
    memory.raised = true;
    memory.text = raised_text(alarm, finding);
    memory.worst = finding.value;
    memory.since.reset();
    if (clock_is_set(now.wall)) memory.since = now.wall;
    return Event{&alarm, true, memory.text};
  }
  if (is_worse(finding, memory)) memory.worst = finding.value;
  if (!calm) return std::nullopt;
  if (!watch.ends) watch.ends = now.steady;
  if (now.steady - *watch.ends < alarm.clear_delay) return std::nullopt;
  watch.ends.reset();
  Event event{&alarm, false, cleared_text(alarm, memory, finding, now.wall)};
  const bool judged = memory.judged;
  memory = AlarmMemory();
  memory.judged = judged;
  return event;
}

std::vector<Alarms::Event> Alarms::judge(const Situation& situation, const Moment& now) {
  std::vector<Event> events;
  if (!began_) began_ = now.steady;
  traces_.stale_after(situation.stale_after);
  for (Watch& watch : watches_) {
    const bool judged = watch.memory.judged;
    Finding finding = find(*watch.alarm, situation, now);
    if (watch.alarm->between && finding.verdict == Verdict::over) {
      const auto counts = within(*watch.alarm->between, now.wall);
      if (!counts) finding = Finding();
      if (counts == false) finding = Finding(Verdict::calm);
    }
    auto event = advance(watch, finding, now);
    std::optional<bool> active;
    if (finding.verdict != Verdict::unknown) active = watch.memory.raised;
    changed_ |= active != watch.active || judged != watch.memory.judged;
    watch.active = active;
    if (event) events.push_back(*std::move(event));
  }
  return events;
}

std::vector<Alarms::State> Alarms::states() const {
  std::vector<State> all;
  for (const Watch& watch : watches_)
    all.push_back({watch.alarm, watch.active, &watch.memory});
  return all;
}

std::map<std::string, AlarmMemory> Alarms::memory() const {
  std::map<std::string, AlarmMemory> all;
  for (const Watch& watch : watches_)
    if (watch.memory.judged || watch.memory.raised) all.emplace(watch.alarm->name, watch.memory);
  return all;
}

void Alarms::restore(const std::map<std::string, AlarmMemory>& memory) {
  for (Watch& watch : watches_) {
    const auto found = memory.find(watch.alarm->name);
    if (found != memory.end()) watch.memory = found->second;
  }
}

}  // namespace meterbridge::meter
