// SPDX-License-Identifier: MIT
#include "app/status_rows.hpp"

#include "app/bridge.hpp"
#include "app/plan.hpp"
#include "homeassistant/entity.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {
namespace {

std::optional<Milliseconds> age(std::optional<Instant> then, Instant now) {
  if (!then) return std::nullopt;
  // The clock of the machine may have been set back.
  return std::max(now - *then, Milliseconds(0));
}

std::vector<http::ReadingStatus> readings_of(const MeterState& state,
                                             const homeassistant::Language& language) {
  std::vector<http::ReadingStatus> readings;
  // Not what was announced: the broker may never have been there.
  for (const auto& [key, entity] : state.known->entities) {
    std::optional<Value> value;
    const auto kept = state.values.find(entity.key);
    if (kept != state.values.end() && !kept->second.stale) value = kept->second.value;
    std::string name = entity.label;
    if (name.empty()) name = homeassistant::entity_name(entity.key, language);
    readings.emplace_back(entity.key, std::move(value), entity.unit, std::move(name));
  }
  return readings;
}

std::string words_of(const homeassistant::HealthFacts& health) {
  if (health.paused) return "paused";
  return health.error.empty() ? std::string(describe(health.fault)) : health.error;
}

std::string address_of(const config::LinkSettings& link) {
  switch (link.kind) {
    case config::LinkKind::serial:
      return link.line ? link.serial + " " + link.line->text() : link.serial;
    case config::LinkKind::tcp:
      return link.host + ":" + std::to_string(link.port);
    case config::LinkKind::mqtt:
      return link.topic;
    case config::LinkKind::replay:
      break;
  }
  return link.replay;
}

}  // namespace

http::MeterStatus status_of(const MeterState& state, const homeassistant::Language& language,
                            Instant now) {
  const homeassistant::HealthFacts& health = state.health;
  http::MeterStatus meter;
  meter.id = state.facts.id;
  meter.name = homeassistant::shown_name(state.facts, language);
  meter.parent = state.facts.parent;
  if (state.plan != nullptr) {
    meter.profile = state.plan->settings.profile;
    meter.link = state.plan->settings.link;
  }
  meter.up = state.online;
  meter.paused = health.paused;
  meter.fault = health.fault;
  meter.text = words_of(health);
  meter.frame_age = age(health.last_frame, now);
  meter.reading_age = age(health.last_reading, now);
  meter.poll_time = health.poll_time;
  meter.interval = health.interval;
  meter.polls = health.polls;
  meter.failures = health.failures;
  meter.refused = health.refused;
  for (const auto& [kind, count] : state.errors)
    meter.errors.emplace(kind, count);
  meter.recoveries = health.recoveries;
  meter.readings = readings_of(state, language);
  meter.left_out = health.left_out;
  for (const homeassistant::AlarmHealth& alarm : health.alarms) {
    http::AlarmStatus& row = meter.alarms.emplace_back();
    row.name = alarm.name;
    row.severity = alarm.severity;
    row.active = alarm.active;
    row.since = alarm.since;
    row.text = alarm.text;
  }
  return meter;
}

// A line works as far as the best of its meters.
http::LinkStatus status_of(const std::string& name, const Link& link,
                           const config::Settings& settings,
                           const std::vector<http::MeterStatus>& meters) {
  http::LinkStatus row;
  row.name = name;
  row.up = link.transport().is_open();
  if (const config::LinkSettings* given = find_link(settings, name))
    row.address = address_of(*given);
  row.text = row.up ? "open" : "closed";
  const http::MeterStatus* best = nullptr;
  for (const http::MeterStatus& meter : meters) {
    if (meter.link != name || !meter.parent.empty()) continue;
    row.meters.push_back(meter.id);
    if (!meter.paused && (best == nullptr || meter.fault > best->fault)) best = &meter;
  }
  if (best == nullptr) {
    row.text += ": its meters are paused";
    return row;
  }
  row.fault = best->fault;
  if (best->fault != Fault::ok) row.text = best->text;
  return row;
}

http::SinkStatus status_of(const Sinks::Health& health, const config::Settings& settings) {
  http::SinkStatus sink;
  sink.name = health.name;
  for (const config::SinkSettings& given : settings.sinks) {
    if (given.name == health.name) sink.type = given.type;
  }
  sink.up = !health.status.failing;
  sink.text = sink.up ? "works" : health.status.error;
  sink.lag = health.status.lag;
  sink.lag_time = health.status.lag_time;
  sink.written = health.status.written;
  sink.refused = health.status.refused;
  sink.dropped = health.status.dropped;
  sink.failures = health.status.failures;
  return sink;
}

http::BridgeStatus status_of(const homeassistant::LinkFacts& facts) {
  http::BridgeStatus bridge;
  bridge.name = facts.name;
  bridge.up = facts.state == "connected";
  bridge.text = facts.error.empty() ? facts.state : facts.error;
  for (const auto& [name, count] : facts.counters) {
    if (name == "waiting") bridge.waiting = count;
    if (name == "dropped") bridge.dropped = count;
  }
  return bridge;
}

}  // namespace meterbridge::app
