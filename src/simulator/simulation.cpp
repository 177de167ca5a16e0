// SPDX-License-Identifier: MIT
#include "simulator/simulation.hpp"

#include "core/serial_server.hpp"
#include "core/text.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <charconv>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;

// What was sent last must have been read before the port goes away: a pseudo-terminal takes its
// bytes with it.
constexpr Milliseconds farewell{300};

Error invalid(std::string text) {
  return {Errc::invalid, std::move(text)};
}

// FNV-1a: the house of a meter follows from its id, not from its place in the file.
std::uint64_t seed_of(std::string_view id, std::uint64_t seed) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (char c : id)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return hash ^ (seed * 0x9E3779B97F4A7C15U);
}

const SettingSpec* find_spec(const protocol::Protocol& protocol, std::string_view name) {
  for (const SettingSpec& spec : protocol.settings) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

Result<> put(SettingValues& values, const protocol::Protocol& protocol, std::string_view name,
             std::string_view text) {
  const SettingSpec* spec = find_spec(protocol, name);
  if (spec == nullptr) {
    std::vector<std::string_view> known;
    for (const SettingSpec& one : protocol.settings)
      known.push_back(one.name);
    const std::string_view near = nearest(name, known);
    return invalid("protocol " + std::string(protocol.name) + " has no setting \"" +
                   std::string(name) + "\"" +
                   (near.empty() ? "" : ", did you mean \"" + std::string(near) + "\"?"));
  }
  auto value = parse_setting(*spec, text);
  if (!value) return value.error().within(name);
  values.set(name, std::move(*value));
  return {};
}

Result<LinkPlan> plan_link(const config::LinkSettings& link) {
  LinkPlan plan;
  if (link.kind == config::LinkKind::tcp) {
    if (speaks_rfc2217(link.host))
      return invalid("link " + link.name +
                     ": a simulated meter speaks no RFC 2217; write HOST:PORT");
    plan.host = link.host;
    plan.port = link.port;
    return plan;
  }
  if (link.kind == config::LinkKind::mqtt) {
    plan.topic = link.topic;
    return plan;
  }
  if (!link.serial.starts_with('/')) {
    return invalid("link " + link.name + ": " + link.serial +
                   " names a real adapter; a simulated meter needs the path of a pseudo-terminal");
  }
  plan.pty = link.serial;
  return plan;
}

}  // namespace

Result<MeterPlan> plan_meter(const meter::Profile& profile, std::span<const std::string> settings) {
  MeterPlan plan;
  plan.id = profile.id;
  plan.profile = &profile;
  plan.period = profile.interval;
  plan.settings = meter::default_values(profile);
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos)
      return invalid("\"" + setting + "\" is not of the form KEY=VALUE");
    const std::string_view text = setting;
    if (auto set =
            put(plan.settings, *profile.protocol, text.substr(0, equals), text.substr(equals + 1));
        !set) {
      return set.error();
    }
  }
  return plan;
}

Result<std::vector<LinkPlan>> plan_all(const config::Settings& settings,
                                       const meter::ProfileLibrary& library) {
  std::vector<LinkPlan> plans;
  for (const config::LinkSettings& link : settings.links) {
    if (link.kind == config::LinkKind::replay) continue;
    auto plan = plan_link(link);
    if (!plan) return plan.error();
    bool first = true;
    for (const config::MeterSettings& meter : settings.meters) {
      if (meter.link != link.name) continue;
      const meter::Profile* profile = library.find(meter.profile);
      if (profile == nullptr) return invalid("meter " + meter.id + ": no profile " + meter.profile);
      if (first) plan->line = link.line.value_or(profile->line);
      first = false;
      MeterPlan& one = plan->meters.emplace_back();
      one.id = meter.id;
      one.profile = profile;
      one.settings = meter.protocol;
      one.period = meter.interval;
    }
    if (!plan->meters.empty()) plans.push_back(std::move(*plan));
  }
  if (plans.empty()) return invalid("the configuration has no meter that could be simulated");
  return plans;
}

Result<LinkPlan> tcp_link(std::string_view address) {
  LinkPlan plan;
  const std::size_t colon = address.rfind(':');
  const std::string_view digits =
      colon == std::string_view::npos ? address : address.substr(colon + 1);
  std::string_view host =
      colon == std::string_view::npos ? std::string_view() : address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), plan.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return invalid("\"" + std::string(address) + "\" is not of the form HOST:PORT");
  }
  plan.host = host.empty() ? "127.0.0.1" : std::string(host);
  return plan;
}

Result<LinkPlan> tcp_peer(std::string_view address) {
  auto plan = tcp_link(address);
  if (!plan) return plan;
  const std::string shown = "\"" + sanitised(address, 80) + "\"";
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return invalid(shown + " names no host; write HOST:PORT");
  if (plan->port == 0) return invalid(shown + " names no port");
  return plan;
}

