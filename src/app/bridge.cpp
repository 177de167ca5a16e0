// SPDX-License-Identifier: MIT
#include "app/bridge.hpp"

#include "app/password_mark.hpp"
#include "app/version.hpp"
#include "core/json_writer.hpp"
#include "protocol/json/gather.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace meterbridge::app {
namespace {

constexpr std::chrono::seconds dwell{10};

// What a meter says of itself is read once or rarely; it does not age.
bool ages(const ReadingKey& key) {
  return key.quantity != Quantity::serial && key.quantity != Quantity::firmware;
}

// "site1 house": the instance and the meter.
std::string leaf_name(std::string_view id, std::string_view parent) {
  std::string name(id.substr(std::min(parent.size() + 1, id.size())));
  std::ranges::replace(name, '_', ' ');
  return name;
}

// Of a source that brings several meters, one may have been taken off the list since (P36).
bool is_wanted(const MeterPlan& plan, const std::string& id, const std::string& medium) {
  namespace json = protocol::json;
  const std::size_t before = plan.settings.id.size() + medium.size() + 2;  // "radio_water_"
  if (!plan.settings.protocol.has("ids") || id.size() <= before) return true;
  const auto options = json::read_options(plan.settings.protocol);
  if (!options) return true;
  json::Heard heard;
  heard.medium = medium;
  heard.id = id.substr(before);
  return !json::Roster(*options, false).refusal(heard);
}

}  // namespace

Bridge::Bridge(const config::Settings& settings, std::vector<MeterPlan> meters, const Clock& clock,
               Known& known, Publish publish, Log log)
    : homeassistant_(settings.homeassistant),
      clock_(clock),
      known_(known),
      publish_(std::move(publish)),
      log_(std::move(log)),
      plans_(std::make_move_iterator(meters.begin()), std::make_move_iterator(meters.end())) {
  facts_.instance = settings.instance;
  facts_.base = settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  facts_.version = version;
  take_facts(settings);
  for (const MeterPlan& plan : plans_)
    add_meter(plan);
}

// Sub-meters of an earlier run are known from the start; their values are not.
void Bridge::add_meter(const MeterPlan& plan) {
  add_state(plan.settings.id, plan);
  const MeterState& parent = states_.find(plan.settings.id)->second;
  for (auto& [id, meter] : known_.meters) {
    if (meter.parent != plan.settings.id) continue;
    if (is_wanted(plan, id, meter.medium)) {
      add_submeter(id, parent, meter.medium);
    } else {
      states_.erase(id);
    }
  }
  with_submeters(plan.settings.id, [](MeterState& state) { keep_serial(state); });
}

// By value: what is passed may lie in what add_state() resets.
void Bridge::add_submeter(std::string id, const MeterState& parent, std::string medium) {
  const std::string parent_id = parent.facts.id;
  const MeterIdentity own = known_.meters[id].identity;  // a gas meter is not of its carrier's make
  add_state(id, *parent.plan);
  MeterState& state = states_.find(id)->second;
  state.facts.identity = own;
  state.known->identity = own;
  state.facts.parent = parent_id;
  state.facts.medium = medium;
  state.facts.name = parent.plan->leaves ? leaf_name(state.facts.id, parent_id) : std::string();
  state.known->parent = parent_id;
  state.known->medium = std::move(medium);
}

void Bridge::add_state(const std::string& id, const MeterPlan& plan) {
  MeterState state;
  state.plan = &plan;
  state.known = &known_.meters[id];
  state.facts.id = id;
  state.facts.name = plan.settings.name.empty() ? plan.settings.id : plan.settings.name;
  state.facts.polled = plan.polled;
  state.facts.identity = plan.identity;
  state.health.interval = plan.settings.interval;
  state.health.paused = plan.settings.paused;
  state.known->parent.clear();
  state.guard = std::make_unique<meter::Guard>(plan.settings);
  state.smoothing = std::make_unique<meter::Smoothing>(plan.settings);
  if (id == plan.settings.id && !plan.settings.alarms.empty()) {
    state.alarms = std::make_unique<meter::Alarms>(plan.settings);
    show_alarms(state);
  }
  take_identity(state, state.known->identity);
  keep_entities(state);
  states_.insert_or_assign(id, std::move(state));
}

