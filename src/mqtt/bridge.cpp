// SPDX-License-Identifier: MIT
#include "mqtt/bridge.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace meterbridge::mqtt {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr unsigned most_hops = 8;
// What a broker had kept for us comes at once after the connection.
constexpr auto backlog_time = 10s;
// A removed topic may come back from a broker that was away for days, or was restored.
constexpr std::int64_t removal_seconds = std::int64_t{7} * 86400;
constexpr std::size_t most_removals = 10000;

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

BrokerBridge::BrokerBridge(boost::asio::any_io_executor executor, BridgeSettings settings,
                           BridgeMemory memory, Log log)
    : executor_(std::move(executor)),
      settings_(std::move(settings)),
      memory_(std::move(memory)),
      log_(std::move(log)),
      storm_(settings_.storm_limit) {
  local_.hears = Way::out;
  local_.name = "our own broker";
  local_.remembered = &memory_.local_filters;
  remote_.hears = Way::in;
  remote_.name = settings_.remote.host + ":" + std::to_string(settings_.remote.port);
  remote_.remembered = &memory_.remote_filters;
  settings_.local.will = Message(settings_.state_topic, "0", true);
  settings_.remote.will = gone_at_remote();
  set_up(local_, remote_, settings_.local, settings_.spool + ".in");
  set_up(remote_, local_, settings_.remote, settings_.spool + ".out");
}

BrokerBridge::~BrokerBridge() = default;

void BrokerBridge::set_up(End& end, End& other, BrokerSettings settings, const std::string& file) {
  end.spool = std::make_unique<Spool>(file, [this](const std::string& line) { log_(true, line); });
  settings.binary = true;
  settings.clean_session = settings_.clean_session;
  settings.outbox.events = settings_.queue_messages;
  settings.outbox.bytes = settings_.queue_bytes;
  settings.outbox.keeper = end.spool.get();
  BrokerEvents events;
  events.connected = [this, &end, &other] { connected(end, other); };
  events.disconnected = [this, &end](const Error& error) { disconnected(end, error); };
  events.received = [this, &end, &other](const Message& message) { heard(end, other, message); };
  events.sent = [&end](const Message& message) {
    if (!end.broker->speaks_mqtt5())
      end.echoes.sent(message.topic, message.payload, steady_clock::now());
  };
  events.notice = [this](const std::string& line) { log_(true, line); };
  end.broker = std::make_unique<Broker>(executor_, std::move(settings), std::move(events));
  for (auto& [id, message] : end.spool->load())
    end.broker->restore(std::move(message), id);
  subscribe(end);
}

void BrokerBridge::subscribe(End& end) {
  for (const TopicRule& rule : settings_.rules) {
    if (!rule.goes(end.hears)) continue;
    Subscription wanted;
    wanted.filter = rule.source(end.hears);
    // Never 2: of such a message the broker repeats only the end after a loss of the connection,
    // and its content was in the process.
    wanted.qos = std::min(rule.qos, 1);
    wanted.flag_as_published = true;
    wanted.no_local = true;
    // With topics of both ways the newest is here: what the other broker still had of them would
    // overwrite it with each connection.
    wanted.retained_once = &end == &remote_ && rule.way == Way::both;
    end.broker->subscribe(std::move(wanted));
  }
}

// A kept session has subscriptions of the configuration before.
void BrokerBridge::drop_stale_subscriptions(End& end) {
  std::set<std::string> wanted;
  for (const TopicRule& rule : settings_.rules) {
    if (rule.goes(end.hears)) wanted.insert(rule.source(end.hears));
  }
  for (const std::string& filter : *end.remembered) {
    if (!wanted.contains(filter)) end.broker->unsubscribe(filter);
  }
  if (*end.remembered == wanted) return;
  *end.remembered = std::move(wanted);
  memory_changed_ = true;
}

// What the other broker says when we are gone without a word. A connection has one will: where our
// status crosses, it makes every entity unavailable there; elsewhere it is the state of the link.
Message BrokerBridge::gone_at_remote() const {
  const auto status = mapped(settings_.rules, Way::out, settings_.status_topic);
  if (status) return {status->topic, "offline", true};
  return {settings_.state_topic, "0", true};
}

void BrokerBridge::start(std::function<void()> ended) {
  start(local_, ended);
  start(remote_, ended);
}

void BrokerBridge::start(End& end, const std::function<void()>& ended) {
  ++running_;
  boost::asio::co_spawn(
      executor_, end.broker->run(),
      boost::asio::bind_cancellation_slot(end.stop.slot(), [this, ended](std::exception_ptr bug) {
        --running_;
        if (bug) log_(true, "a connection ended by an exception");
        ended();
      }));
}

void BrokerBridge::connected(End& end, End& other) {
  end.connected_at = steady_clock::now();
  end.error.clear();
  // The first time everything that was heard waits already; later that broker may have lost it.
  if (end.connects++ > 0) other.broker->resubscribe();
  drop_stale_subscriptions(end);
  if (&end == &remote_) repeat_removals();
  say_state();
}

void BrokerBridge::disconnected(End& end, const Error& error) {
  if (!error.detail().empty()) end.error = error.detail();
  if (!leaving_ && stopped_.empty() && !error.detail().empty()) log_(true, error.detail());
  say_state();
}

void BrokerBridge::say_state() {
  const bool here = local_.broker->connected();
  const bool there = remote_.broker->connected();
  const bool both = here && there && !leaving_ && stopped_.empty();
  if (std::exchange(was_connected_, both) != both && both)
    log_(false, "connected to " + remote_.name);
  if (here) local_.broker->publish({settings_.state_topic, both ? "1" : "0", true});
  if (!there) return;
  Message gone = gone_at_remote();
  // Our status crosses by itself as soon as our own broker is there.
  if (gone.topic == settings_.state_topic) gone.payload = both ? "1" : "0";
  if (gone.topic == settings_.state_topic || !both) remote_.broker->publish(std::move(gone));
}

