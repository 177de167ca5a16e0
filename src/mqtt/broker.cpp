// SPDX-License-Identifier: MIT
#include "mqtt/broker.hpp"

#include "mqtt/lookup.hpp"
#include "mqtt/reason.hpp"
#include "mqtt/state.hpp"
#include "mqtt/topic.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace meterbridge::mqtt {
namespace {

// After so many messages the loop gets its turn.
constexpr std::size_t messages_per_turn = 500;
// Denied or dropped topics are told once each, so many at most per connection.
constexpr std::size_t topics_told = 50;

// While it lives the kernel joins small writes into full segments; a hint, so failures do not
// matter.
class Cork {
 public:
  explicit Cork(int descriptor) : descriptor_(descriptor) { set(1); }

  ~Cork() { set(0); }

  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

 private:
  void set(int on) const { ::setsockopt(descriptor_, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

  int descriptor_;
};

// A timer that is known to the broker as long as it lives, also when the coroutine that has it is
// destroyed.
class FlushTimer {
 public:
  FlushTimer(const boost::asio::any_io_executor& executor,
             std::vector<boost::asio::steady_timer*>& known)
      : timer_(std::make_unique<boost::asio::steady_timer>(executor)), known_(known) {
    known_.push_back(timer_.get());
  }

  ~FlushTimer() { std::erase(known_, timer_.get()); }

  FlushTimer(const FlushTimer&) = delete;
  FlushTimer& operator=(const FlushTimer&) = delete;

  boost::asio::steady_timer* operator->() const { return timer_.get(); }

 private:
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::vector<boost::asio::steady_timer*>& known_;
};

}  // namespace

Broker::State::State(const Executor& loop, BrokerSettings wanted, BrokerEvents listeners)
    : executor(loop),
      settings(std::move(wanted)),
      events(std::move(listeners)),
      outbox(settings.outbox),
      wake(loop),
      patience(loop),
      mqtt5(settings.version == 5),
      socket(loop) {}

std::string Broker::State::place() const {
  return "broker " + settings.host + ":" + std::to_string(settings.port);
}

void Broker::State::tell(const std::string& sentence) const {
  if (events.notice) events.notice(sentence);
}

void Broker::State::fail(Error error) {
  if (!ended) ended = std::move(error);
}

void Broker::State::report(Error error) {
  if (contested) {
    // The connection comes and goes: each time the same would be said.
    const auto sentence = contest.sentence(settings.client_id, std::chrono::steady_clock::now());
    error = Error(error.code(), sentence.value_or(std::string()));
  }
  const Error placed = error.detail().empty() ? error : std::move(error).within(place());
  if (!told) {
    told = true;
    last_told = placed.detail();
    if (events.disconnected) events.disconnected(placed);
  } else if (!placed.detail().empty() && placed.detail() != last_told) {
    last_told = placed.detail();
    tell(last_told);
  }
}

void Broker::State::step(const Result<>& outcome) {
  // The record comes first: a refusal in words says more than the library's "protocol error" after
  // it.
  absorb();
  if (!outcome) fail(outcome.error());
  if (client && client->descriptor() < 0) fail({Errc::io, "the connection was closed"});
}

void Broker::State::absorb() {
  const ClientRecord record = client->take_record();
  for (const auto& answer : record.acknowledged)
    acknowledged(answer);
  if (!record.acknowledged.empty()) {
    if (outbox.waiting() > 0) wake.notify();
    wake_flushers();
  }
  if (record.connack) answered(record);
  for (const auto& answer : record.subscribed)
    subscribed(answer);
  for (const auto& message : record.received) {
    if (events.received) events.received(message);
  }
  if (record.disconnect) {
    end_reason = record.disconnect;
    fail(connection_ended(*record.disconnect));
  }
}

void Broker::State::answered(const ClientRecord& record) {
  if (*record.connack != 0) {
    fail(connection_refused(*record.connack, !settings.username.empty()));
    return;
  }
  accepted = true;
  early_hang_ups = 0;
  window = std::max<std::size_t>(1, std::min(settings.window, record.receive_maximum));
  for (const Subscription& wanted : subscriptions)
    subscribe(wanted);
  if (awaited.empty() && !ended) ready();
}

void Broker::State::subscribe(const Subscription& wanted) {
  const auto id = client->subscribe(wanted);
  if (id) {
    awaited[*id] = wanted.filter;
  } else if (id.error().code() == Errc::invalid) {
    tell(place() + ": " + wanted.filter + ": " + id.error().detail());
  } else {
    fail(id.error());
  }
}

void Broker::State::subscribed(const ClientRecord::Answer& answer) {
  const auto found = awaited.find(answer.id);
  if (found == awaited.end()) return;
  if (answer.reason >= 128) {
    tell(place() + ": the broker refuses the subscription of " + found->second + ": " +
         reason_text(answer.reason));
  }
  awaited.erase(found);
  if (awaited.empty() && !connected && !ended) ready();
}

void Broker::State::acknowledged(const ClientRecord::Answer& answer) {
  const auto found = tickets.find(answer.id);
  if (found == tickets.end()) return;
  const Message* const message = outbox.flying(found->second);
  if (answer.reason >= 128) {
    ++denials;
    if (message != nullptr) denied(message->topic, answer.reason);
  }
  outbox.acknowledged(found->second);
  tickets.erase(found);
}

void Broker::State::denied(const std::string& topic, int reason) {
  if (told_topics.size() >= topics_told || !told_topics.insert(topic).second) return;
  tell(place() + ": the broker does not take messages for " + topic + ": " + reason_text(reason));
}

void Broker::State::ready() {
  connected = true;
  connected_at = std::chrono::steady_clock::now();
  told = false;
  told_topics.clear();
  if (!mqtt5 && settings.version == 5 && !told_version) {
    told_version = true;
    tell(place() + ": the broker does not speak MQTT 5; MQTT 3.1.1 is used");
  }
  wake.notify();
  if (events.connected) events.connected();
}

bool Broker::State::send_waiting() {
  if (!connected || leaving || outbox.waiting() == 0) return false;
  const Cork cork(socket.native_handle());
  std::size_t sent = 0;
  while (sent < messages_per_turn && outbox.waiting() > 0 && !ended) {
    // A socket that takes no more would make a queue inside the library.
    while (outbox.in_flight() < window && !client->wants_write() && send_one())
      ++sent;
    const std::size_t before = outbox.in_flight();
    absorb();
    if (outbox.in_flight() == before) return false;  // the window is full, or the socket
  }
  return !ended && outbox.waiting() > 0;
}

bool Broker::State::send_one() {
  const auto departure = outbox.take();
  if (!departure) return false;
  const auto id = client->publish(departure->message);
  if (id) {
    tickets[*id] = departure->ticket;
    if (events.sent) events.sent(departure->message);
    return true;
  }
  if (id.error().code() == Errc::invalid) {
    outbox.acknowledged(departure->ticket);
    tell(place() + ": dropped a message for " + departure->message.topic + ": " +
         id.error().detail());
    wake_flushers();
    return true;
  }
  fail(id.error());
  return false;
}

void Broker::State::wake_flushers() {
  if (!outbox.empty()) return;
  for (auto* const timer : flushers)
    timer->cancel();
}

// The contest is about connections that were ours; what failed before says nothing of it.
void Broker::State::judge_end(const Error& why) {
  contested = false;
  if (!connected) return;
  const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - connected_at);
  contested = contest.ended(end_reason, why.code() == Errc::io, lasted);
}

void Broker::State::judge_duration() {
  const auto lasts = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - connected_at);
  if (const auto sentence = contest.lasting(lasts)) tell(place() + ": " + *sentence);
}