MeterState& Bridge::submeter(const MeterState& parent, const Sample& sample) {
  if (MeterState* found = find(sample.meter); found != nullptr) return *found;
  const std::string tail = sample.meter.substr(parent.facts.id.size() + 1);
  add_submeter(sample.meter, parent, tail.substr(0, tail.find('_')));
  known_changed_ = true;
  return states_.find(sample.meter)->second;
}

void Bridge::take_identity(MeterState& state, const MeterIdentity& identity) {
  const auto adopt = [](std::string& ours, const std::string& theirs) {
    if (theirs.empty() || ours == theirs) return false;
    ours = theirs;
    return true;
  };
  bool changed = adopt(state.facts.identity.manufacturer, identity.manufacturer);
  changed |= adopt(state.facts.identity.model, identity.model);
  changed |= adopt(state.facts.identity.serial, identity.serial);
  changed |= adopt(state.facts.identity.firmware, identity.firmware);
  if (!changed) return;
  state.announced = false;
  state.known->identity = state.facts.identity;
  known_changed_ = true;
}

void Bridge::count(MeterState& state, bool failed) {
  ++state.health.polls;
  if (failed) ++state.health.failures;
  state.failed[state.attempts++ % state.failed.size()] = failed;
  const std::size_t seen = std::min(state.attempts, state.failed.size());
  state.health.error_rate_percent =
      static_cast<int>((state.failed.count() * 100 + seen / 2) / seen);
}

void Bridge::deliver(std::string_view meter, std::vector<Sample> samples,
                     const protocol::Telegram& telegram, std::optional<Milliseconds> took) {
  MeterState* main = find(meter);
  if (main == nullptr) return;
  count(*main, false);
  main->password_refused = false;
  if (!std::exchange(main->known->refused, std::string()).empty()) known_changed_ = true;
  main->health.last_frame = clock_.now();
  main->health.poll_time = took;
  main->health.fault = Fault::ok;
  bool any = main->plan->leaves && deliver_numbered(*main, samples, telegram);
  for (Sample& sample : samples) {
    if (main->plan->leaves && !sample.parent.empty()) continue;
    MeterState& state = sample.parent.empty() ? *main : submeter(*main, sample);
    if (sample.readings.empty()) {
      take_identity(state, sample.identity);
      continue;
    }
    any = true;
    admit(state, sample);
    if (on_sample) on_sample(sample, telegram);
    smooth(*main, state, sample);
    take(state, sample);
    if (!state.announced) say_discovery(state);
    set_online(state, true);
    show(state, std::exchange(state.show_all, false));
  }
  // A source of other meters has nothing of its own to show: it is there while they come.
  if (any && main->values.empty()) {
    main->last_reading = clock_.steady();
    main->health.last_reading = clock_.now();
    set_online(*main, true);
  }
  // One message without a value says little; when no other brings any, that is the state.
  if (!any && !main->online) {
    main->health.fault = Fault::not_understood;
    main->health.error = "what arrives holds no value that could be taken";
  }
  const Errc code = any ? Errc::refused : Errc::unsupported;
  auto line = main->health.fault == Fault::ok
                  ? main->log.good(clock_.steady())
                  : main->log.failed(clock_.steady(), Error(code, main->health.error));
  if (line) log_(main->health.fault != Fault::ok, main->facts.id + ": " + *line);
  watch(*main);
  say_telegram(*main, telegram);
}

void Bridge::report(std::string_view meter, const Error& error) {
  MeterState* state = find(meter);
  if (state == nullptr || error.code() == Errc::cancelled) return;
  count(*state, true);
  ++state->errors[name(error.code())];
  if (proves_frames(error.code())) state->health.last_frame = clock_.now();
  if (error.code() == Errc::access) {
    const Secret password = state->plan->settings.protocol.secret("password");
    if (!refusal(meter)) {
      state->known->refused = password_mark(password);
      state->password_refused = true;
      known_changed_ = true;
    }
  }
  const Fault fault = fault_of(error.code());
  state->health.fault = fault;
  state->health.error = error.detail();
  if (auto line = state->log.failed(clock_.steady(), error))
    log_(true, state->facts.id + ": " + *line);
  watch(*state);
}

