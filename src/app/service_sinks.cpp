// SPDX-License-Identifier: MIT
// Samples on their way to files and databases.
#include "app/service.hpp"
#include "journal/memory.hpp"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto sinks_farewell = 3s;
constexpr std::size_t most_samples = 100000;

}  // namespace

// At the start, and after the configuration was read again. The journal stays while we run: a sink
// that comes back goes on where it was.
void Service::apply_sinks() {
  if (!sinks_) {
    if (house_.settings.sinks.empty()) return;
    journal_ = journal::in_memory(most_samples, &clock_);
    sinks_ = std::make_unique<Sinks>(context_.get_executor(), *journal_, clock_,
                                     [](bool warning, const std::string& line) {
                                       if (warning) {
                                         spdlog::warn("{}", line);
                                       } else {
                                         spdlog::info("{}", line);
                                       }
                                     });
    bridge_->on_sample = [this](const Sample& sample, const protocol::Telegram& telegram) {
      if (auto kept = record_sample(*journal_, house_.settings, sample, telegram); !kept)
        spdlog::error("{}: not kept for the sinks: {}", sample.meter, kept.error().detail());
    };
  }
  sinks_->apply(house_.settings);
}

void Service::commit_samples() {
  if (!sinks_) return;
  if (auto committed = journal_->commit(); !committed)
    spdlog::error("journal: {}", committed.error().detail());
  sinks_->tick();
}

asio::awaitable<void> Service::finish_sinks() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!sinks_) co_return;
  commit_samples();
  co_await sinks_->finish(Steady::now() + sinks_farewell);
}

std::vector<homeassistant::SinkHealthFacts> Service::sink_health() const {
  std::vector<homeassistant::SinkHealthFacts> all;
  if (!sinks_) return all;
  for (const Sinks::Health& sink : sinks_->health()) {
    homeassistant::SinkHealthFacts facts;
    facts.name = sink.name;
    facts.lag = sink.status.lag;
    facts.lag_time = sink.status.lag_time;
    facts.written = sink.status.written;
    facts.refused = sink.status.refused;
    facts.dropped = sink.status.dropped;
    facts.failures = sink.status.failures;
    facts.failing = sink.status.failing;
    facts.error = sink.status.error;
    all.push_back(std::move(facts));
  }
  return all;
}

}  // namespace meterbridge::app
