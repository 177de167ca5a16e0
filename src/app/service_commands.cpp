// SPDX-License-Identifier: MIT
// What the service is told over MQTT, and what it says of itself.
#include "app/log.hpp"
#include "app/service.hpp"
#include "app/version.hpp"
#include "core/text.hpp"
#include "io/footprint.hpp"
#include "io/notify.hpp"

#include <array>
#include <charconv>
#include <random>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

constexpr long least_interval = 1;  // seconds
constexpr long longest_interval = 86400;
constexpr auto other_said_every = 1h;
constexpr std::size_t topics_told = 100;  // of retained or unknown commands, once each
constexpr long birth_delay_ms[] = {
    1000, 4000};  // so that a house full of bridges does not answer at once

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

std::optional<long> whole_number(std::string_view text) {
  text = trimmed(text);
  // Home Assistant writes numbers of a number entity as 30 or 30.0.
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return std::nullopt;
    text = text.substr(0, point);
  }
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void Service::say_bridge_health() {
  homeassistant::BridgeHealthFacts health;
  health.uptime = std::chrono::duration_cast<std::chrono::seconds>(Steady::now() - started_);
  health.memory_bytes = io::resident_memory();
  health.queue = broker_->outbox().waiting();
  health.run = run_id_;
  health.host = host_name();
  health.bridges = bridges_->facts();
  health.sinks = sink_health();
  if (recorder_) health.journal = recorder_->facts();
  if (broker_->connected())
    broker_->publish(homeassistant::bridge_health_document(bridge_->facts(), health));
}

// Two bridges on one base topic overwrite each other's values, and neither would know. Only what is
// published while we listen proves that the other one lives: a retained message may be our own of
// an earlier run.
void Service::hear_bridge_health(const mqtt::Message& message) {
  if (message.retain) return;
  const auto json = nlohmann::json::parse(message.payload, nullptr, false);
  if (!json.is_object()) return;
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? sanitised(found->get<std::string>(), 64)
                                                     : std::string();
  };
  const std::string run = text("run");
  if (run.empty() || run == run_id_) return;
  const bool first = std::exchange(other_run_, run) != run;
  const auto now = Steady::now();
  if (other_said_ != Steady::time_point{} && now - other_said_ < other_said_every) return;
  other_said_ = now;
  const std::string host = text("host");
  log::warn(
      "another meterbridge{} publishes under our base topic \"{}\": both overwrite each other's "
      "values. Stop one of them, or give it an instance name (and mqtt.base_topic) of its own",
      host.empty() ? "" : " (on \"" + host + "\")", bridge_->facts().base);
  if (first) say_bridge_health();  // so that the other one learns it, too
}

void Service::subscribe_homeassistant() {
  if (house_.settings.homeassistant.discovery == config::Discovery::off) return;
  broker_->subscribe(house_.settings.homeassistant.birth_topic, 1);
  broker_->subscribe(own_document_topic(), 1);
}

// Where the bridge itself is announced, and so is every other one with our instance name; empty
// without discovery.
std::string Service::own_document_topic() const {
  switch (house_.settings.homeassistant.discovery) {
    case config::Discovery::device:
      return homeassistant::bridge_document(bridge_->facts()).topic;
    case config::Discovery::component:
      return homeassistant::bridge_component_documents(bridge_->facts()).front().topic;
    case config::Discovery::off:
      break;
  }
  return {};
}

// Two bridges with one instance name and a base topic each: they never meet there, but all their
// identities are the same. What is retained may be our own, from before the base topic was changed.
void Service::hear_own_document(const mqtt::Message& message) {
  constexpr std::string_view end = "/status\"";
  const std::string& base = bridge_->facts().base;
  const std::string_view text = message.payload;
  const std::size_t at = text.find(end);
  if (message.retain || at == std::string_view::npos) return;
  const std::size_t quote = text.rfind('"', at);
  const std::string_view other = text.substr(quote + 1, at - quote - 1);
  if (other == base) return;
  const auto now = Steady::now();
  if (other_base_said_ != Steady::time_point{} && now - other_base_said_ < other_said_every) return;
  other_base_said_ = now;
  log::warn(
      "another meterbridge with our instance name \"{}\" uses this broker, under the base topic "
      "\"{}\" (ours is \"{}\"): both give their entities the same identities, and Home Assistant "
      "shows now one's, now the other's. Give one of them an instance name of its own",
      bridge_->facts().instance, sanitised(other, 64), base);
  bridge_->announce();  // so that the other one learns it, too
}

void Service::say_status() {
  std::size_t good = 0;
  for (const auto& task : tasks_) {
    const MeterState* state = bridge_->state(task->meter->settings().id);
    if (state != nullptr && state->online) ++good;
  }
  io::notify_status(std::to_string(good) + " of " + std::to_string(tasks_.size()) +
                    " meters deliver, broker " +
                    (broker_->connected() ? "connected" : "not connected"));
}

