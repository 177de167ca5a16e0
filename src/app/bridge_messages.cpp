// SPDX-License-Identifier: MIT
// The messages of the bridge: discovery, state, health, availability, and the removal of what is
// gone.
#include "app/bridge.hpp"
#include "core/json_writer.hpp"
#include "journal/event.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {

namespace ha = homeassistant;

namespace {

using namespace std::chrono_literals;
constexpr std::chrono::seconds leaving_takes{5};
constexpr std::chrono::seconds health_every{60};  // P41: diagnostics change at most once a minute

}  // namespace

void Bridge::say(mqtt::Message message) {
  if (message.retain && !connected_) return;
  publish_(std::move(message));
}

void Bridge::connected() {
  connected_ = true;
  arrivals_.connected();
  announce();
}

void Bridge::announce() {
  if (!connected_) return;
  say_bridge();
  forget_removed();
  for (auto& [id, state] : states_)
    say_all(state);
}

void Bridge::announce(std::string_view meter) {
  for (auto& [id, state] : states_) {
    if (id == meter || state.facts.parent == meter) say_all(state);
  }
}

void Bridge::configure(MeterPlan plan) {
  const std::string id = plan.settings.id;
  const auto old = std::find_if(plans_.begin(), plans_.end(),
                                [&](const MeterPlan& p) { return p.settings.id == id; });
  const Memory before = memory_of(id);
  if (old != plans_.end()) {
    *old = std::move(plan);
    add_meter(*old);
  } else {
    add_meter(plans_.emplace_back(std::move(plan)));
  }
  restore(before);
  if (connected_) forget_removed();
  announce(id);
}

void Bridge::remove(std::string_view meter) {
  std::erase_if(states_, [&](const auto& entry) {
    return entry.first == meter || entry.second.facts.parent == meter;
  });
  std::erase_if(plans_, [&](const MeterPlan& plan) { return plan.settings.id == meter; });
  if (connected_) forget_removed();
}

void Bridge::reconfigure(const config::Settings& settings) {
  homeassistant_ = settings.homeassistant;
  take_facts(settings);
  announce();
}

// What may change while the program runs.
void Bridge::take_facts(const config::Settings& settings) {
  facts_.prefix = settings.homeassistant.discovery_prefix;
  facts_.qos = settings.mqtt.qos;
  facts_.language = settings.homeassistant.language;
  facts_.link_topic = settings.homeassistant.link_availability_topic;
  facts_.bridges.clear();
  for (const config::BridgeSettings& bridge : settings.bridges)
    facts_.bridges.push_back(bridge.name);
}

void Bridge::say_all(MeterState& state) {
  say_discovery(state);
  say_availability(state);
  if (!state.values.empty()) show(state, true);
  if (!state.is_submeter()) say_health(state);
}

void Bridge::say_bridge() {
  std::vector<mqtt::Message> documents;
  if (homeassistant_.discovery == config::Discovery::device) {
    drop_components(known_.bridge, ha::components_of(facts_),
                    [this](const auto& gone) { return ha::bridge_document(facts_, gone); });
    documents = {ha::bridge_document(facts_)};
  }
  if (homeassistant_.discovery == config::Discovery::component)
    documents = ha::bridge_component_documents(facts_);
  replace_discovery(known_.bridge, documents);
  say({ha::status_topic(facts_), "online", true, facts_.qos});
}

mqtt::Message Bridge::will() const {
  return {ha::status_topic(facts_), "offline", true, facts_.qos};
}

void Bridge::farewell() {
  say(will());
}

