// SPDX-License-Identifier: MIT
// From samples to messages: what Home Assistant sees of every meter. No input and output of its
// own: it is told what happened and when, and hands messages to `publish`.
#pragma once

#include "app/arrivals.hpp"
#include "app/known.hpp"
#include "app/ladder.hpp"
#include "app/memory.hpp"
#include "app/meter_state.hpp"
#include "config/settings.hpp"
#include "core/reading.hpp"
#include "mqtt/message.hpp"
#include "protocol/registry.hpp"

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

// What the bridge must know of a configured meter.
struct MeterPlan {
  MeterPlan() = default;
  config::MeterSettings settings;
  bool polled = true;
  std::span<const TableSpec> tables;  // those that say what is read; they outlive the plan
  MeterIdentity identity;  // what the profile says of it, until the meter speaks for itself
  const protocol::TelegramLayout* layout = nullptr;  // of its telegram topic; null = our own form
  bool leaves = false;  // its sub-meters are meters of other instances of this program
  bool shared = false;  // with other hubs: a part of the messages comes to us
};

struct Totals {
  std::size_t meters = 0;
  std::size_t entities = 0;
};

class Bridge {
 public:
  using Publish = std::function<void(mqtt::Message)>;
  using Log = std::function<void(bool warning, const std::string& line)>;

  // `known` is what an earlier run announced; it is kept up to date. `clock` and `known` outlive
  // the bridge.
  Bridge(const config::Settings& settings, std::vector<MeterPlan> meters, const Clock& clock,
         Known& known, Publish publish, Log log);
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Gets every sample that the guard let pass, sub-meters' ones too, whatever the publish rates,
  // with the telegram that it came in; may be empty.
  std::function<void(const Sample&, const protocol::Telegram&)> on_sample;
  // Each event that is published: a sample without readings (journal/event.hpp).
  std::function<void(const Sample&)> on_event;

  // What an earlier run read: counters are guarded from there on, and the values of slow meters are
  // shown until they are three periods old (P38). Before connected().
  void restore(const Memory& memory);
  [[nodiscard]] Memory memory() const;

  // All samples of one telegram of a configured meter.
  void deliver(std::string_view meter, std::vector<Sample> samples,
               const protocol::Telegram& telegram, std::optional<Milliseconds> took);
  // The user's word on what the guard holds, for a meter or a sub-meter. Error: not_found.
  Result<std::string> accept(std::string_view meter, std::optional<ReadingKey> key);
  Result<std::string> replace(std::string_view meter, meter::Continuation how);
  // The next sample of this meter goes out whole, whatever the rates.
  void show_next(std::string_view meter);
  void report(std::string_view meter, const Error& error);
  // What was wrong on the line although the meter was read; empty when nothing was.
  void remark(std::string_view meter, const std::string& text);
  // What is not asked for, because the meter refuses it (P10).
  void left_out(std::string_view meter, std::vector<std::string> what);
  // The device or peer is gone: offline at once, unless it flutters.
  void link_lost(std::string_view meter);
  // The meter refused the password that is configured now: it must not be asked again (three wrong
  // ones lock a CE307).
  [[nodiscard]] std::optional<Error> refusal(std::string_view meter);
  void recovered(std::string_view meter, Rung rung);
  void interval_changed(std::string_view meter, Milliseconds interval);
  void paused(std::string_view meter, bool paused);
  void event(std::string_view meter, std::string_view type, std::string_view text,
             const config::AlarmSettings* alarm = nullptr);

  // The broker took us in: everything retained is said again, in the order that Home Assistant
  // needs.
  void connected();

  void disconnected() noexcept { connected_ = false; }

  // While running. A meter that is configured anew begins like after a restart; one that is removed
  // leaves Home Assistant as soon as there is a broker. Of the settings only what Home Assistant is
  // told changes, never the instance or the base topic.
  void configure(MeterPlan plan);
  void remove(std::string_view meter);
  void reconfigure(const config::Settings& settings);

