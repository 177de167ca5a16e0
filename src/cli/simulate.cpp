// SPDX-License-Identifier: MIT
#include "app/plan.hpp"
#include "app/sink_plan.hpp"
#include "cli/catalogue.hpp"
#include "config/document.hpp"
#include "core/text.hpp"
#include "core/time.hpp"
#include "meter/configuration.hpp"
#include "meter/profile_library.hpp"
#include "mqtt/broker.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds broker_patience{2};

constexpr std::array<Option, 13> options{
    Option{"--config", "-c", "FILE", "plays every meter of a configuration, each on its own link"},
    Option{"--profile", "", "NAME",
           "plays one meter (`meterbridge profiles list` has the names, or a file "
           "NAME.yaml)"},
    Option{"--pty", "", "PATH", "with --profile: PATH becomes a link to a pseudo-terminal"},
    Option{"--tcp", "", "HOST:PORT",
           "with --profile: listens there; port 0 lets the system choose"},
    Option{"--mqtt", "", "HOST:PORT",
           "with --profile: publishes at that broker; with --config: instead of the configured "
           "one"},
    Option{"--topic", "", "TOPIC", "with --profile and --mqtt: where it publishes"},
    Option{"--set", "", "KEY=VALUE",
           "with --profile: a setting of its protocol, e.g. address=13462; repeatable", true, true},
    Option{"--count", "", "TELEGRAMS", "ends after so many telegrams or answers of each meter"},
    Option{"--period", "", "DURATION",
           "pushing meters send that often, e.g. 1s, instead of their own period"},
    Option{"--fault", "", "KIND[=RATE][@METER]",
           "goes wrong in that share of transmissions, 0 to 1 (0.1), of one meter or of all; "
           "repeatable",
           true},
    Option{"--delay", "", "LEAST..MOST", "answers take that long, e.g. 0ms..800ms or 200ms"},
    Option{"--seed", "", "N",
           "another house, other dice; the same number gives the same again (1)"},
    Option{"--speed", "", "N",
           "the simulated house and its clock run that many times faster (1 to 3600; 1)"},
};

constexpr std::int64_t fastest = 3600;

