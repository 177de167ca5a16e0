// SPDX-License-Identifier: MIT
// Samples on their way to files and databases.
#include "app/journal_name.hpp"
#include "app/service.hpp"
#include "app/write_log.hpp"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto sinks_farewell = 3s;

}  // namespace

// At the start, and after the configuration was read again. The journal stays while we run: a sink
// that comes back goes on where it was.
void Service::apply_sinks() {
  if (!recorder_) {
    if (!journal_is_wanted(house_.settings)) return;
    recorder_ = std::make_unique<Recorder>(house_.settings, clock_, write_log);
    sinks_ =
        std::make_unique<Sinks>(context_.get_executor(), recorder_->journal(), clock_, write_log);
    journal_name_ = journal_name(house_.settings, recorder_->journal().given(), write_log);
    sinks_->set_office(office());
    resender_ = std::make_unique<Resender>(context_.get_executor(), recorder_->journal(),
                                           house_.settings.instance, office());
    bridge_->on_sample = [this](const Sample& sample, const protocol::Telegram& telegram) {
      recorder_->record(whole_sample(house_.settings, sample, telegram));
    };
    bridge_->on_event = [this](const Sample& event) {
      if (event_is_wanted(house_.settings, event)) recorder_->record(event);
    };
  }
  sinks_->apply(house_.settings);
}

void Service::commit_samples() {
  if (recorder_) {
    recorder_->tick();
    sinks_->tick();
  }
  share_leaves();
}

// Files may hold samples back for minutes: who reloads sees them all.
void Service::write_sinks_now() {
  if (!recorder_) return;
  recorder_->commit_all();
  sinks_->write_now();
}

asio::awaitable<void> Service::finish_sinks() {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!recorder_) co_return;
  recorder_->commit_all();
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
