// SPDX-License-Identifier: MIT
#include "cli/capture.hpp"

#include "app/capture_line.hpp"
#include "app/version.hpp"
#include "cli/house.hpp"
#include "protocol/registry.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;

constexpr std::array options{
    config_option,
    Option{"--kept", "", "", "the newest case that the service kept when the meter failed"},
    Option{"--for", "", "DURATION",
           "so long, e.g. 60s; without it one poll, or what a meter sends within its time"},
    Option{"--output", "-o", "FILE", "write there instead of standard output"},
    Option{"--serial", "", "PORT", "without a configuration: listen at this port, send nothing"},
    Option{"--tcp", "", "HOST:PORT", "without a configuration: listen there, send nothing"},
    Option{"--baud", "", "N", "with --serial: speed (9600)"},
    Option{"--mode", "", "MODE", "with --serial: 8N1, 7E1 ... (8N1)"},
    Option{"--protocol", "", "NAME", "with --serial and --tcp: noted in the capture, for decode"},
};

constexpr std::size_t most_bytes = 4'000'000;

Error usage(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Result<std::uint32_t> number_of(std::string_view name, std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value > most)
    return usage(std::string(name) + ": \"" + std::string(text) + "\" is no number up to " +
                 std::to_string(most));
  return value;
}

Result<config::LinkSettings> link_of(const Arguments& arguments) {
  config::LinkSettings link;
  if (const auto port = arguments.value("--serial")) {
    link.serial = *port;
    const auto baud = number_of("--baud", arguments.value("--baud").value_or("9600"), 921600);
    if (!baud) return baud.error();
    const auto line = LineSettings::parse(*baud, arguments.value("--mode").value_or("8N1"));
    if (!line) return line.error();
    link.line = *line;
    return link;
  }
  const std::string place = *arguments.value("--tcp");
  const std::size_t colon = place.rfind(':');
  if (colon == std::string::npos) return usage("--tcp: HOST:PORT");
  const auto port = number_of("--tcp", std::string_view(place).substr(colon + 1), 65535);
  if (!port) return port.error();
  link.kind = config::LinkKind::tcp;
  link.host = place.substr(0, colon);
  // [::1]:502
  if (link.host.starts_with('[') && link.host.ends_with(']') && link.host.size() > 2)
    link.host = link.host.substr(1, link.host.size() - 2);
  link.port = static_cast<std::uint16_t>(*port);
  return link;
}

asio::awaitable<void> listen(app::Link& link, Milliseconds length, std::optional<Error>& error) {
  const auto done = co_await app::capture_line(link, nullptr, length);
  if (!done) error = done.error();
}

Result<protocol::Capture> listen_only(const Arguments& arguments, Milliseconds length) {
  if (!arguments.words().empty())
    return usage("a METER is of a configuration: not with --serial and --tcp");
  const auto settings = link_of(arguments);
  if (!settings) return settings.error();
  const auto protocol = arguments.value("--protocol");
  if (protocol && protocol::find_protocol(*protocol) == nullptr)
    return usage("no protocol \"" + *protocol + "\"");
  asio::io_context context(1);
  auto link =
      app::make_link(context.get_executor(), *settings,
                     app::make_transport(context.get_executor(), *settings, LineSettings()));
  link->box().resize(most_bytes);
  std::optional<Error> error;
  run_until_signal(context, listen(*link, length, error));
  protocol::Capture capture;
  capture.entries = link->box().entries();
  if (error && capture.entries.empty()) return *error;
  capture.facts.emplace_back("version", std::string(app::version));
  if (protocol) capture.facts.emplace_back("protocol", *protocol);
  if (settings->line) capture.facts.emplace_back("line", settings->line->text());
  return capture;
}

Result<protocol::Capture> captured(const Arguments& arguments, bool& wrong_usage) {
  wrong_usage = true;
  Milliseconds length{};
  if (const auto text = arguments.value("--for")) {
    const auto parsed = parse_duration(*text);
    if (!parsed) return parsed.error().within("--for");
    length = *parsed;
  }
  const bool serial = arguments.has("--serial");
  if (serial && arguments.has("--tcp")) return usage("--serial and --tcp exclude each other");
  if (serial || arguments.has("--tcp")) {
    if (arguments.has("--kept"))
      return usage("--kept is of a configured meter: not with --serial and --tcp");
    auto capture = listen_only(arguments, length);
    wrong_usage = !capture && capture.error().code() == Errc::invalid;
    return capture;
  }
  for (const char* name : {"--baud", "--mode", "--protocol"})
    if (arguments.has(name))
      return usage(std::string(name) +
                   " is of a line without a configuration: with --serial or --tcp");
  if (arguments.words().size() > 1) return usage("one METER at a time");
  auto house = load_house(arguments);
  if (!house) return usage("the configuration cannot be used");
  const auto meter =
      chosen_meter(*house, arguments.words().empty() ? std::string() : arguments.words().front());
  if (!meter) return meter.error();
  wrong_usage = false;
  CaptureWish wish;
  wish.kept = arguments.has("--kept");
  wish.length = length;
  return capture_meter(*house, **meter, wish);
}

int run(const Arguments& arguments) {
  bool wrong_usage = false;
  const auto capture = captured(arguments, wrong_usage);
  if (!capture) {
    complain("meterbridge capture: " + capture.error().detail());
    return wrong_usage ? exit_usage : exit_failed;
  }
  const auto done = deliver_text(arguments.value("--output"), protocol::capture_text(*capture));
  if (!done) {
    complain("meterbridge capture: " + done.error().detail());
    return exit_failed;
  }
  for (const auto& entry : capture->entries) {
    if (entry.kind == protocol::CaptureEntry::Kind::heard) return exit_ok;
  }
  complain("meterbridge capture: no byte came");
  return exit_failed;
}

}  // namespace

const Command capture_command{
    .name = "capture",
    .synopsis = "capture [-c FILE] [METER] [--kept] [--for 60s] [-o FILE]",
    .summary = "writes the bytes that cross a meter's line, with times",
    .help =
        R"(Where a service runs, it has the last bytes of the line, and they are asked of it. Else the meter is
read now. With --serial or --tcp nothing is sent, and no configuration is needed.

What is written holds serial numbers as the meter sends them: `bundle` makes one that you can show
to others. Both are read by `decode` and `replay`.

  meterbridge capture house -o house.txt
  meterbridge capture --serial /dev/ttyUSB0 --baud 115200 --protocol p1 --for 30s | meterbridge decode -

Ctrl-C ends it; what came so far is written. Exit code: 0 bytes came, 1 none or an error, 2 wrong usage.
)",
    .options = options,
    .run = run,
};

}  // namespace meterbridge::cli