Error invalid(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Result<std::int64_t> number(const Arguments& arguments, std::string_view name,
                            std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const auto text = arguments.value(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < least || value > most) {
    return invalid(std::string(name) + ": \"" + *text + "\" is not a number from " +
                   std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

Result<> read_delay(const Arguments& arguments, simulator::FaultRates& rates) {
  const auto text = arguments.value("--delay");
  if (!text) return {};
  const std::size_t dots = text->find("..");
  const auto least = parse_duration(text->substr(0, dots));
  if (!least) return least.error();
  const auto most = dots == std::string::npos ? least : parse_duration(text->substr(dots + 2));
  if (!most) return most.error();
  if (*most < *least || *least < Milliseconds::zero())
    return invalid("\"" + *text + "\" is not of the form LEAST..MOST");
  rates.least_delay = *least;
  rates.most_delay = *most;
  return {};
}

// Faults of one meter come on top of those of all, whatever their order.
Result<> read_faults(const Arguments& arguments, simulator::Options& wanted) {
  std::vector<std::pair<std::string, std::string>> of_one;
  for (const std::string& fault : arguments.values("--fault")) {
    const std::size_t at = fault.find('@');
    if (at != std::string::npos) {
      of_one.emplace_back(fault.substr(at + 1), fault.substr(0, at));
    } else if (auto added = simulator::add_fault(wanted.faults, fault); !added) {
      return added;
    }
  }
  for (const auto& [meter, fault] : of_one) {
    if (fault.substr(0, fault.find('=')) == simulator::name(simulator::FaultKind::echo))
      return invalid("echo is a fault of the line, not of one meter: echo=RATE without \"@" +
                     meter + "\"");
    const auto rates = wanted.meter_faults.try_emplace(meter, wanted.faults).first;
    if (auto added = simulator::add_fault(rates->second, fault); !added) return added;
  }
  return {};
}

// A fault for a meter that is not there would silently do nothing.
Result<> check_names(const simulator::Options& wanted,
                     const std::vector<simulator::LinkPlan>& links) {
  for (const auto& faults : wanted.meter_faults) {
    const std::string& id = faults.first;
    const bool known = std::any_of(links.begin(), links.end(), [&](const auto& link) {
      return std::any_of(link.meters.begin(), link.meters.end(),
                         [&](const auto& meter) { return meter.id == id; });
    });
    if (!known) return invalid("--fault: there is no meter \"" + id + "\" here");
  }
  return {};
}

Result<simulator::Options> options_of(const Arguments& arguments) {
  simulator::Options wanted;
  const auto seed = number(arguments, "--seed", 1, 0, INT64_MAX);
  if (!seed) return seed.error();
  wanted.seed = static_cast<std::uint64_t>(*seed);
  const auto speed = number(arguments, "--speed", 1, 1, fastest);
  if (!speed) return speed.error();
  wanted.speed = *speed;
  if (arguments.has("--count")) {
    const auto count = number(arguments, "--count", 1, 1, INT64_MAX);
    if (!count) return count.error();
    wanted.count = static_cast<std::uint64_t>(*count);
  }
  if (const auto text = arguments.value("--period")) {
    const auto period = parse_duration(*text);
    if (!period) return period.error().within("--period");
    if (*period <= Milliseconds::zero()) return invalid("--period must be longer than nothing");
    wanted.period = *period;
  }
  if (auto read = read_delay(arguments, wanted.faults); !read)
    return read.error().within("--delay");
  if (auto read = read_faults(arguments, wanted); !read) return read.error().within("--fault");
  return wanted;
}

Result<std::vector<simulator::LinkPlan>> plan_profile(const Arguments& arguments,
                                                      meter::ProfileLibrary& library) {
  const auto chosen = choose_profile(library, arguments.value("--profile").value_or(""));
  if (!chosen) return chosen.error();
  const meter::Profile* profile = *chosen;
  const int places = static_cast<int>(arguments.has("--pty")) +
                     static_cast<int>(arguments.has("--tcp")) +
                     static_cast<int>(arguments.has("--mqtt"));
  if (places != 1) {
    return invalid(
        "--profile needs one of --pty PATH, --tcp HOST:PORT, --mqtt HOST:PORT --topic TOPIC");
  }
  if (arguments.has("--mqtt") != arguments.has("--topic"))
    return invalid("--mqtt HOST:PORT and --topic TOPIC go together");
  simulator::LinkPlan link;
  if (const auto topic = arguments.value("--topic")) {
    if (!profile->protocol->pushes)
      return invalid(profile->id + " must be asked and cannot come over MQTT");
    if (topic->empty() || topic->find_first_of("+#") != std::string::npos)
      return invalid("--topic: \"" + *topic + "\" is no topic to publish on");
    link.topic = *topic;
  } else if (const auto address = arguments.value("--tcp")) {
    auto listener = simulator::tcp_link(*address);
    if (!listener) return listener.error().within("--tcp");
    link = std::move(*listener);
  } else {
    link.pty = arguments.value("--pty").value_or("");
    if (link.pty.empty()) return invalid("--pty needs a path");
  }
  link.line = profile->line;
  const auto settings = arguments.values("--set");
  auto meter = simulator::plan_meter(*profile, settings);
  if (!meter) return meter.error();
  link.meters.push_back(std::move(*meter));
  return std::vector<simulator::LinkPlan>{std::move(link)};
}

// Prints what is wrong with the configuration by itself. The plans refer to `configuration`.
Result<std::vector<simulator::LinkPlan>> plan_configuration(const Arguments& arguments,
                                                            meter::Configuration& configuration) {
  for (std::string_view option : {"--pty", "--tcp", "--topic", "--set"}) {
    if (arguments.has(option)) return invalid(std::string(option) + " goes with --profile only");
  }
  const std::string file = configuration_file(arguments);
  config::Problems problems;
  configuration = app::load_configuration(file, problems);
  for (const config::Problem& problem : problems.all())
    complain(problem.str());
  if (problems.any_error()) return invalid(file + " has errors");
  return simulator::plan_all(configuration.settings, configuration.library);
}

int refuse(const Error& error) {
  complain("meterbridge simulate: " + error.detail());
  return exit_usage;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += line + "\n";
  return text;
}

asio::awaitable<void> take_leave(mqtt::Broker& broker) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const bool all = co_await broker.flush(broker_patience);
  if (!all) complain("meterbridge simulate: the broker did not take everything");
  broker.leave();
}

// The broker that meters over MQTT publish at; none where no meter needs one.
struct Publishing {
  std::unique_ptr<mqtt::Broker> broker;

  void open(asio::io_context& context, const config::MqttSettings& settings) {
    mqtt::BrokerEvents events;
    const auto tell = [](const std::string& text) { complain("meterbridge simulate: " + text); };
    events.disconnected = [tell](const Error& error) {
      if (!error.detail().empty()) tell(error.detail());
    };
    events.notice = [tell](const std::string& line) { tell("broker: " + line); };
    auto wanted = app::broker_settings(settings, {}, {});
    wanted.client_id = app::new_client_id("simulate");
    wanted.will.reset();
    wanted.binary = true;
    broker = std::make_unique<mqtt::Broker>(context.get_executor(), std::move(wanted),
                                            std::move(events));
  }

  simulator::Publisher publisher(const config::MqttSettings& settings) {
    simulator::Publisher made;
    made.name = settings.host + ":" + std::to_string(settings.port);
    made.ready = [this] { return broker->connected(); };
    made.publish = [this](std::string topic, std::string payload) {
      broker->publish({std::move(topic), std::move(payload), false});
    };
    return made;
  }
};

int play(const std::vector<simulator::LinkPlan>& links, simulator::Options wanted,
         const config::MqttSettings& settings) {
  if (auto named = check_names(wanted, links); !named) return refuse(named.error());
  asio::io_context context(1);
  Publishing publishing;
  const auto over_mqtt = [](const simulator::LinkPlan& link) { return !link.topic.empty(); };
  if (std::ranges::any_of(links, over_mqtt)) {
    publishing.open(context, settings);
    wanted.publisher = publishing.publisher(settings);
  }
  auto made = simulator::Simulation::make(context.get_executor(), links, wanted);
  if (!made) return refuse(made.error());
  simulator::Simulation& simulation = **made;
  asio::signal_set signals(context, SIGINT, SIGTERM, SIGHUP);
  if (auto opened = simulation.open(); !opened) {
    signals.cancel();
    context.run();
    return refuse(opened.error());
  }
  const auto stop = [&] {
    boost::system::error_code ignored;
    signals.cancel(ignored);
    simulation.stop();
    if (publishing.broker) asio::co_spawn(context, take_leave(*publishing.broker), asio::detached);
  };
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) stop();
  });
  if (publishing.broker) asio::co_spawn(context, publishing.broker->run(), asio::detached);
  simulation.start(stop);
  print(joined(simulation.places()) + "READY\n");
  context.run();
  print(joined(simulation.summary()));
  return exit_ok;
}

