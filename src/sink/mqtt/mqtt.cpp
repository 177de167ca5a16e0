// SPDX-License-Identifier: MIT
#include "sink/mqtt/mqtt.hpp"

#include "sink/mqtt/message.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::sink::mqtt {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

// On their way at once: the connection is also that of the states, and its queue is bounded.
constexpr std::size_t most_on_the_way = 100;
constexpr auto patience = std::chrono::seconds(20);

enum class Fate : std::uint8_t { on_the_way, arrived, refused };

class MqttSink final : public Sink {
 public:
  MqttSink(const asio::any_io_executor& executor, Setup setup, PostOffice office)
      : setup_(std::move(setup)),
        office_(std::move(office)),
        told_(std::make_shared<asio::steady_timer>(executor)) {}

  asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) override;

  void close() override { told_->cancel(); }

  asio::awaitable<Result<std::string>> check() override {
    co_return Error(Errc::unsupported,
                    "it goes the way of the broker: what is said of that holds for it, too");
  }

 private:
  void send(const journal::Entry& entry);
  std::size_t take(std::span<const journal::Entry> batch);

  Setup setup_;
  PostOffice office_;
  std::map<journal::Sequence, std::shared_ptr<Fate>> fates_;
  std::map<std::string, journal::Sequence, std::less<>> last_;  // of each meter, given away
  std::shared_ptr<asio::steady_timer> told_;                    // with those who wait for an answer
};

void MqttSink::send(const journal::Entry& entry) {
  auto fate = std::make_shared<Fate>(Fate::on_the_way);
  fates_.insert_or_assign(entry.sequence, fate);
  journal::Sequence& last = last_[entry.sample.meter];
  // What was before our time, or comes once more, is looked up.
  const bool known = last != 0 && last < entry.sequence;
  const journal::Sequence previous =
      known ? last : office_.before(entry.sample.meter, entry.sequence);
  last = entry.sequence;
  office_.send(sample_topic(office_.base, entry.sample.meter),
               sample_text(entry, previous, {setup_.instance, office_.journal}),
               [fate, told = told_](bool arrived) {
                 *fate = arrived ? Fate::arrived : Fate::refused;
                 told->cancel();
               });
}

// How many from the front are done; sends what has not been sent.
std::size_t MqttSink::take(std::span<const journal::Entry> batch) {
  std::size_t done = 0;
  bool all_before = true;
  for (const journal::Entry& entry : batch) {
    const auto known = fates_.find(entry.sequence);
    const bool arrived = known != fates_.end() && *known->second == Fate::arrived;
    all_before = all_before && arrived;
    if (all_before) ++done;
    if (known == fates_.end() && fates_.size() < done + most_on_the_way) send(entry);
  }
  return done;
}

asio::awaitable<Result<Written>> MqttSink::write(std::span<const journal::Entry> batch) {
  if (!office_.send)
    co_return Error(Errc::unsupported,
                    "only the running service sends samples to its broker; what a hub misses it "
                    "asks for by itself (set/resend)");
  fates_.erase(fates_.begin(), fates_.lower_bound(batch.front().sequence));
  const auto until = steady_clock::now() + patience;
  std::size_t done = take(batch);
  const auto is_refused = [&] {
    return done < batch.size() && *fates_.at(batch[done].sequence) == Fate::refused;
  };
  while (done < batch.size() && !is_refused() && steady_clock::now() < until) {
    told_->expires_at(until);
    (void)co_await told_->async_wait(asio::as_tuple(asio::use_awaitable));
    done = take(batch);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) break;
  }
  const bool refused = is_refused();
  // What waits for the broker goes on waiting with it; what was refused is sent anew.
  std::erase_if(fates_, [](const auto& fate) { return *fate.second == Fate::refused; });
  Written written;
  written.taken = done;
  if (done > 0) co_return written;
  if (refused) co_return Error(Errc::io, "the broker does not take samples (topic .../sample)");
  co_return Error(Errc::timeout, "the broker did not acknowledge a sample within 20 s");
}

Result<std::unique_ptr<Sink>> make_mute(const asio::any_io_executor& executor, Setup setup) {
  return make(executor, std::move(setup), {});
}

}  // namespace

std::unique_ptr<Sink> make(const asio::any_io_executor& executor, Setup setup, PostOffice office) {
  return std::make_unique<MqttSink>(executor, std::move(setup), std::move(office));
}

Kind kind() {
  Kind kind;
  kind.name = "mqtt";
  kind.help =
      "every sample as JSON on the topic `sample` of its meter at our own broker (QoS 1, not "
      "retained), "
      "numbered, for hubs and archives; what is missing is sent again on set/resend";
  kind.make = &make_mute;
  return kind;
}

}  // namespace meterbridge::sink::mqtt
