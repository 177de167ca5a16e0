// SPDX-License-Identifier: MIT
#include "app/listener.hpp"
#include "app/plan.hpp"
#include "cli/catalogue.hpp"
#include "cli/console_menu.hpp"
#include "cli/house.hpp"
#include "cli/refusals.hpp"
#include "core/text.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;

constexpr std::array options{
    Option{"--serial", "", "PORT", "a serial port: /dev/..., usb:VID:PID[:SERIAL], usb-path:1-1.2"},
    Option{"--tcp", "", "HOST:PORT", "a serial server or a meter in the network"},
    config_option,
};

constexpr std::chrono::seconds broker_patience{10};

// What the console talks on, and who is there.
struct Plan {
  Plan() = default;
  config::LinkSettings link;
  std::optional<LineSettings> settled;  // by the configuration
  LineSettings line;                    // what the port is opened with
  std::string meter;                    // to be picked at once
};

Error usage(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Result<Plan> plan_port(const Arguments& arguments) {
  Plan plan;
  if (!arguments.words().empty()) return usage("either a port or a configured METER, not both");
  if (arguments.has("--serial") && arguments.has("--tcp"))
    return usage("either --serial or --tcp, not both");
  if (const auto port = arguments.value("--serial")) {
    plan.link.kind = config::LinkKind::serial;
    plan.link.serial = *port;
    return plan;
  }
  const std::string address = arguments.value("--tcp").value_or("");
  auto target = simulator::tcp_peer(address);
  if (!target) return target.error().within("--tcp");
  plan.link.kind = config::LinkKind::tcp;
  plan.link.host = target->host;
  plan.link.port = target->port;
  return plan;
}

Result<Plan> plan_meter(const app::House& house, const Arguments& arguments) {
  Plan plan;
  if (arguments.words().size() != 1)
    return usage("--serial PORT, --tcp HOST:PORT or one configured METER is needed");
  plan.meter = arguments.words().front();
  for (const auto& meter : house.meters) {
    if (meter->settings().id != plan.meter) continue;
    plan.link = *app::find_link(house.settings, meter->settings().link);
    plan.line = plan.link.line.value_or(meter->profile().line);
    if (plan.link.kind != config::LinkKind::mqtt) plan.settled = plan.line;
    return plan;
  }
  std::vector<std::string_view> ids;
  for (const auto& meter : house.meters)
    ids.push_back(meter->settings().id);
  const std::string_view near = nearest(plan.meter, ids);
  return usage("no meter \"" + sanitised(plan.meter, 60) + "\" in the configuration" +
               (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

bool same_line(const config::LinkSettings& a, const config::LinkSettings& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == config::LinkKind::mqtt) return a.topic == b.topic;
  return a.kind == config::LinkKind::tcp ? a.host == b.host && a.port == b.port
                                         : a.serial == b.serial;
}

ConsoleHouse house_of(const app::House& house, const meter::ProfileLibrary& library,
                      const Plan& plan) {
  ConsoleHouse known;
  known.library = &library;
  for (const auto& meter : house.meters) {
    const auto* link = app::find_link(house.settings, meter->settings().link);
    if (link != nullptr && same_line(*link, plan.link)) known.meters.push_back(&meter->settings());
  }
  return known;
}

asio::awaitable<void> session(ConsoleMenu& menu, ConsoleLine& line, std::string meter, int& code,
                              asio::signal_set& signals, app::Listener* listener) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (listener != nullptr) co_await listener->settled(broker_patience);
  auto opened = co_await line.open();
  if (!opened) {
    complain("meterbridge console: " + opened.error().detail());
    code = exit_failed;
  } else {
    Result<> picked;
    if (!meter.empty()) picked = menu.pick_configured(meter);
    if (!picked) complain("meterbridge console: " + picked.error().detail());
    co_await menu.run();
  }
  boost::system::error_code ignored;
  signals.cancel(ignored);
  // Not by this task, which may have been asked to stop.
  if (listener != nullptr)
    asio::co_spawn(co_await asio::this_coro::executor, listener->leave(), asio::detached);
}

int talk(app::House& house, const meter::ProfileLibrary& library, const Plan& plan,
         bool configured) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGINT, SIGTERM, SIGHUP);
  std::unique_ptr<app::Listener> listener;
  io::Topics deaf(nullptr, nullptr);
  if (plan.link.kind == config::LinkKind::mqtt)
    listener = std::make_unique<app::Listener>(context.get_executor(), house.settings);
  io::Topics& topics = listener ? listener->topics() : deaf;
  ConsoleLine line(app::make_way(context.get_executor(), house, plan.link, plan.line, topics),
                   plan.settled);
  Keyboard keyboard(context.get_executor());
  std::optional<Refusals> refusals;
  ConsoleHouse known = house_of(house, library, plan);
  if (configured) {
    refusals.emplace(house);
    known.veto = [&](const std::string& meter) { return refusals->veto(meter); };
    known.failed = [&](const std::string& meter, const Error& error) {
      refusals->failed(meter, error);
    };
  }
  ConsoleMenu menu(line, keyboard, std::move(known));
  int code = exit_ok;
  asio::cancellation_signal stop;
  // What is in work is given up: the menu only reads. Asked twice, it does not wait for that.
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    print("\n");
    signals.async_wait([&](const boost::system::error_code& again, int) {
      if (again) return;
      keyboard.restore();
      std::_Exit(exit_failed);
    });
    stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(context, session(menu, line, plan.meter, code, signals, listener.get()),
                 asio::bind_cancellation_slot(stop.slot(), asio::detached));
  context.run();
  const std::string recorded = line.recording.name();
  if (const std::size_t bytes = line.recording.end(); bytes > 0)
    print(recorded + ": " + std::to_string(bytes) + " bytes recorded\n");
  return code;
}

int run(const Arguments& arguments) {
  const bool port = arguments.has("--serial") || arguments.has("--tcp");
  const bool configured = !port || arguments.has("--config");
  app::House house;
  if (configured) {
    auto loaded = load_house(arguments);
    if (!loaded) return exit_usage;
    house = std::move(*loaded);
  }
  // Somebody may pick any meter of the catalogue, not only those of the configuration.
  const meter::ProfileLibrary library = load_library(arguments);
  const auto plan = port ? plan_port(arguments) : plan_meter(house, arguments);
  if (!plan) {
    complain("meterbridge console: " + plan.error().detail());
    return exit_usage;
  }
  return talk(house, library, *plan, configured);
}

}  // namespace

const Command console_command{
    "console",
    "console --serial PORT | --tcp HOST:PORT | METER [-c FILE]",
    "a menu for one line: read, watch, look at the bytes, record",
    R"(Talks to the meters of one line by hand: pick one, read all values or a group, watch them live, see the bytes and
what they mean, change the speed of this end of the line, and record a transcript that `decode` reads.

  meterbridge console --serial /dev/ttyUSB0
  meterbridge console -c meterbridge.yaml house
  printf 'm energomera-ce307 address=13462\nr\nq\n' | meterbridge console --tcp 10.0.0.5:8899

A meter that comes over MQTT is listened to at the configured broker, beside a running service.
With -c, the configured meters of the line are offered by their names. Nothing is ever written to a meter. A port that
a running service holds is refused. Ctrl-C and the end of the input leave it at any time.

exit code: 0; 1 the line cannot be opened; 2 wrong usage or invalid configuration
)",
    options,
    run};

}  // namespace meterbridge::cli