  void announce();  // the same, on Home Assistant's birth message
  void announce(std::string_view meter);
  void tick();      // once a second: ages, availability, summaries
  void farewell();  // "offline" for the bridge

  // True once after a change of what must survive a restart.
  [[nodiscard]] bool take_known_changed() noexcept { return std::exchange(known_changed_, false); }

  // True once after a decision of a guard, which must not be lost.
  [[nodiscard]] bool take_decided() noexcept;

  [[nodiscard]] Totals totals() const;
  [[nodiscard]] mqtt::Message will() const;

  [[nodiscard]] const homeassistant::BridgeFacts& facts() const noexcept { return facts_; }

  // What a hub has of its leaves.
  [[nodiscard]] Arrivals& arrivals() noexcept { return arrivals_; }

  [[nodiscard]] const MeterState* state(std::string_view id) const;
  [[nodiscard]] std::vector<const MeterState*> states() const;  // sub-meters too

 private:
  using States = std::map<std::string, MeterState, std::less<>>;

  void add_meter(const MeterPlan& plan);
  void add_state(const std::string& id, const MeterPlan& plan);
  void add_submeter(std::string id, const MeterState& parent, std::string medium);
  MeterState& submeter(const MeterState& parent, const Sample& sample);
  // bridge_leaves.cpp
  bool deliver_numbered(const MeterState& main, const std::vector<Sample>& samples,
                        const protocol::Telegram& telegram);
  void carry_out(const Arrivals::Outcome& outcome, const protocol::Telegram& telegram);
  void tend_leaves();
  void admit(MeterState& state, Sample& sample);
  void smooth(MeterState& main, MeterState& state, Sample& sample);
  // bridge_entities.cpp
  void keep_entities(MeterState& state);
  void take(MeterState& state, const Sample& sample);
  void restore(MeterState& state, const MeterMemory& memory);
  static void keep_serial(MeterState& state);
  [[nodiscard]] Memory memory_of(std::string_view wanted) const;
  void show(MeterState& state, bool all);
  void watch(MeterState& state);
  void alarm_event(MeterState& state, const meter::Alarms::Event& alarm);
  static void show_alarms(MeterState& state);
  void guard_event(MeterState& state, const meter::Guard::Notice& notice);
  void take_identity(MeterState& state, const MeterIdentity& identity);
  void count(MeterState& state, bool failed);
  void age(MeterState& state);
  void health_tick(MeterState& state);
  void set_online(MeterState& state, bool online);
  // Of a meter that is about to be shown away: for now it is not.
  [[nodiscard]] bool holds(MeterState& state);
  void say(mqtt::Message
               message);  // retained messages only while connected: connecting says them all again
  void say_all(MeterState& state);
  void say_discovery(MeterState& state);
  void say_state(MeterState& state);
  void say_health(MeterState& state);
  void say_availability(MeterState& state);
  void say_telegram(const MeterState& state, const protocol::Telegram& telegram);
  void say_bridge();
  void replace_discovery(KnownMeter& known, const std::vector<mqtt::Message>& documents);
  void drop_components(
      KnownMeter& known, std::map<std::string, std::string> components,
      const std::function<mqtt::Message(const std::map<std::string, std::string>& gone)>& document);
  void take_facts(const config::Settings& settings);
  void forget_removed();
  void clear_removed();
  MeterState* find(std::string_view id);

  template <class Act>
  void with_submeters(std::string_view id, const Act& act) {
    for (auto& [name, state] : states_) {
      if (name == id || state.facts.parent == id) act(state);
    }
  }

  config::HomeAssistantSettings homeassistant_;
  homeassistant::BridgeFacts facts_;
  const Clock& clock_;
  Known& known_;
  Publish publish_;
  Log log_;
  std::list<MeterPlan> plans_;  // states point into it
  States states_;
  // Meters that Home Assistant was told to forget, and when their other topics follow.
  std::map<std::string, MeterState::Time, std::less<>> leaving_;
  Arrivals arrivals_;
  bool connected_ = false;
  bool known_changed_ = false;
};

}  // namespace meterbridge::app