// Documents on topics of another mode are handed over: Home Assistant unloads the entities, and
// keeps what it knows of them, when the old topic says "migrate". That topic is emptied before the
// new document arrives: afterwards each entity of it would be a conflict in Home Assistant's log.
void Bridge::replace_discovery(KnownMeter& known, const std::vector<mqtt::Message>& documents) {
  std::set<std::string> fresh;
  for (const mqtt::Message& document : documents)
    fresh.insert(document.topic);
  std::vector<std::string> old;
  std::set_difference(known.discovery.begin(), known.discovery.end(), fresh.begin(), fresh.end(),
                      std::back_inserter(old));
  // An entity that is merely gone from component mode has no new document to migrate to.
  const std::string device_prefix = facts_.prefix + "/device/";
  const auto is_device = [&](const std::string& topic) { return topic.starts_with(device_prefix); };
  const bool to_device = std::any_of(fresh.begin(), fresh.end(), is_device);
  for (const std::string& topic : old) {
    if (!fresh.empty() && is_device(topic) != to_device)
      say({topic, R"({"migrate_discovery":true})", false, facts_.qos});
  }
  for (const std::string& topic : old)
    say({topic, "", true, facts_.qos});
  for (const mqtt::Message& document : documents)
    say(document);
  if (known.discovery != fresh) {
    known.discovery = std::move(fresh);
    known_changed_ = true;
  }
}

// Naming a component by its platform alone removes it. Not retained, so that the outbox cannot fold
// the removal into the document that follows.
void Bridge::drop_components(
    KnownMeter& known, std::map<std::string, std::string> components,
    const std::function<mqtt::Message(const std::map<std::string, std::string>& gone)>& document) {
  if (!connected_ || known.components == components) return;
  std::map<std::string, std::string> gone;
  for (const auto& [key, platform] : known.components) {
    if (!components.contains(key)) gone.emplace(key, platform);
  }
  if (!gone.empty()) {
    mqtt::Message removal = document(gone);
    removal.retain = false;
    say(std::move(removal));
  }
  known.components = std::move(components);
  known_changed_ = true;
}

void Bridge::say_discovery(MeterState& state) {
  state.announced = connected_;
  if (!connected_) return;
  state.facts.entities.clear();
  for (const auto& [key, entity] : state.known->entities)
    state.facts.entities.push_back(entity);
  std::vector<mqtt::Message> documents;
  if (homeassistant_.discovery == config::Discovery::device) {
    drop_components(*state.known, ha::components_of(state.facts), [&](const auto& gone) {
      return ha::device_document(facts_, state.facts, gone);
    });
    documents = {ha::device_document(facts_, state.facts)};
  } else if (homeassistant_.discovery == config::Discovery::component) {
    documents = ha::component_documents(facts_, state.facts);
  }
  replace_discovery(*state.known, documents);
  std::set<std::string> topics{ha::topic(facts_, state.facts.id, "availability"),
                               ha::topic(facts_, state.facts.id, "state")};
  if (!state.is_submeter()) topics.insert(ha::topic(facts_, state.facts.id, "health"));
  for (const std::string& topic : state.known->topics) {
    if (!topics.contains(topic)) say({topic, "", true, facts_.qos});
  }
  if (state.known->topics != topics) {
    state.known->topics = std::move(topics);
    known_changed_ = true;
  }
}

// Home Assistant takes its time to let entities go. Whatever reaches them until then, the empty
// message that removes a retained state above all, is an error in its log.
void Bridge::forget_removed() {
  for (auto& [id, known] : known_.meters) {
    if (states_.contains(id) || (leaving_.contains(id) && known.discovery.empty())) continue;
    // An earlier run may have ended in between.
    const bool was_shown = !known.discovery.empty();
    replace_discovery(known, {});
    leaving_[id] = clock_.steady() + (was_shown ? leaving_takes : 0s);
    if (was_shown) log_(false, id + ": no longer configured, removed from Home Assistant");
  }
  clear_removed();
}

void Bridge::clear_removed() {
  if (!connected_) return;
  for (auto leaving = leaving_.begin(); leaving != leaving_.end();) {
    const auto known = known_.meters.find(leaving->first);
    const bool returned = states_.contains(leaving->first) || known == known_.meters.end();
    if (!returned && clock_.steady() < leaving->second) {
      ++leaving;
      continue;
    }
    if (!returned) {
      for (const std::string& topic : known->second.topics)
        say({topic, "", true, facts_.qos});
      known_.meters.erase(known);
      known_changed_ = true;
    }
    leaving = leaving_.erase(leaving);
  }
}

