// SPDX-License-Identifier: MIT
#include "scan/scan.hpp"

#include "app/plan.hpp"
#include "cli/catalogue.hpp"
#include "cli/command.hpp"
#include "cli/house.hpp"
#include "core/json_writer.hpp"
#include "core/text.hpp"
#include "io/converse.hpp"
#include "io/links.hpp"
#include "scan/report.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
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
#include <unistd.h>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;

constexpr std::array options{
    Option{"--serial", "", "PORT", "a serial port: /dev/..., usb:VID:PID[:SERIAL], usb-path:1-1.2"},
    Option{"--tcp", "", "HOST:PORT", "a serial server, a gateway or a meter in the network"},
    Option{"--quick", "", "", "fewer speeds and addresses, shorter listening"},
    Option{"--deep", "", "", "all speeds and addresses, also after something was found"},
    Option{"--protocol", "", "NAME", "only this one; repeatable", true},
    Option{"--addresses", "", "LIST",
           "instead of the usual ones, e.g. 1..10,71; Energomera CE and Mercury 200 meters answer "
           "only to their own, which follows from the serial number"},
    Option{"--baud", "", "SPEED", "only at this speed; repeatable", true},
    Option{"--mode", "", "MODE", "with --baud: 8N1 (if not given), 8E1, 7E1 ..."},
    Option{"--anyway", "", "", "asks although something is heard that nobody understands"},
    Option{"--plan", "", "", "only says what would be sent, and opens nothing"},
    Option{"--json", "", "", "one JSON object for each meter, the configuration as the last one"},
    config_option,
};

constexpr int most_reconnects = 50;
constexpr std::size_t most_addresses = 65536;

struct Plan {
  Plan() = default;
  config::LinkSettings link;
  scan::Wishes wishes;
  scan::Where where;
};

Error usage(std::string text) {
  return {Errc::invalid, std::move(text)};
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "1..10,71"
Result<std::vector<std::uint32_t>> read_addresses(const std::string& list) {
  std::vector<std::uint32_t> all;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const std::string part = list.substr(at, comma - at);
    at = comma + 1;
    const std::size_t dots = part.find("..");
    const auto first = number_of(part.substr(0, dots));
    const auto last = dots == std::string::npos ? first : number_of(part.substr(dots + 2));
    const std::string shown = "--addresses: \"" + sanitised(part, 40) + "\"";
    if (!first || !last) return usage(shown + " is no number and no range like 1..32");
    if (*last < *first) return usage(shown + " goes backwards");
    if (*last - *first >= most_addresses - all.size())
      return usage(shown + ": more than " + std::to_string(most_addresses) + " addresses");
    for (std::uint32_t address = *first; all.size() < most_addresses; ++address) {
      all.push_back(address);
      if (address == *last) break;
    }
  }
  return all;
}

Result<> read_lines(const Arguments& arguments, scan::Wishes& wishes) {
  if (arguments.has("--mode") && !arguments.has("--baud")) return usage("--mode goes with --baud");
  for (const std::string& text : arguments.values("--baud")) {
    const auto baud = number_of(text);
    if (!baud) return usage("--baud: \"" + sanitised(text, 20) + "\" is no speed");
    auto line = LineSettings::parse(*baud, arguments.value("--mode").value_or("8N1"));
    if (!line) return line.error();
    wishes.lines.push_back(*line);
  }
  if (!wishes.lines.empty() && arguments.has("--tcp"))
    return usage("--baud: the speed of a network link is set at its gateway");
  return {};
}

