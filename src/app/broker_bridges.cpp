// SPDX-License-Identifier: MIT
#include "app/broker_bridges.hpp"

#include "app/log.hpp"
#include "app/plan.hpp"
#include "app/wait.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using Json = nlohmann::json;
using Monotonic = std::chrono::steady_clock;

constexpr auto farewell_limit = 500ms;
constexpr auto end_limit = 3s;  // a connection ends within its next wait
constexpr auto dropped_said_every = 1h;

// The file of a bridge: what was removed, and the subscriptions of the kept sessions.
struct Remembered {
  mqtt::BridgeMemory memory;

  static Result<Remembered> parse(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return Error(Errc::malformed, "it is no JSON object");
    Remembered all;
    const auto filters = [&](const char* name, std::set<std::string>& into) {
      const auto found = json.find(name);
      if (found == json.end() || !found->is_array()) return;
      for (const Json& one : *found)
        if (one.is_string()) into.insert(one.get<std::string>());
    };
    filters("local_filters", all.memory.local_filters);
    filters("remote_filters", all.memory.remote_filters);
    if (const auto removed = json.find("removed"); removed != json.end() && removed->is_object()) {
      for (const auto& [topic, time] : removed->items())
        if (time.is_number_integer()) all.memory.removed[topic] = time.get<std::int64_t>();
    }
    return all;
  }
};

std::string json_of(const mqtt::BridgeMemory& memory) {
  const Json json{{"local_filters", memory.local_filters},
                  {"remote_filters", memory.remote_filters},
                  {"removed", memory.removed}};
  return json.dump(1);
}

std::string file_of(const config::Settings& settings, const std::string& bridge) {
  return settings.state_directory + "/" + settings.instance + ".bridge-" + bridge;
}

bool configured(const config::Settings& settings, const std::string& bridge) {
  return std::any_of(settings.bridges.begin(), settings.bridges.end(),
                     [&](const config::BridgeSettings& one) { return one.name == bridge; });
}

// What a bridge that is no longer configured has left.
void remove_files(const config::Settings& settings, const std::string& bridge) {
  const std::string file = file_of(settings, bridge);
  std::size_t waiting = 0;
  for (const char* end : {".in", ".out"})
    waiting += mqtt::Spool(file + end, [](const std::string&) {}).load().size();
  for (const char* end : {".in", ".out", ".in.new", ".out.new", ".json", ".json.previous"})
    ::unlink((file + end).c_str());
  log::at(waiting > 0 ? log::Level::warn : log::Level::info,
          "bridge {}: no longer configured; {} messages that waited for a broker were dropped",
          bridge, waiting);
}

// Bridges that were taken out of the configuration while the program was not running. Names have
// no dot.
std::set<std::string> strangers(const config::Settings& settings) {
  const std::string prefix = settings.instance + ".bridge-";
  std::set<std::string> names;
  std::error_code failure;
  std::filesystem::directory_iterator file(settings.state_directory, failure);
  for (; !failure && file != std::filesystem::directory_iterator(); file.increment(failure)) {
    const std::string name = file->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const std::string bridge =
        name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size());
    if (!configured(settings, bridge)) names.insert(bridge);
  }
  return names;
}

bool same(config::BridgeSettings a, const config::BridgeSettings& b) {
  a.place = b.place;
  a.path = b.path;
  return a == b;
}

}  // namespace

BrokerBridges::BrokerBridges(asio::any_io_executor executor, std::string client_id)
    : executor_(std::move(executor)), client_id_(std::move(client_id)), ended_(executor_) {}

void BrokerBridges::start(const config::Settings& settings) {
  mqtt_ = settings.mqtt;
  for (const std::string& bridge : strangers(settings)) {
    remove_files(settings, bridge);
    log::info("bridge {}: its sessions at the brokers end by themselves, within a week", bridge);
  }
  for (const config::BridgeSettings& bridge : settings.bridges)
    add(settings, bridge);
}

void BrokerBridges::add(const config::Settings& settings, const config::BridgeSettings& bridge) {
  const auto log = [name = bridge.name](bool warning, const std::string& line) {
    log::at(warning ? log::Level::warn : log::Level::info, "bridge {}: {}", name, line);
  };
  auto entry = std::make_unique<Entry>();
  entry->settings = bridge;
  const std::string file = file_of(settings, bridge.name);
  entry->store = std::make_unique<StateStore>(
      file + ".json",
      StateStore::Words{"what was removed earlier will not be removed again there",
                        "what is removed while the other broker is away may stay there until this "
                        "is mended"},
      log);
  config::MqttSettings local = settings.mqtt;
  local.client_id.clear();
  mqtt::BridgeSettings made;
  made.name = bridge.name;
  made.local = broker_settings(local, client_id_ + "-" + bridge.name + "-local", {});
  made.remote = broker_settings(bridge, client_id_ + "-" + bridge.name, {});
  made.rules = bridge.rules;
  made.clean_session = bridge.clean_session;
  made.state_topic = bridge.state_topic;
  made.status_topic = settings.mqtt.base_topic + "/status";
  made.spool = file;
  made.queue_messages = bridge.queue_messages;
  made.queue_bytes = bridge.queue_bytes;
  made.storm_limit = bridge.storm_limit;
  auto memory = entry->store->load_as<Remembered>().memory;
  entry->bridge =
      std::make_unique<mqtt::BrokerBridge>(executor_, std::move(made), std::move(memory), log);
  entry->bridge->start([this] { ended_.cancel(); });
  entries_.push_back(std::move(entry));
}