Result<> name_broker(const Arguments& arguments, config::MqttSettings& settings) {
  const auto text = arguments.value("--mqtt");
  if (!text) return {};
  const auto address = simulator::tcp_link(*text);
  if (!address) return address.error().within("--mqtt");
  settings.host = address->host;
  settings.port = address->port;
  return {};
}

int run_simulate(const Arguments& arguments) {
  if (!arguments.words().empty())
    return refuse(invalid("\"" + arguments.words().front() + "\" is not expected here"));
  if (arguments.has("--profile") && arguments.has("--config")) {
    return refuse(invalid("either --profile or --config, not both"));
  }
  const auto wanted = options_of(arguments);
  if (!wanted) return refuse(wanted.error());
  meter::Configuration configuration;
  std::optional<meter::ProfileLibrary> library;
  const bool one = arguments.has("--profile");
  if (one) library.emplace(load_library(arguments, arguments.value("--profile").value_or("")));
  const auto links =
      one ? plan_profile(arguments, *library) : plan_configuration(arguments, configuration);
  if (!links) return refuse(links.error());
  config::MqttSettings& broker = configuration.settings.mqtt;
  if (auto named = name_broker(arguments, broker); !named) return refuse(named.error());
  return play(*links, *wanted, broker);
}

}  // namespace

const Command simulate_command{
    "simulate",
    "simulate [-c FILE | --profile NAME --pty PATH|--tcp HOST:PORT|--mqtt HOST:PORT] [options]",
    "plays meters on pseudo-terminals, TCP or MQTT, with faults on request",
    R"(Plays meters that are not there, so that a configuration can be tried without one. A simulated house with three
phases, a roof with PV, gas and water has its day; the meters' registers are exactly what has flowed. The same seed
and the same moment give the same readings, so a simulator that is started again goes on where it would have been.

  meterbridge simulate --profile energomera-ce307 --pty /tmp/ttyA --set address=13462
  meterbridge simulate --profile p1 --tcp 127.0.0.1:8899 --period 1s --fault flip=0.05 --fault hangup=0.01
  meterbridge simulate --profile esp32-flat-json --mqtt localhost:1883 --topic workshop/meter --period 5s
  meterbridge simulate -c meterbridge.yaml

With -c, a serial path becomes a link to a pseudo-terminal, a TCP address is listened on, and a meter whose link is a
topic is published at the configured broker (the name of the meter stands where the filter has a +). A file or a device
that is there already is never touched. READY is printed when all meters are there; SIGINT or SIGTERM ends them and
removes the links. Bytes leave at the speed of the line. What is sent while nobody listens is lost and not counted.

Kinds of fault; each strikes RATE of the transmissions:
  noise      random bytes before, within or after it
  flip       one bit is wrong
  cut        the end is missing
  silence    nothing is sent
  late       sent two seconds late
  echo       the adapter returns what it was sent
  foreign    the answer names another meter
  swap       the previous transmission is sent once more instead
  zero       the counters stand at 0
  jump       the counters stand far above
  wrong-key  encrypted with another key
  hangup     half of it, then the link goes away and comes back (a broker stays)
  master     another master asks a meter of its own right before the answer (ce102)
KIND=RATE@METER strikes one meter of the configuration only, on top of what strikes all.
)",
    options,
    run_simulate};

}  // namespace meterbridge::cli
