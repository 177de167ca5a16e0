// SPDX-License-Identifier: MIT
#include "app/sink_plan.hpp"
#include "cli/command.hpp"
#include "config/settings.hpp"
#include "meter/meter.hpp"

#include <array>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    Option{"--markdown", "", "", "a table of all settings for people instead"},
    Option{"--profile", "", "", "the schema of a meter profile instead"},
};

int run_schema(const Arguments& arguments) {
  if (!arguments.words().empty()) {
    complain("schema takes no further words");
    return exit_usage;
  }
  if (arguments.has("--profile")) {
    print(meter::profile_schema());
    return exit_ok;
  }
  const auto library = meter::ProfileLibrary::embedded();
  if (!library) {
    complain(library.error().detail());
    return exit_failed;
  }
  const config::Catalogue catalogue = app::whole_catalogue(*library);
  print(arguments.has("--markdown") ? config::settings_reference(catalogue)
                                    : config::settings_schema(catalogue));
  return exit_ok;
}

}  // namespace

const Command schema_command{"schema",
                             "schema [--markdown | --profile]",
                             "JSON Schema of the configuration file, for editors",
                             "Prints a JSON Schema (draft 2020-12). With it an editor completes "
                             "keys and underlines mistakes while you type.\n"
                             "\n"
                             "Example: Visual Studio Code with the YAML extension\n"
                             "  meterbridge schema > meterbridge.schema.json\n"
                             "and as the first line of the configuration\n"
                             "  # yaml-language-server: $schema=meterbridge.schema.json\n"
                             "(in the extension's settings, yaml.customTags needs \"!secret "
                             "scalar\" and \"!env scalar\").\n",
                             options,
                             run_schema};

}  // namespace meterbridge::cli