bool BrokerBridges::same_as(const Entry& entry, const config::Settings& settings) const {
  const auto found =
      std::find_if(settings.bridges.begin(), settings.bridges.end(),
                   [&](const auto& bridge) { return bridge.name == entry.settings.name; });
  return found != settings.bridges.end() && settings.mqtt == mqtt_ &&
         same(entry.settings, *found) && entry.bridge->running();
}

asio::awaitable<bool> BrokerBridges::take_over(const config::Settings& settings) {
  std::vector<Entry*> ending;
  for (const auto& entry : entries_) {
    if (!same_as(*entry, settings)) ending.push_back(entry.get());
  }
  std::vector<std::string> gone;
  for (Entry* entry : ending) {
    if (configured(settings, entry->settings.name)) continue;
    gone.push_back(entry->settings.name);
    entry->bridge->forget_sessions();
  }
  co_await end(ending, farewell_limit);
  bool changed = !ending.empty();
  std::erase_if(entries_, [&](const auto& entry) {
    return std::find(ending.begin(), ending.end(), entry.get()) != ending.end();
  });
  for (const std::string& bridge : gone)
    remove_files(settings, bridge);
  mqtt_ = settings.mqtt;
  for (const config::BridgeSettings& bridge : settings.bridges) {
    const auto goes_on = [&](const auto& entry) { return entry->settings.name == bridge.name; };
    if (std::any_of(entries_.begin(), entries_.end(), goes_on)) continue;
    add(settings, bridge);
    changed = true;
  }
  co_return changed;
}

asio::awaitable<void> BrokerBridges::leave(std::chrono::milliseconds at_most) {
  std::vector<Entry*> all;
  for (const auto& entry : entries_)
    all.push_back(entry.get());
  co_await end(all, at_most);
}

asio::awaitable<void> BrokerBridges::end(std::vector<Entry*> entries,
                                         std::chrono::milliseconds at_most) {
  for (Entry* entry : entries)
    co_await entry->bridge->leave(at_most);
  const auto until = Monotonic::now() + end_limit;
  const auto running = [](const Entry* entry) { return entry->bridge->running(); };
  while (std::any_of(entries.begin(), entries.end(), running) && Monotonic::now() < until)
    co_await wait_until(ended_, until);
  for (Entry* entry : entries) {
    if (entry->bridge->take_memory_changed()) entry->store->save(json_of(entry->bridge->memory()));
    // What still holds it must not lose it; this happens only when the program ends.
    if (entry->bridge->running()) (void)entry->bridge.release();
  }
}

void BrokerBridges::save() {
  for (const auto& entry : entries_) {
    if (entry->bridge && entry->bridge->take_memory_changed())
      entry->store->save(json_of(entry->bridge->memory()));
  }
}

bool BrokerBridges::tick() {
  save();
  bool changed = false;
  const auto now = Monotonic::now();
  for (const auto& entry : entries_) {
    if (!entry->bridge) continue;
    const mqtt::BridgeCondition condition = entry->bridge->condition();
    changed |= std::exchange(entry->state, condition.state) != condition.state;
    const std::uint64_t dropped = condition.dropped;
    if (dropped == entry->dropped) continue;
    if (entry->dropped > 0 && now - entry->dropped_said < dropped_said_every) continue;
    log::warn(
        "bridge {}: its queue is full (queue_messages, queue_bytes): {} messages were dropped, the "
        "oldest first",
        entry->settings.name, dropped - entry->dropped);
    entry->dropped = dropped;
    entry->dropped_said = now;
  }
  return changed;
}

std::vector<homeassistant::LinkFacts> BrokerBridges::facts() const {
  std::vector<homeassistant::LinkFacts> all;
  for (const auto& entry : entries_) {
    if (!entry->bridge) continue;
    const mqtt::BridgeCondition now = entry->bridge->condition();
    homeassistant::LinkFacts facts;
    facts.name = entry->settings.name;
    facts.state = now.state;
    facts.error = now.error;
    facts.counters = {{"sent", now.sent},       {"received", now.received},
                      {"waiting", now.waiting}, {"dropped", now.dropped},
                      {"refused", now.refused}, {"removals", now.removals}};
    all.push_back(std::move(facts));
  }
  return all;
}

bool BrokerBridges::running() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry->bridge != nullptr && entry->bridge->running();
  });
}

}  // namespace meterbridge::app
