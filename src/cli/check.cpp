// SPDX-License-Identifier: MIT
#include "app/sink_plan.hpp"
#include "cli/command.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    Option{"--config", "-c", "FILE",
           "the configuration; default /etc/meterbridge/meterbridge.yaml, then ./meterbridge.yaml"},
};

std::string count_of(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

int run_check(const Arguments& arguments) {
  if (!arguments.words().empty()) {
    complain("check takes no further words; name the file with -c " + arguments.words().front());
    return exit_usage;
  }
  const std::string file = configuration_file(arguments);
  config::Problems problems;
  const meter::Configuration configuration = app::load_configuration(file, problems);
  std::string text;
  for (const config::Problem& problem : problems.all())
    text += problem.str() + "\n";
  const auto errors = static_cast<std::size_t>(std::count_if(
      problems.all().begin(), problems.all().end(),
      [](const config::Problem& problem) { return problem.severity == config::Severity::error; }));
  const std::size_t warnings = problems.all().size() - errors;
  if (errors > 0) {
    text += file + ": " + count_of(errors, "error");
  } else {
    text += file + ": valid, " + count_of(configuration.settings.meters.size(), "meter") + " on " +
            count_of(configuration.settings.links.size(), "link");
    if (const std::size_t sinks = configuration.settings.sinks.size(); sinks > 0)
      text += ", " + count_of(sinks, "sink");
  }
  if (warnings > 0) text += ", " + count_of(warnings, "warning");
  print(text + "\n");
  return errors == 0 ? exit_ok : exit_usage;
}

}  // namespace

const Command check_command{
    "check",
    "check [-c FILE]",
    "validates the configuration and tells everything that is wrong",
    "Reads the configuration as `run` would, opens no port and calls no broker. Every fault is one "
    "line with its place:\n"
    "  meterbridge.yaml:14:11: error: meters[1].link.baud: \"fast\" is not a number (allowed: 300 "
    "... 921600)\n"
    "Exit code 0 when the file is valid (warnings do not count), 2 when it is not.\n"
    "\n"
    "Example:\n"
    "  meterbridge check -c meterbridge.yaml\n",
    options,
    run_check};

}  // namespace meterbridge::cli
