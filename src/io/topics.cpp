// SPDX-License-Identifier: MIT
#include "io/topics.hpp"

#include "core/topic.hpp"
#include "mqtt/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

// What waits for a reader that is busy; the oldest gives way.
constexpr std::size_t most_waiting = 1000;
constexpr std::size_t most_bytes = 1UL << 20;
// A link that is opened anew does not lose what came in between; one that was closed for long does
// not take old values for new ones.
constexpr auto keeps_for = std::chrono::seconds(5);

}  // namespace

struct Topics::State {
  Subscription subscribe;
  Subscription unsubscribe;
  std::optional<Error> trouble;
  std::vector<Source*> sources;
  std::map<std::string, int> users;  // of each filter

  void add(Source* source, const std::string& filter) {
    sources.push_back(source);
    if (users[filter]++ == 0 && subscribe) subscribe(filter);
  }

  void remove(Source* source, const std::string& filter) {
    std::erase(sources, source);
    if (--users[filter] > 0) return;
    users.erase(filter);
    if (unsubscribe) unsubscribe(filter);
  }
};

class Topics::Source final : public Transport {
 public:
  Source(const asio::any_io_executor& executor, std::shared_ptr<State> state, std::string filter)
      : state_(std::move(state)),
        filter_(std::move(filter)),
        name_("topic " + filter_),
        wake_(executor) {
    state_->add(this, filter_);
  }

  ~Source() override { state_->remove(this, filter_); }

  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  asio::awaitable<Result<>> open() override {
    auto opened = open_now();
    co_return opened;
  }

  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                 Deadline deadline) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none)
        co_return Error(Errc::cancelled, name_ + ": the work was ended");
      if (!open_) co_return Error(Errc::io, name_ + " is not open");
      if (!waiting_.empty()) co_return take(into);
      if (state_->trouble) co_return Error(Errc::io, state_->trouble->detail());
      if (steady_clock::now() >= deadline)
        co_return Error(Errc::timeout, name_ + ": no message arrived in time");
      co_await wake_.wait(deadline);
    }
  }

  asio::awaitable<Result<>> write(ByteView, Deadline) override {
    co_return Error(Errc::io, name_ + " can only be listened to");
  }

  Result<> retune(const LineSettings&) override {
    return Error(Errc::unsupported, name_ + ": messages have no speed and no parity");
  }

  void discard_input() noexcept override { clear(); }

  void close() noexcept override {
    open_ = false;
    wake_.notify();
  }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  // It costs nobody anything to listen again at once.
  [[nodiscard]] bool local() const noexcept override { return true; }

  [[nodiscard]] const protocol::Envelope* envelope() const noexcept override {
    return envelope_ ? &*envelope_ : nullptr;
  }

  void offer(const mqtt::Message& message) {
    if (message.payload.empty() || message.payload.size() > most_bytes) return;
    if (!topic_matches(unshared(filter_), message.topic)) return;
    while (!waiting_.empty() &&
           (waiting_.size() >= most_waiting || bytes_ + message.payload.size() > most_bytes))
      drop_front();
    waiting_.push_back({message, steady_clock::now()});
    bytes_ += message.payload.size();
    wake_.notify();
  }

  void look() { wake_.notify(); }

 private:
  struct Arrival {
    mqtt::Message message;
    steady_clock::time_point at;
  };

  Result<> open_now() {
    if (state_->trouble) return Error(Errc::no_device, state_->trouble->detail());
    const auto limit = steady_clock::now() - keeps_for;
    while (!waiting_.empty() && waiting_.front().at < limit)
      drop_front();
    taken_ = 0;
    open_ = true;
    return {};
  }

  std::size_t take(std::span<std::byte> into) {
    const mqtt::Message& message = waiting_.front().message;
    const std::size_t count = std::min(into.size(), message.payload.size() - taken_);
    std::memcpy(into.data(), message.payload.data() + taken_, count);
    taken_ += count;
    envelope_.emplace();
    envelope_->topic = message.topic;
    envelope_->retained = message.retain;
    envelope_->last = taken_ == message.payload.size();
    if (envelope_->last) drop_front();
    return count;
  }

  void drop_front() noexcept {
    bytes_ -= waiting_.front().message.payload.size();
    waiting_.pop_front();
    taken_ = 0;
  }

  void clear() noexcept {
    waiting_.clear();
    bytes_ = 0;
    taken_ = 0;
  }

  std::shared_ptr<State> state_;
  std::string filter_;
  std::string name_;
  mqtt::Signal wake_;
  std::deque<Arrival> waiting_;
  std::size_t bytes_ = 0;
  std::size_t taken_ = 0;  // of the first
  std::optional<protocol::Envelope> envelope_;
  bool open_ = false;
};

Topics::Topics(Subscription subscribe, Subscription unsubscribe)
    : state_(std::make_shared<State>()) {
  state_->subscribe = std::move(subscribe);
  state_->unsubscribe = std::move(unsubscribe);
}

Topics::~Topics() {
  state_->subscribe = nullptr;
  state_->unsubscribe = nullptr;
}

void Topics::received(const mqtt::Message& message) {
  for (Source* const source : state_->sources)
    source->offer(message);
}

void Topics::set_trouble(std::optional<Error> trouble) {
  state_->trouble = std::move(trouble);
  for (Source* const source : state_->sources)
    source->look();
}

std::unique_ptr<Transport> Topics::source(asio::any_io_executor executor, std::string filter) {
  return std::make_unique<Source>(executor, state_, std::move(filter));
}

}  // namespace meterbridge::io