// Says the state when a value in it may go out again; those whose time has not come stay as they
// were said last, and follow when it has.
void Bridge::show(MeterState& state, bool all) {
  const auto now = clock_.steady();
  bool any = all;
  for (auto& [key, kept] : state.values) {
    const Milliseconds wait = meter::wait_between(kept.shown, kept.value, kept.pace);
    // A poll every ten seconds is a little early at times.
    const auto slack = std::min<Milliseconds>(wait / 10, std::chrono::milliseconds(500));
    const bool due = all || !kept.shown_at || now + slack - *kept.shown_at >= wait;
    if (!due || !std::exchange(kept.waits, false)) continue;
    kept.shown = kept.value;
    kept.shown_at = now;
    any = true;
  }
  if (!any) return;
  // What is the same as before is in this message, too: it needs none of its own.
  for (auto& [key, kept] : state.values) {
    if (kept.pace.interval >= kept.pace.repeat || kept.value != kept.shown) continue;
    kept.waits = false;
    kept.shown_at = now;
  }
  say_state(state);
}

void Bridge::say_state(MeterState& state) {
  ha::StateFacts facts;
  for (const auto& [key, kept] : state.values) {
    facts.values.emplace(key, kept.stale ? std::nullopt : std::optional<Value>(kept.shown));
  }
  facts.time = state.time;
  say(ha::state_document(facts_, state.facts.id, facts));
}

// Diagnostics move once a minute (P41). A changed fault shows at once, unless it flutters: then it
// is counted, and its newest state goes out with the next minute.
void Bridge::health_tick(MeterState& state) {
  const auto since = clock_.steady() - state.health_published;
  if (connected_ && state.alarms_waiting && state.alarm_health.take(clock_.steady()))
    return say_health(state);
  if (since < health_every &&
      (state.health.fault == state.fault_published || !state.early_health.take(clock_.steady())))
    return;
  say_health(state);
}

void Bridge::say_health(MeterState& state) {
  if (!connected_) return;
  state.health_published = clock_.steady();
  state.fault_published = state.health.fault;
  state.alarms_waiting = false;
  say(ha::health_document(facts_, state.facts.id, state.health));
}

void Bridge::say_availability(MeterState& state) {
  say(ha::availability(facts_, state.facts.id, state.online));
}

void Bridge::say_telegram(const MeterState& state, const protocol::Telegram& telegram) {
  const config::TelegramTopic& wanted = state.plan->settings.telegram;
  if (!wanted.enabled) return;
  std::string text;
  if (state.plan->layout == nullptr) {
    text = protocol::telegram_json(telegram);
  } else if (auto written = state.plan->layout->write(telegram); written) {
    text = std::move(*written);
  } else {
    log_(true, state.facts.id + ": telegram topic: " + written.error().detail());
    return;
  }
  std::string topic =
      wanted.topic.empty() ? ha::topic(facts_, state.facts.id, "telegram") : wanted.topic;
  say({std::move(topic), std::move(text), false, facts_.qos});
}

void Bridge::event(std::string_view meter, std::string_view type, std::string_view text,
                   const config::AlarmSettings* alarm) {
  JsonWriter json;
  json.object().member("event_type", type);
  if (alarm != nullptr) json.member("alarm", alarm->name).member("severity", name(alarm->severity));
  json.member("text", text).member("time", iso_utc(clock_.now())).end();
  say({ha::topic(facts_, meter, "event"), json.text(), false, facts_.qos});
  std::string line = std::string(meter) + ": ";
  if (alarm != nullptr) line += alarm->name + ": ";
  const bool warning = type == "alarm_raised" && alarm->severity != config::AlarmSeverity::info;
  log_(warning, line + std::string(text));
  if (!on_event) return;
  journal::Event kept;
  kept.type = type;
  kept.text = text;
  if (alarm != nullptr) {
    kept.alarm = alarm->name;
    kept.severity = name(alarm->severity);
  }
  const MeterState* of = state(meter);
  on_event(journal::sample_of(kept, std::string(meter), of == nullptr ? "" : of->facts.parent,
                              clock_.now()));
}

}  // namespace meterbridge::app