Result<> read_protocols(const Arguments& arguments, scan::Wishes& wishes) {
  for (const std::string& name : arguments.values("--protocol")) {
    std::vector<std::string_view> names;
    for (const protocol::Protocol& known : protocol::protocols()) {
      if (known.name != "json") names.push_back(known.name);
    }
    if (std::ranges::find(names, name) == names.end()) {
      const std::string_view near = nearest(name, names);
      return usage("--protocol: \"" + sanitised(name, 40) +
                   "\" is none that a line can be scanned for" +
                   (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    }
    wishes.protocols.push_back(name);
  }
  return {};
}

Result<> read_target(const Arguments& arguments, Plan& plan) {
  if (!arguments.words().empty()) return usage("a port is named by --serial or --tcp");
  if (arguments.has("--serial") == arguments.has("--tcp"))
    return usage(
        "one of --serial PORT and --tcp HOST:PORT is needed: no other port is ever opened");
  if (const auto port = arguments.value("--serial")) {
    if (port->empty()) return usage("--serial names no port");
    plan.link.kind = config::LinkKind::serial;
    plan.link.serial = *port;
    plan.where.link = io::stable_name(*port).value_or(*port);
    return {};
  }
  const std::string address = arguments.value("--tcp").value_or("");
  auto target = simulator::tcp_peer(address);
  if (!target) return target.error().within("--tcp");
  plan.link.kind = config::LinkKind::tcp;
  plan.link.host = target->host;
  plan.link.port = target->port;
  plan.wishes.network = true;
  plan.where.network = true;
  const bool bare_v6 = target->host.find(':') != std::string::npos;
  plan.where.link =
      (bare_v6 ? "[" + target->host + "]" : target->host) + ":" + std::to_string(target->port);
  return {};
}

Result<Plan> plan_of(const Arguments& arguments) {
  Plan plan;
  if (auto read = read_target(arguments, plan); !read) return read.error();
  if (arguments.has("--quick") && arguments.has("--deep"))
    return usage("either --quick or --deep, not both");
  if (arguments.has("--quick")) plan.wishes.depth = scan::Depth::quick;
  if (arguments.has("--deep")) plan.wishes.depth = scan::Depth::deep;
  plan.wishes.anyway = arguments.has("--anyway");
  if (auto read = read_lines(arguments, plan.wishes); !read) return read.error();
  if (auto read = read_protocols(arguments, plan.wishes); !read) return read.error();
  if (const auto list = arguments.value("--addresses")) {
    auto addresses = read_addresses(*list);
    if (!addresses) return addresses.error();
    plan.wishes.addresses = *std::move(addresses);
  }
  return plan;
}

// What the scan does goes to stderr: its result can be written into a file.
class Progress final : public protocol::Dialogue {
 public:
  Progress(scan::Scan& scan, const scan::Where& where)
      : scan_(scan), where_(where), terminal_(::isatty(STDERR_FILENO) == 1) {}

  Result<protocol::Step> next() override {
    auto step = scan_.next();
    tell();
    return step;
  }

  void received(ByteView bytes) override { scan_.received(bytes); }

  void silence() override { scan_.silence(); }

  void drained(ByteView bytes) override { scan_.drained(bytes); }

  void clear() const {
    if (terminal_) print_error("\r\033[K");
  }

 private:
  static void print_error(const std::string& text) {
    // Whether it was seen changes nothing.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  }

  void tell() {
    for (; told_ < scan_.findings().size(); ++told_) {
      clear();
      complain("found: " + scan::words(scan_.findings()[told_], where_));
      last_.clear();
    }
    std::string now = scan_.progress();
    // In a file, one line for each speed; on a terminal one line that changes.
    const std::string coarse =
        now.substr(now.rfind(" at ") == std::string::npos ? 0 : now.rfind(" at "));
    if (now == last_ || (!terminal_ && coarse == coarse_)) return;
    last_ = now;
    coarse_ = coarse;
    if (terminal_) {
      print_error("\r\033[K" + now);
    } else {
      complain(now);
    }
  }

  scan::Scan& scan_;
  const scan::Where& where_;
  bool terminal_;
  std::size_t told_ = 0;
  std::string last_;
  std::string coarse_;
};

struct Outcome {
  Outcome() = default;
  std::optional<Error> error;
  bool cancelled = false;
};

// A peer that hangs up at a question it does not like is called again for the next one.
asio::awaitable<void> talk(io::Transport& transport, Progress& progress, scan::Scan& scan,
                           Outcome& outcome, asio::signal_set& signals) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (int opened_so_often = 0;; ++opened_so_often) {
    auto opened = co_await transport.open();
    if (!opened) {
      outcome.error = opened.error();
      break;
    }
    auto done = co_await io::converse(transport, progress);
    if (done) break;
    outcome.cancelled = done.error().code() == Errc::cancelled;
    if (outcome.cancelled) break;
    transport.close();
    const bool again = done.error().code() == Errc::io && !transport.local();
    if (!again || opened_so_often == most_reconnects) {
      outcome.error = done.error();
      break;
    }
    scan.broken();
  }
  boost::system::error_code ignored;
  signals.cancel(ignored);
}

Outcome carry_out(const Plan& plan, scan::Scan& scan) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGINT, SIGTERM, SIGHUP);
  const auto transport = app::make_transport(context.get_executor(), plan.link, LineSettings());
  Progress progress(scan, plan.where);
  Outcome outcome;
  asio::cancellation_signal stop;
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(context, talk(*transport, progress, scan, outcome, signals),
                 asio::bind_cancellation_slot(stop.slot(), asio::detached));
  context.run();
  progress.clear();
  return outcome;
}