// What comes now may be old. A kept session, and what is retained for the first of our
// subscriptions, are delivered before the last of them is confirmed.
bool BrokerBridge::is_early(const End& end) {
  return !end.broker->connected() || steady_clock::now() - end.connected_at < backlog_time;
}

bool BrokerBridge::passes(End& from, const Message& message) {
  if (leaving_ || !stopped_.empty() || message.topic == settings_.state_topic) return false;
  const auto now = steady_clock::now();
  if (!from.broker->speaks_mqtt5() && from.echoes.recognise(message.topic, message.payload, now))
    return false;
  if (message.hops >= most_hops) {
    ++refused_;
    if (!std::exchange(told_hops_, true))
      log_(true, "a message for " + sanitised(message.topic) + " went through " +
                     std::to_string(message.hops) +
                     " bridges already and was dropped: bridges make a ring, which must be opened");
    return false;
  }
  if (!storm_.counts(message.topic, message.payload, is_early(from), now)) return true;
  stop_for_storm(message.topic);
  return false;
}

void BrokerBridge::heard(End& from, End& to, const Message& message) {
  const auto found = mapped(settings_.rules, from.hears, message.topic);
  if (!found || !passes(from, message)) return;
  Message copy(found->topic, message.payload, message.retain,
               std::min(message.qos, found->rule->qos));
  copy.hops = message.hops + 1;
  // Brokers before MQTT 5 take the flag off what is published while we listen. Nothing is lost
  // when an empty message is retained: it only removes.
  if (!from.broker->speaks_mqtt5() && (found->rule->state || copy.payload.empty()))
    copy.retain = true;
  if (copy.retain && &to == &remote_) note_removal(copy);
  if (copy.retain && &from == &remote_ && is_stale(message)) return;
  // As between brokers: QoS 0 does not wait for who is not there.
  if (copy.qos == 0 && !copy.retain && !to.broker->connected()) return;
  to.broker->publish(std::move(copy));
}

// What the other broker still had of a topic that was removed while it was away.
bool BrokerBridge::is_stale(const Message& there) {
  const auto found = memory_.removed.find(there.topic);
  if (found == memory_.removed.end() || there.payload.empty()) return false;
  if (is_early(remote_)) return true;
  memory_.removed.erase(found);
  memory_changed_ = true;
  return false;
}

// Retained, as it is there from now on.
void BrokerBridge::note_removal(const Message& there) {
  if (!there.payload.empty()) {
    if (memory_.removed.erase(there.topic) > 0) memory_changed_ = true;
    return;
  }
  if (memory_.removed.size() >= most_removals && !memory_.removed.contains(there.topic)) return;
  memory_.removed[there.topic] = unix_seconds();
  memory_changed_ = true;
}

void BrokerBridge::repeat_removals() {
  const std::int64_t now = unix_seconds();
  const auto old = std::erase_if(
      memory_.removed, [now](const auto& entry) { return now - entry.second > removal_seconds; });
  if (old > 0) memory_changed_ = true;
  for (const auto& [topic, time] : memory_.removed)
    remote_.broker->publish({topic, "", true});
}

// Hanging up without a word lets both brokers publish our wills.
void BrokerBridge::stop_for_storm(const std::string& topic) {
  stopped_ = "more than " + std::to_string(settings_.storm_limit) + " messages in a second on " +
             sanitised(topic) +
             ": they run in a circle through another bridge. This bridge has stopped, all else "
             "goes on. Open the circle (one direction for each topic, one bridge between two "
             "brokers) or raise storm_limit, then reload the configuration (SIGHUP) or restart";
  log_(true, stopped_);
  for (End* end : {&local_, &remote_}) {
    boost::asio::post(executor_,
                      [end] { end->stop.emit(boost::asio::cancellation_type::terminal); });
  }
}

// A session that nobody comes back to would gather messages at its broker.
void BrokerBridge::forget_sessions() {
  for (End* end : {&local_, &remote_}) {
    for (const std::string& filter : *end->remembered)
      end->broker->unsubscribe(filter);
  }
}

boost::asio::awaitable<void> BrokerBridge::leave(std::chrono::milliseconds at_most) {
  leaving_ = true;
  if (!stopped_.empty()) co_return;
  say_state();
  const auto until = steady_clock::now() + at_most;
  for (End* end : {&local_, &remote_}) {
    if (!end->broker->connected()) continue;
    const auto left = std::max(
        std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()), 1ms);
    const bool all = co_await end->broker->flush(left);
    if (!all) log_(true, "left with messages that " + end->name + " did not acknowledge");
  }
  local_.broker->leave();
  remote_.broker->leave();
}

BridgeCondition BrokerBridge::condition() const {
  BridgeCondition condition;
  const bool here = local_.broker->connected();
  const bool there = remote_.broker->connected();
  condition.state = !stopped_.empty() ? "stopped"
                    : !there          ? "remote_away"
                    : !here           ? "local_away"
                                      : "connected";
  condition.error = !stopped_.empty() ? stopped_ : !there ? remote_.error : local_.error;
  const Outbox& out = remote_.broker->outbox();
  const Outbox& in = local_.broker->outbox();
  condition.sent = out.delivered();
  condition.received = in.delivered();
  condition.waiting = out.waiting() + in.waiting();
  condition.dropped = out.dropped() + in.dropped();
  condition.refused = refused_;
  condition.removals = memory_.removed.size();
  return condition;
}

bool BrokerBridge::take_memory_changed() noexcept {
  return std::exchange(memory_changed_, false);
}

}  // namespace meterbridge::mqtt