void Service::received(const mqtt::Message& message) {
  topics_.received(message);
  if (message.topic == house_.settings.homeassistant.birth_topic) {
    if (message.payload != "online") return;
    std::random_device random;
    const long spread = birth_delay_ms[1] - birth_delay_ms[0];
    announcement_.expires_after(std::chrono::milliseconds(
        birth_delay_ms[0] + static_cast<long>(random() % static_cast<unsigned>(spread))));
    announcement_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      log::info("Home Assistant started: announcing everything again");
      bridge_->announce();
      say_bridge_health();
    });
    return;
  }
  if (message.topic == homeassistant::bridge_health_topic(bridge_->facts()))
    return hear_bridge_health(message);
  if (message.topic == own_document_topic()) return hear_own_document(message);
  if (hear_hub(message)) return;
  // <base>/<meter>/set/<what>
  const std::string& base = bridge_->facts().base;
  if (!message.topic.starts_with(base + "/")) return;
  const std::string_view rest = std::string_view(message.topic).substr(base.size() + 1);
  const std::size_t slash = rest.find("/set/");
  if (slash == std::string_view::npos) return;
  const std::string_view meter = rest.substr(0, slash);
  const std::string_view what = rest.substr(slash + 5);
  if (is_retained_command(message, meter)) return;
  // A sub-meter has a guard, too, but no task.
  if ((what == "accept" || what == "replace") && bridge_->state(meter) != nullptr)
    return guard_command(meter, what, message.payload);
  // Without a range everything retained is said again.
  if (what == "resend" && trimmed(message.payload).starts_with('{') &&
      bridge_->state(meter) != nullptr)
    return send_again(meter, message.payload);
  Task* task = find_task(meter);
  if (task == nullptr) return refuse_without_task(message.topic, meter);
  command(*task, what, message.payload);
}

// A retained command would be carried out again with every connection, for ever; refused in words.
// Who then removes it sends an empty message to the same topic, which is no command either.
bool Service::is_retained_command(const mqtt::Message& message, std::string_view meter) {
  if (message.payload.empty() && (message.retain || retained_commands_.contains(message.topic))) {
    retained_commands_.erase(message.topic);
    return true;
  }
  if (!message.retain) return false;
  if (retained_commands_.size() < topics_told && retained_commands_.insert(message.topic).second) {
    const std::string topic = sanitised(message.topic);
    const std::string why = "a retained message on " + topic +
                            " is no command: it would be repeated with every connection. Send "
                            "commands without the retain flag, and remove this one (mosquitto_pub "
                            "-r -n -t " +
                            topic + ")";
    if (bridge_->state(meter) != nullptr) {
      bridge_->event(meter, "command_refused", why);
    } else {
      log::warn("{}", why);
    }
  }
  return true;
}

void Service::refuse_without_task(const std::string& topic, std::string_view meter) {
  if (const MeterState* const part = bridge_->state(meter);
      part != nullptr && part->is_submeter()) {
    return bridge_->event(meter, "command_refused",
                          sanitised(topic) + ": it is read by the meter \"" + part->facts.parent +
                              "\", which is to be told; here only accept and replace are heard");
  }
  if (unknown_told_.size() < topics_told && unknown_told_.insert(topic).second)
    log::warn("command for an unknown meter: {}", sanitised(topic));
}

// accept: a reading key, or nothing for all that is held. replace: new_cycle (also when empty), or
// carry_on to count on from the old meter's reading.
void Service::guard_command(std::string_view meter, std::string_view what,
                            const std::string& payload) {
  const std::string word = lower(trimmed(payload));
  Result<std::string> done = Error(Errc::invalid, "new_cycle or carry_on was expected");
  if (what == "accept") {
    const auto key = ReadingKey::parse(word);
    // A button of Home Assistant sends PRESS.
    const bool all = word.empty() || word == "press" || word == "all";
    done = Error(Errc::invalid, "\"" + sanitised(payload, 40) + "\" is no reading key");
    if (all || key)
      done = bridge_->accept(meter, all ? std::nullopt : std::optional<ReadingKey>(*key));
  } else if (word.empty() || word == "press" || word == "new_cycle") {
    done = bridge_->replace(meter, meter::Continuation::new_cycle);
  } else if (word == "carry_on") {
    done = bridge_->replace(meter, meter::Continuation::carry_on);
  }
  const std::string text =
      "set/" + std::string(what) + ": " + (done ? *done : done.error().detail());
  bridge_->event(meter, done ? "command_done" : "command_refused", text);
  bridge_->show_next(meter);
  if (done) save_values();
  if (Task* task = find_task(meter); done && task != nullptr) task->poller->due_now();
}

void Service::command(Task& task, std::string_view what, const std::string& payload) {
  const std::string& id = task.meter->settings().id;
  const auto refuse = [&](const std::string& why) {
    bridge_->event(id, "command_refused", "set/" + sanitised(what, 40) + ": " + why);
  };
  if (what == "poll") {
    if (task.meter->profile().protocol->pushes)
      return refuse("the meter sends by itself, it cannot be asked");
    bridge_->show_next(id);
    task.poller->poke();
  } else if (what == "interval") {
    if (task.meter->profile().protocol->pushes)
      return refuse("the meter sends by itself, it has its own interval");
    const auto seconds = whole_number(payload);
    if (!seconds || *seconds < least_interval || *seconds > longest_interval) {
      return refuse("\"" + sanitised(payload, 40) + "\" is no number of seconds from 1 to 86400");
    }
    const std::chrono::seconds interval(*seconds);
    task.poller->set_interval(interval);
    bridge_->interval_changed(id, interval);
  } else if (what == "pause") {
    const std::string word = lower(trimmed(payload));
    if (word != "on" && word != "off" && word != "true" && word != "false")
      return refuse("ON or OFF was expected");
    const bool paused = word == "on" || word == "true";
    task.poller->set_paused(paused);
    bridge_->paused(id, paused);
  } else if (what == "resend") {
    bridge_->announce(id);
  } else {
    refuse("not supported by this version");
  }
}

}  // namespace meterbridge::app