// `problem`: why there is no more, in words.
void print_result(const Plan& plan, const scan::Scan& scan, const meter::ProfileLibrary& library,
                  bool as_json, const std::string& problem) {
  const std::string file = scan::configuration(scan.findings(), plan.where, library);
  if (!as_json) {
    print(file);
    return;
  }
  for (const scan::Finding& finding : scan.findings())
    print(scan::json(finding, plan.where) + "\n");
  JsonWriter json;
  json.object().member("found", scan.findings().size()).member("configuration", file);
  if (!problem.empty()) json.member("problem", problem);
  json.end();
  print(json.text() + "\n");
}

std::string nobody(const Plan& plan, const scan::Scan& scan) {
  if (!scan.stopped().empty()) return scan.stopped();
  std::string text =
      scan.heard() == 0 ? "nobody sends here, and nobody answered" : "nobody answered";
  text += plan.wishes.network
              ? ". Is the gateway set to the meter's speed, and does it pass bytes as they are?"
              : ". Check power and wiring (A and B may be swapped), and that the head sits right. "
                "Energomera CE and Mercury 200 meters answer only to their own address: "
                "--addresses. More speeds and addresses: --deep";
  return text;
}

int run(const Arguments& arguments) {
  const auto plan = plan_of(arguments);
  if (!plan) {
    complain("meterbridge scan: " + plan.error().detail());
    return exit_usage;
  }
  const meter::ProfileLibrary library = load_library(arguments, {});
  scan::Catalogue catalogue(library);
  scan::Scan scan(catalogue, plan->wishes);
  complain("meterbridge scan of " + plan->where.link + ":");
  for (const std::string& line : scan::words(scan.plan(), plan->wishes))
    complain("  " + line);
  if (arguments.has("--addresses") && scan.plan().rounds.empty()) {
    complain(
        "meterbridge scan: --addresses: nobody can be asked at these numbers (Modbus has 1 to 247, "
        "Mercury 23x 0 to 240, Energomera CE 0 to 65535)");
    return exit_usage;
  }
  if (arguments.has("--plan")) return exit_ok;
  const Outcome outcome = carry_out(*plan, scan);
  const bool found = std::ranges::any_of(
      scan.findings(), [](const scan::Finding& finding) { return !finding.matches.empty(); });
  std::string problem;
  if (outcome.error) {
    problem = outcome.error->detail();
  } else if (!found || !scan.stopped().empty()) {
    problem = nobody(*plan, scan);
  }
  if (outcome.cancelled) complain("meterbridge scan: ended early; what follows was found so far");
  if (!problem.empty()) complain("meterbridge scan: " + problem);
  // Programs get a document in any case, a file is begun only with somebody in it.
  const bool as_json = arguments.has("--json");
  if (as_json || !scan.findings().empty()) print_result(*plan, scan, library, as_json, problem);
  return found ? exit_ok : exit_failed;
}

}  // namespace

const Command scan_command{
    "scan",
    "scan --serial PORT | --tcp HOST:PORT [options]",
    "finds the meters of one named port and prints a configuration for them",
    R"(Says what it will send, listens, then asks: only requests that read, no password, one at a time. It ends in a
configuration that `check` accepts; where several profiles answer alike, a comment names them. A line on which a meter
sends by itself, or another master asks, is only listened to. Ctrl-C ends it with what was found so far.

  meterbridge scan --serial /dev/ttyUSB0 > meterbridge.yaml
  meterbridge scan --tcp 10.0.0.7:502
  meterbridge scan --serial /dev/ttyUSB0 --protocol ce102 --addresses 13462
  meterbridge scan --serial /dev/ttyUSB0 --baud 9600 --mode 8E1 --deep

exit code: 0 found, 1 none, 2 wrong usage
)",
    options,
    run};

}  // namespace meterbridge::cli