void Bridge::remark(std::string_view meter, const std::string& text) {
  MeterState* state = find(meter);
  if (state == nullptr) return;
  const auto now = clock_.steady();
  if (text.empty()) {
    if (auto line = state->remarks.good(now)) log_(false, state->facts.id + ": line: " + *line);
    return;
  }
  state->health.error = text;
  if (state->remarks.failed(now, Error(Errc::mismatch, text))) event(meter, "line_disturbed", text);
}

void Bridge::left_out(std::string_view meter, std::vector<std::string> what) {
  if (MeterState* state = find(meter); state != nullptr) state->health.left_out = std::move(what);
}

std::optional<Error> Bridge::refusal(std::string_view meter) {
  MeterState* known = find(meter);
  if (known == nullptr) return std::nullopt;
  if (!known->password_refused)
    known->password_refused =
        is_mark_of(known->known->refused, known->plan->settings.protocol.secret("password"));
  if (!*known->password_refused) return std::nullopt;
  return Error(
      Errc::access,
      "the meter refused this password; it is not tried again until another one is configured");
}

// What flutters would be a line in everybody's history each time (P39): it is shown away only after
// a while.
bool Bridge::holds(MeterState& state) {
  const auto now = clock_.steady();
  if (!state.lost) {
    if (state.losses.take(now)) return false;
    state.lost = now;
  }
  return now - *state.lost < dwell;
}

void Bridge::link_lost(std::string_view meter) {
  with_submeters(meter, [this](MeterState& state) {
    if (state.online && !holds(state)) set_online(state, false);
  });
}

void Bridge::recovered(std::string_view meter, Rung rung) {
  if (MeterState* state = find(meter); state != nullptr)
    ++state->health.recoveries[std::string(name(rung))];
}

void Bridge::interval_changed(std::string_view meter, Milliseconds interval) {
  with_submeters(meter, [&](MeterState& state) { state.health.interval = interval; });
  if (MeterState* state = find(meter); state != nullptr) say_health(*state);
}

void Bridge::paused(std::string_view meter, bool paused) {
  with_submeters(meter, [&](MeterState& state) { state.health.paused = paused; });
  if (MeterState* state = find(meter); state != nullptr) say_health(*state);
}

void Bridge::age(MeterState& state) {
  const auto now = clock_.steady();
  const auto limit = state.health.interval * periods_until_stale;
  const auto too_old = [&](const auto& entry) {
    return !entry.second.stale && ages(entry.first) && now - entry.second.at >= limit;
  };
  const bool silent = !state.last_reading || now - *state.last_reading >= limit;
  const bool away = state.online && (silent || state.lost);
  if (away && holds(state)) return show(state, false);
  const bool changed = std::any_of(state.values.begin(), state.values.end(), too_old);
  // What still waited for its time was the last that the meter said: it is not lost.
  if (changed && std::any_of(state.values.begin(), state.values.end(), [&](const auto& entry) {
        return entry.second.waits && too_old(entry);
      }))
    show(state, true);
  for (auto& entry : state.values)
    entry.second.stale |= too_old(entry);
  if (!changed) show(state, false);
  if (away) set_online(state, false);
  if (changed) say_state(state);
}

void Bridge::tick() {
  const auto now = clock_.steady();
  tend_leaves();
  for (auto& [id, state] : states_) {
    age(state);
    watch(state);
    if (auto line = state.log.tick(now)) log_(true, id + ": " + *line);
    if (!state.is_submeter()) health_tick(state);
  }
  clear_removed();
}

void Bridge::set_online(MeterState& state, bool online) {
  state.lost.reset();
  if (state.online == online) return;
  state.online = online;
  say_availability(state);
}

Totals Bridge::totals() const {
  Totals totals;
  totals.meters = states_.size();
  for (const auto& [id, state] : states_)
    totals.entities += state.known->entities.size();
  return totals;
}

const MeterState* Bridge::state(std::string_view id) const {
  const auto found = states_.find(id);
  return found == states_.end() ? nullptr : &found->second;
}

std::vector<const MeterState*> Bridge::states() const {
  std::vector<const MeterState*> all;
  for (const auto& [id, state] : states_)
    all.push_back(&state);
  return all;
}

MeterState* Bridge::find(std::string_view id) {
  const auto found = states_.find(id);
  return found == states_.end() ? nullptr : &found->second;
}

}  // namespace meterbridge::app