Simulation::Simulation(asio::any_io_executor executor, std::int64_t speed)
    : executor_(executor),
      speed_(speed),
      begun_at_(SystemClock().now()),
      begun_(std::chrono::steady_clock::now()),
      farewell_(executor) {}

Simulation::~Simulation() = default;

Seconds Simulation::now() const {
  // At its natural speed the house follows the host's clock, also when that is set.
  if (speed_ == 1) return std::chrono::floor<std::chrono::seconds>(SystemClock().now());
  const auto passed =
      std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begun_);
  return std::chrono::floor<std::chrono::seconds>(begun_at_ + passed * speed_);
}

Result<std::unique_ptr<Simulation>> Simulation::make(asio::any_io_executor executor,
                                                     const std::vector<LinkPlan>& links,
                                                     const Options& options) {
  std::unique_ptr<Simulation> made(new Simulation(executor, options.speed));
  for (const LinkPlan& link : links) {
    if (auto added = made->add(link, options); !added) return added.error();
  }
  return made;
}

std::unique_ptr<Port> Simulation::make_port(const LinkPlan& link,
                                            const Publisher& publisher) const {
  if (!link.topic.empty())
    return make_topic_port(executor_, link.topic, link.meters.front().id, publisher);
  if (!link.pty.empty()) return make_pty_port(executor_, link.pty);
  return make_tcp_port(executor_, link.host, link.port);
}

Result<> Simulation::add(const LinkPlan& link, const Options& options) {
  std::vector<Seat> seats;
  std::vector<std::string>& profiles = profiles_.emplace_back();
  for (const MeterPlan& meter : link.meters) {
    const protocol::Protocol& protocol = *meter.profile->protocol;
    if (protocol.responder == nullptr) {
      return invalid("meter " + meter.id + ": protocol " + std::string(protocol.name) +
                     " cannot be simulated yet");
    }
    SettingValues settings = meter.settings;
    config::settle_framing(settings, link.pty.empty() && link.topic.empty());
    auto responder = protocol.responder(settings);
    if (!responder) return responder.error().within("meter " + meter.id);
    std::optional<Milliseconds> period;
    if (protocol.pushes) period = std::max(options.period.value_or(meter.period), Milliseconds(1));
    const auto own = options.meter_faults.find(meter.id);
    const FaultRates& faults = own == options.meter_faults.end() ? options.faults : own->second;
    const std::uint64_t seed = seed_of(meter.id, options.seed);
    Player player(meter.id, std::move(*responder), street_.house(seed), seed, faults,
                  options.count);
    seats.emplace_back(std::move(player), period);
    profiles.push_back(meter.profile->id);
  }
  std::unique_ptr<Port> port = make_port(link, options.publisher);
  StationOptions station;
  station.baud = link.pty.empty() ? 0 : link.line.baud;
  station.now = [this] { return now(); };
  station.finished = [this] {
    if (--running_ > 0) return;
    farewell_.expires_after(farewell);
    farewell_.async_wait([this](const boost::system::error_code& error) {
      if (!error && finished_) finished_();
    });
  };
  Faults line_faults(options.faults, seed_of(port->name(), options.seed));
  stations_.push_back(std::make_unique<Station>(executor_, std::move(port), std::move(seats),
                                                std::move(line_faults), std::move(station)));
  return {};
}

Result<> Simulation::open() {
  for (const auto& station : stations_) {
    if (auto opened = station->open(); !opened) {
      stop();
      return opened;
    }
  }
  return {};
}

void Simulation::start(std::function<void()> finished) {
  finished_ = std::move(finished);
  running_ = stations_.size();
  for (const auto& station : stations_)
    station->start();
}

void Simulation::stop() {
  farewell_.cancel();
  for (const auto& station : stations_)
    station->stop();
}

std::vector<std::string> Simulation::places() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < stations_.size(); ++i) {
    const auto seats = stations_[i]->seats();
    for (std::size_t k = 0; k < seats.size(); ++k) {
      lines.push_back(seats[k].player.id() + ": " + profiles_[i][k] + " on " +
                      stations_[i]->name());
    }
  }
  return lines;
}

std::vector<std::string> Simulation::summary() const {
  std::vector<std::string> lines;
  for (const auto& station : stations_) {
    for (const Seat& seat : station->seats()) {
      std::string faults;
      for (std::size_t i = 0; i < fault_kinds; ++i) {
        const auto kind = static_cast<FaultKind>(i);
        const std::uint64_t count =
            kind == FaultKind::echo ? station->echoes() : seat.player.faults().count(kind);
        if (count == 0) continue;
        faults += (faults.empty() ? ", faults: " : ", ") + std::string(name(kind)) + " " +
                  std::to_string(count);
      }
      lines.push_back(seat.player.id() + ": " + std::to_string(seat.player.sent()) + " sent" +
                      faults);
    }
  }
  return lines;
}

}  // namespace meterbridge::simulator
