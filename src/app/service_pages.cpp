// SPDX-License-Identifier: MIT
// What the pages for monitoring show of the service.
#include "app/log_ring.hpp"
#include "app/service.hpp"
#include "app/status_rows.hpp"
#include "app/version.hpp"
#include "app/write_log.hpp"
#include "homeassistant/entity.hpp"
#include "homeassistant/language.hpp"
#include "io/footprint.hpp"
#include "meter/unseen.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <spdlog/spdlog.h>

namespace meterbridge::app {
namespace {

// A task that keeps no promise for so many seconds is stuck; some later the program ends itself.
constexpr unsigned stuck_looks = 5;

std::string place_of(const config::MqttSettings& mqtt) {
  return mqtt.host + ":" + std::to_string(mqtt.port);
}

}  // namespace

class Service::Pages final : public http::StatusView, public http::Desk {
 public:
  explicit Pages(Service& service) : service_(service) {}

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
    if (!service_.broker_known()) {
      out.push_back("the broker is not known: " + service_.supervisor_words_);
    } else if (!service_.broker_->connected()) {
      out.push_back("the broker " + place_of(service_.house_.settings.mqtt) + " is not connected");
    }
    return out;
  }

  [[nodiscard]] http::Status status() const override {
    http::Status out;
    out.version = version;
    out.instance = service_.house_.settings.instance;
    out.uptime = std::chrono::duration_cast<Milliseconds>(Steady::now() - service_.started_);
    out.memory = io::resident_memory();
    out.time = service_.clock_.now();
    const config::Settings& settings = service_.house_.settings;
    const auto& language = homeassistant::language(settings.homeassistant.language);
    for (const MeterState* state : service_.bridge_->states())
      out.meters.push_back(status_of(*state, language, out.time));
    for (const auto& [name, link] : service_.links_)
      out.links.push_back(status_of(name, *link, settings, out.meters));
    out.app = service_.around_.app.has_value();
    out.configuration = service_.configuration_;
    out.configuration.editable = out.app || settings.http.edit;
    out.brokers.push_back(broker());
    if (service_.sinks_) {
      for (const Sinks::Health& health : service_.sinks_->health())
        out.sinks.push_back(status_of(health, settings));
    }
    for (const homeassistant::LinkFacts& facts : service_.bridges_->facts())
      out.bridges.push_back(status_of(facts));
    if (service_.recorder_) out.journal = service_.recorder_->journal().status();
    out.journal_on_disk = settings.journal.store != config::JournalStore::memory;
    return out;
  }

  [[nodiscard]] std::vector<http::UnseenStatus> unseen(std::string_view id) const override {
    std::vector<http::UnseenStatus> out;
    for (const auto& task : service_.tasks_) {
      if (task->meter->settings().id != id) continue;
      const meter::Profile& profile = task->meter->profile();
      const auto known = meter::known_keys(profile, task->meter->settings().protocol);
      const auto& language =
          homeassistant::language(service_.house_.settings.homeassistant.language);
      for (const meter::Unseen& one : meter::unseen(profile, known, delivered(id))) {
        http::UnseenStatus& row = out.emplace_back();
        row.key = one.key;
        row.name = homeassistant::entity_name(one.key, language);
        row.reason = one.reason;
      }
    }
    return out;
  }

  [[nodiscard]] std::vector<http::LogLine> log_after(std::uint64_t number) const override {
    return log_ring().after(number);
  }

  // Who may not change anything is not given a desk.
  [[nodiscard]] std::string locked() const override { return {}; }

  [[nodiscard]] Result<http::Document> document() const override {
    return service_.file_.document();
  }

  [[nodiscard]] http::Verdict check(const std::string& text) const override {
    return service_.file_.check(text);
  }

  void write(const std::string& text, const std::string& hash,
             std::function<void(http::Taken)> done) override {
    service_.write_configuration(text, hash, std::move(done));
  }

  Result<> poll(std::string_view meter) override { return service_.poll_now(meter); }

  [[nodiscard]] Result<std::string> capture(std::string_view meter) const override {
    return service_.capture(meter);
  }

 private:
  [[nodiscard]] std::set<ReadingKey> delivered(std::string_view id) const {
    std::set<ReadingKey> keys;
    for (const MeterState* state : service_.bridge_->states()) {
      if (state->facts.id != id) continue;
      for (const auto& [key, entity] : state->known->entities)
        keys.insert(key);
    }
    return keys;
  }

  [[nodiscard]] http::BrokerStatus broker() const {
    http::BrokerStatus broker;
    if (service_.broker_known()) broker.address = place_of(service_.house_.settings.mqtt);
    broker.name = broker.address.empty() ? "Home Assistant's broker" : broker.address;
    broker.connected = service_.broker_->connected();
    broker.text = broker.connected                 ? "connected"
                  : service_.broker_error_.empty() ? "not connected yet"
                                                   : service_.broker_error_;
    if (!service_.broker_known()) broker.text = service_.supervisor_words_;
    broker.waiting = service_.broker_->outbox().waiting();
    broker.in_flight = service_.broker_->outbox().in_flight();
    broker.dropped = service_.broker_->outbox().dropped();
    broker.denied = service_.broker_->denials();
    return broker;
  }

  Service& service_;
};

// Also when the settings have changed: what listened before is closed.
void Service::open_pages() {
  if (!http::available) return;
  pages_.reset();
  const config::HttpSettings& http = house_.settings.http;
  if (!view_) view_ = std::make_shared<Pages>(*this);
  if (around_.app && !ingress_) {
    ingress_ = std::make_unique<http::Server>(context_.get_executor(), around_.app->pages, *view_,
                                              view_.get());
  }
  // The app's own page has that port already.
  if (http.port == 0 || (around_.app && http.port == around_.app->pages.port)) return;
  http::ServerOptions options;
  options.address = http.address;
  options.port = http.port;
  options.local_names_only = true;
  options.log = write_log;
  pages_ = std::make_unique<http::Server>(context_.get_executor(), std::move(options), *view_,
                                          http.edit ? view_.get() : nullptr);
}

}  // namespace meterbridge::app
