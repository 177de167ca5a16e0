// SPDX-License-Identifier: MIT
// What the pages for monitoring show of the service.
#include "app/service.hpp"
#include "app/version.hpp"
#include "io/footprint.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace meterbridge::app {
namespace {

// A task that keeps no promise for so many seconds is stuck; some later the program ends itself.
constexpr unsigned stuck_looks = 5;

std::optional<Milliseconds> age(std::optional<Instant> then, Instant now) {
  if (!then) return std::nullopt;
  // The clock of the machine may have been set back.
  return std::max(now - *then, Milliseconds(0));
}

std::vector<Reading> readings_of(const MeterState& state) {
  std::vector<Reading> readings;
  for (const homeassistant::EntityFacts& entity : state.facts.entities) {
    const auto kept = state.values.find(entity.key);
    if (kept != state.values.end() && !kept->second.stale)
      readings.emplace_back(entity.key, kept->second.value, entity.unit);
  }
  return readings;
}

http::MeterStatus status_of(const MeterState& state, Instant now) {
  const homeassistant::HealthFacts& health = state.health;
  http::MeterStatus meter;
  meter.id = state.facts.id;
  meter.up = state.online;
  meter.paused = health.paused;
  meter.fault = health.fault;
  meter.frame_age = age(health.last_frame, now);
  meter.reading_age = age(health.last_reading, now);
  meter.poll_time = health.poll_time;
  meter.interval = health.interval;
  meter.polls = health.polls;
  meter.failures = health.failures;
  meter.refused = health.refused;
  for (const auto& [kind, count] : state.errors)
    meter.errors.emplace(kind, count);
  meter.recoveries = health.recoveries;
  meter.readings = readings_of(state);
  return meter;
}

http::SinkStatus status_of(const Sinks::Health& health) {
  http::SinkStatus sink;
  sink.name = health.name;
  sink.up = !health.status.failing;
  sink.lag = health.status.lag;
  sink.lag_time = health.status.lag_time;
  sink.written = health.status.written;
  sink.refused = health.status.refused;
  sink.dropped = health.status.dropped;
  sink.failures = health.status.failures;
  return sink;
}

std::string place_of(const config::MqttSettings& mqtt) {
  return mqtt.host + ":" + std::to_string(mqtt.port);
}

}  // namespace

class Service::Pages final : public http::StatusView {
 public:
  explicit Pages(const Service& service) : service_(service) {}

  // A broker that is away is no ailment: to end the program would not bring it back (P43).
  [[nodiscard]] std::vector<std::string> ailments() const override {
    std::vector<std::string> out;
    for (const auto& task : service_.tasks_) {
      if (task->overdue.looks() < stuck_looks) continue;
      out.push_back("meter " + task->meter->settings().id + ": its task has been stuck for " +
                    std::to_string(task->overdue.looks()) + " s");
    }
    return out;
  }

  [[nodiscard]] std::vector<std::string> missing() const override {
    std::vector<std::string> out;
    if (service_.stopping_) out.emplace_back("the program ends");
    if (!service_.broker_->connected())
      out.push_back("the broker " + place_of(service_.house_.settings.mqtt) + " is not connected");
    return out;
  }

  [[nodiscard]] http::Status status() const override {
    http::Status out;
    out.version = version;
    out.instance = service_.house_.settings.instance;
    out.uptime = std::chrono::duration_cast<Milliseconds>(Steady::now() - service_.started_);
    out.memory = io::resident_memory();
    const Instant now = service_.clock_.now();
    for (const MeterState* state : service_.bridge_->states())
      out.meters.push_back(status_of(*state, now));
    for (const auto& [name, link] : service_.links_)
      out.links.emplace_back(name, link->transport().is_open());
    http::BrokerStatus broker;
    broker.name = place_of(service_.house_.settings.mqtt);
    broker.connected = service_.broker_->connected();
    broker.waiting = service_.broker_->outbox().waiting();
    broker.in_flight = service_.broker_->outbox().in_flight();
    broker.dropped = service_.broker_->outbox().dropped();
    broker.denied = service_.broker_->denials();
    out.brokers.push_back(std::move(broker));
    if (service_.sinks_) {
      for (const Sinks::Health& health : service_.sinks_->health())
        out.sinks.push_back(status_of(health));
    }
    if (service_.recorder_) out.journal = service_.recorder_->journal().status();
    return out;
  }

 private:
  const Service& service_;
};

// Also when the settings have changed: what listened before is closed.
void Service::open_pages() {
  pages_.reset();
  const config::HttpSettings& http = house_.settings.http;
  if (http.port == 0) return;
  if (!view_) view_ = std::make_unique<Pages>(*this);
  http::ServerOptions options;
  options.address = http.address;
  options.port = http.port;
  options.log = [](bool warning, const std::string& line) {
    if (warning) {
      spdlog::warn("{}", line);
    } else {
      spdlog::info("{}", line);
    }
  };
  pages_ = std::make_unique<http::Server>(context_.get_executor(), std::move(options), *view_);
}

}  // namespace meterbridge::app