void Broker::State::drop_connection() {
  connected = false;
  accepted = false;
  boost::system::error_code ignored;
  socket.close(ignored);
  client.reset();
  tls.reset();
  tickets.clear();
  awaited.clear();
  outbox.connection_lost();
}

Broker::Broker(boost::asio::any_io_executor executor, BrokerSettings settings, BrokerEvents events)
    : state_(std::make_unique<State>(executor, std::move(settings), std::move(events))) {}

Broker::~Broker() = default;

boost::asio::awaitable<void> Broker::run() {
  return state_->run();
}

void Broker::subscribe(std::string filter, int qos, bool flag_as_published) {
  subscribe(Subscription{std::move(filter), qos, flag_as_published});
}

void Broker::subscribe(Subscription wanted) {
  if (const auto usable = subscribable(wanted.filter); !usable) {
    state_->tell(state_->place() + ": " + usable.error().detail());
    return;
  }
  auto& known = state_->subscriptions;
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const auto& entry) { return entry.filter == wanted.filter; });
  if (state_->accepted && !state_->ended && !state_->leaving) state_->subscribe(wanted);
  if (found == known.end()) {
    known.push_back(std::move(wanted));
  } else {
    *found = std::move(wanted);
  }
}

void Broker::unsubscribe(const std::string& filter) {
  std::erase_if(state_->subscriptions, [&](const auto& entry) { return entry.filter == filter; });
  if (state_->accepted && !state_->ended && !state_->leaving) {
    state_->client->unsubscribe(filter);
    state_->wake.notify();
  }
}

void Broker::resubscribe() {
  if (!state_->connected || state_->ended || state_->leaving) return;
  for (Subscription wanted : state_->subscriptions) {
    wanted.retained_once = false;
    state_->subscribe(wanted);
  }
  state_->wake.notify();
}

void Broker::restore(Message message, std::uint64_t kept) {
  state_->outbox.restore(std::move(message), kept);
}

void Broker::publish(Message message) {
  if (const auto usable = publishable(message, state_->settings.binary); !usable) {
    state_->tell(state_->place() + ": dropped: " + usable.error().detail());
    return;
  }
  state_->outbox.put(std::move(message));
  if (state_->connected) state_->wake.notify();
}

bool Broker::connected() const noexcept {
  return state_->connected && !state_->ended;
}

bool Broker::speaks_mqtt5() const noexcept {
  return state_->mqtt5;
}

bool Broker::contested() const noexcept {
  return state_->contest.recognised();
}

std::uint64_t Broker::denials() const noexcept {
  return state_->denials;
}

const Outbox& Broker::outbox() const noexcept {
  return state_->outbox;
}

boost::asio::awaitable<bool> Broker::flush(std::chrono::milliseconds at_most) {
  State& state = *state_;
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  const FlushTimer timer(state.executor, state.flushers);
  while (!state.outbox.empty() && std::chrono::steady_clock::now() < deadline) {
    timer->expires_at(deadline);
    co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != boost::asio::cancellation_type::none) break;
  }
  co_return state.outbox.empty();
}

void Broker::leave() {
  State& state = *state_;
  state.leaving = true;
  if (state.accepted && state.client && !state.ended) state.client->disconnect();
  state.patience.cancel();
  state.wake.notify();
  if (state.lookup) state.lookup->finished.notify();
}

void Broker::reconfigure(BrokerSettings settings) {
  State& state = *state_;
  state.next_settings = std::move(settings);
  if (state.leaving) return;
  if (state.accepted && state.client && !state.ended) state.client->disconnect();
  state.patience.cancel();
  state.wake.notify();
  if (state.lookup) state.lookup->finished.notify();
}

}  // namespace meterbridge::mqtt
