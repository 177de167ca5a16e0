// SPDX-License-Identifier: MIT
#include "app/plan.hpp"

#include "core/serial_server.hpp"
#include "core/topic.hpp"
#include "io/links.hpp"
#include "io/rfc2217.hpp"
#include "io/usb_reset.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace meterbridge::app {

Result<House> build_house(meter::Configuration configuration) {
  House house;
  house.settings = std::move(configuration.settings);
  house.library = std::make_shared<const meter::ProfileLibrary>(std::move(configuration.library));
  std::map<const meter::Profile*, meter::Meter*> first;  // of each profile
  for (const config::MeterSettings& meter : house.settings.meters) {
    const meter::Profile* profile = house.library->find(meter.profile);
    if (profile == nullptr)
      return Error(Errc::invalid, meter.id + ": unknown profile \"" + meter.profile + "\"");
    auto made = meter::Meter::make(meter, *profile);
    if (!made) return made.error();
    house.meters.push_back(std::make_unique<meter::Meter>(std::move(*made)));
    meter::Meter& one = *house.meters.back();
    const auto [elder, fresh] = first.try_emplace(profile, &one);
    if (!fresh) one.driver().share(elder->second->driver());
  }
  return house;
}

const config::LinkSettings* find_link(const config::Settings& settings, std::string_view name) {
  const auto found =
      std::find_if(settings.links.begin(), settings.links.end(),
                   [&](const config::LinkSettings& link) { return link.name == name; });
  return found == settings.links.end() ? nullptr : &*found;
}

std::unique_ptr<io::Transport> make_transport(const boost::asio::any_io_executor& executor,
                                              const config::LinkSettings& settings,
                                              const LineSettings& profile_line) {
  switch (settings.kind) {
    case config::LinkKind::serial:
      break;
    case config::LinkKind::tcp:
      if (!speaks_rfc2217(settings.host))
        return io::make_tcp(executor, settings.host, settings.port, settings.echo);
      return io::make_rfc2217(
          executor,
          io::make_tcp(executor, settings.host.substr(rfc2217_scheme.size()), settings.port, false,
                       {.machine = "serial server", .listener = "serial server's port"}),
          settings.line.value_or(profile_line), settings.echo);
    case config::LinkKind::mqtt:
      return io::Topics(nullptr, nullptr).source(executor, settings.topic);
    case config::LinkKind::replay:
      return io::make_replay(executor, settings.replay);
  }
  io::SerialOptions options;
  options.port = settings.serial;
  options.line = settings.line.value_or(profile_line);
  options.echo = settings.echo;
  return io::make_serial(executor, std::move(options));
}

std::unique_ptr<io::Transport> make_way(const boost::asio::any_io_executor& executor,
                                        const House& house, const config::LinkSettings& settings,
                                        const LineSettings& profile_line, io::Topics& topics) {
  if (settings.kind == config::LinkKind::mqtt) return topics.source(executor, settings.topic);
  return house.transport(executor, settings, profile_line);
}

std::unique_ptr<Link> make_link(const boost::asio::any_io_executor& executor,
                                const config::LinkSettings& settings,
                                std::unique_ptr<io::Transport> transport) {
  auto link = std::make_unique<Link>(executor, std::move(transport), settings.turnaround,
                                     settings.failing_share);
  if (settings.usb_reset && settings.kind == config::LinkKind::serial) {
    link->allow_usb_reset([port = settings.serial] {
      return io::reset_usb(port, facts_of(Rung::usb_reset).deadline);
    });
  }
  return link;
}

MeterPlan plan_of(const meter::Meter& meter, const config::Settings& settings) {
  MeterPlan plan;
  plan.settings = meter.settings();
  const protocol::Protocol& protocol = *meter.profile().protocol;
  plan.polled = !protocol.pushes;
  plan.tables = protocol.tables;
  // A profile for many makers says nothing of this one.
  if (meter.profile().vendor != "any") {
    plan.identity.manufacturer = meter.profile().vendor;
    plan.identity.model = meter.profile().model;
  }
  plan.leaves = protocol.name == "json" && plan.settings.protocol.text("sender") == "meterbridge";
  const config::LinkSettings* link = find_link(settings, plan.settings.link);
  plan.shared = plan.leaves && link != nullptr && !share_group(link->topic).empty();
  for (const protocol::TelegramLayout& layout : protocol.layouts) {
    if (layout.name == plan.settings.telegram.layout) plan.layout = &layout;
  }
  return plan;
}

std::vector<MeterPlan> plans_of(const House& house) {
  std::vector<MeterPlan> plans;
  for (const auto& meter : house.meters)
    plans.push_back(plan_of(*meter, house.settings));
  return plans;
}

mqtt::BrokerSettings broker_settings(const config::ConnectionSettings& settings,
                                     const std::string& client_id, mqtt::Message will) {
  mqtt::BrokerSettings broker;
  broker.host = settings.host;
  broker.port = settings.port;
  broker.client_id = settings.client_id.empty() ? client_id : settings.client_id;
  broker.username = settings.username;
  broker.password = settings.password;
  broker.version = settings.version;
  broker.keepalive = settings.keepalive;
  broker.tls = settings.tls.enabled;
  broker.ca = settings.tls.ca;
  broker.certificate = settings.tls.certificate;
  broker.key = settings.tls.key;
  broker.insecure = settings.tls.insecure;
  broker.will = std::move(will);
  return broker;
}

std::string random_id() {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 8; ++i)
    id += digits[random() % digits.size()];
  return id;
}

std::string new_client_id(const std::string& instance) {
  return instance + "-" + random_id();
}

StateStore known_store(const config::Settings& settings, StateStore::Log log) {
  return {
      settings.state_directory + "/" + settings.instance + ".state.json",
      {"what was announced earlier is unknown now",
       "meters that are removed from the configuration while stopped will stay in Home Assistant "
       "until this is mended"},
      std::move(log)};
}

StateStore memory_store(const config::Settings& settings, StateStore::Log log) {
  return {settings.state_directory + "/" + settings.instance + ".values.json",
          {"the last values are unknown now; counters are guarded from their next reading on",
           "counters will not be guarded over a restart until this is mended"},
          std::move(log)};
}

}  // namespace meterbridge::app
