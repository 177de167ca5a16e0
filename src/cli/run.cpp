// SPDX-License-Identifier: MIT
#include "app/log_ring.hpp"
#include "app/once.hpp"
#include "app/run_app.hpp"
#include "app/service.hpp"
#include "cli/house.hpp"
#include "http/server.hpp"

#include <array>
#include <utility>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--once", "", "",
           "poll every meter once, deliver, wait for the broker's acknowledgement, end (for cron)"},
    Option{"--app", "", "",
           "as the app of Home Assistant: options from /data/options.json, broker from the "
           "Supervisor"},
};

int run(const Arguments& arguments) {
  if (!arguments.words().empty()) {
    complain("meterbridge run: \"" + arguments.words().front() +
             "\" is too much; the configuration is given with -c FILE");
    return exit_usage;
  }
  if (arguments.has("--app")) {
    if (!http::available) {
      complain(
          "meterbridge run: Home Assistant shows an app by its pages, and this program was built "
          "without (METERBRIDGE_HTTP)");
      return exit_usage;
    }
    if (!arguments.has("--once") && !arguments.has("--config"))
      return app::run_app(arguments.value("--log-level"));
    complain("meterbridge run: --app takes its configuration from the app's options, and goes on");
    return exit_usage;
  }
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  if (arguments.has("--once")) return app::run_once(std::move(*house));
  app::attach_log_ring();
  app::Service service(std::move(*house), configuration_file(arguments));
  return service.run();
}

}  // namespace

const Command run_command{
    "run",
    "run [--once] [-c FILE] | run --app",
    "the service: reads all meters and feeds the broker, until SIGTERM or Ctrl-C",
    "Stays in the foreground and logs to stderr. Only an invalid configuration stops the start: "
    "absent devices, meters\n"
    "and brokers are waited for. With --once every meter is read a single time and the program "
    "ends when the broker has\n"
    "acknowledged everything; what it published stays shown in Home Assistant until the next "
    "run.\n\n"
    "  meterbridge check -c meterbridge.yaml && meterbridge run -c meterbridge.yaml\n\n"
    "exit code: 0 after SIGTERM or SIGINT (--once: all delivered), 1 (--once) something was not "
    "delivered,\n"
    "2 invalid configuration, 70 a task that cannot be ended\n\n"
    "SIGHUP reads the configuration again: what did not change goes on undisturbed, and a file "
    "with "
    "errors is reported\n"
    "and ignored.\n",
    options,
    run};

}  // namespace meterbridge::cli
