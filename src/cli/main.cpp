// SPDX-License-Identifier: MIT
#include "cli/command.hpp"
#include "cli/log.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <string>

namespace {

using namespace meterbridge;
using namespace meterbridge::cli;

constexpr Option help_option{"--help", "-h", "", "this text"};
constexpr Option log_option{"--log-level", "", "LEVEL",
                            "error, warning, info (default), debug or trace"};

std::string overview() {
  std::string text =
      "meterbridge reads electricity, gas, water and heat meters and makes them native in Home "
      "Assistant.\n\n"
      "usage: meterbridge COMMAND [options]\n\n";
  std::vector<std::vector<std::string>> rows;
  std::string missing;
  for (const Command& command : commands()) {
    if (command.run != nullptr) {
      rows.push_back({"  " + std::string(command.name), std::string(command.summary)});
    } else {
      missing += (missing.empty() ? "" : ", ") + std::string(command.name);
    }
  }
  rows.insert(rows.begin(), {"  command", "does"});
  text += table(rows) + "\nmeterbridge COMMAND --help explains one of them.\n";
  return missing.empty() ? text : text + "This program was built without: " + missing + ".\n";
}

int built_without(const Command& command) {
  complain("meterbridge " + std::string(command.name) +
           ": this program was built without it, to be small (" + std::string(command.help) +
           "=OFF); a full build, on another machine, has it");
  return exit_usage;
}

std::vector<Option> options_of(const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.push_back(log_option);
  options.push_back(help_option);
  return options;
}

std::string help_of(const Command& command) {
  std::string text = "usage: meterbridge " + std::string(command.synopsis) + "\n\n" +
                     std::string(command.help) + "\n";
  std::vector<std::vector<std::string>> rows{{"  option", "means"}};
  for (const Option& option : options_of(command)) {
    std::string left = "  ";
    if (!option.short_name.empty()) left += std::string(option.short_name) + ", ";
    left += option.name;
    if (!option.value.empty()) left += " " + std::string(option.value);
    rows.push_back({left, std::string(option.help)});
  }
  return text + table(rows);
}

int unknown_command(std::string_view word) {
  if (word.starts_with('-')) {
    complain("meterbridge: a command is missing before " + std::string(word) +
             ": options stand behind it\nmeterbridge --help lists the commands.");
    return exit_usage;
  }
  std::vector<std::string_view> names;
  for (const Command& command : commands())
    names.push_back(command.name);
  std::string text = "meterbridge: unknown command \"" + std::string(word) + "\"";
  const std::string_view near = nearest(word, names);
  if (!near.empty()) text += "; did you mean " + std::string(near) + "?";
  complain(text + "\nmeterbridge --help lists the commands.");
  return exit_usage;
}

int run(std::span<char* const> given) {
  const std::vector<std::string_view> words(given.begin(), given.end());
  if (words.empty()) {
    complain(overview());
    return exit_usage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print(overview());
    return exit_ok;
  }
  const std::string_view wanted = words[0] == "--version" ? "version" : words[0];
  const auto all = commands();
  const auto command =
      std::find_if(all.begin(), all.end(), [&](const Command& c) { return c.name == wanted; });
  if (command == all.end()) return unknown_command(wanted);
  if (command->run == nullptr) return built_without(*command);
  const std::vector<Option> options = options_of(*command);
  auto arguments = Arguments::parse(std::span(words).subspan(1), options);
  hide_secrets(given.subspan(1), options);
  if (!arguments) {
    complain("meterbridge " + std::string(command->name) + ": " + arguments.error().detail() +
             "\nusage: meterbridge " + std::string(command->synopsis));
    return exit_usage;
  }
  if (arguments->has("--help")) {
    print(help_of(*command));
    return exit_ok;
  }
  if (auto level = set_up_log(arguments->value("--log-level")); !level) {
    complain("meterbridge " + std::string(command->name) + ": " + level.error().detail());
    return exit_usage;
  }
  return command->run(*arguments);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a closed pipe is an error of one write, not the end of the program
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    complain(std::string("meterbridge: a bug: ") + error.what());
    return exit_stuck;
  }
}
