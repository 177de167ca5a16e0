// SPDX-License-Identifier: MIT
#include "cli/command.hpp"
#include "core/tools.hpp"

#include <array>

namespace meterbridge::cli {
namespace {

#ifdef METERBRIDGE_WITHOUT_SQLITE
constexpr bool has_store = false;
#else
constexpr bool has_store = true;
#endif

struct Entry {
  const Command* command;  // null: this program was built without
  std::string_view name;   // of such a one, and the option that has it
  std::string_view option;
};

// Known while compiling: what is left out is named nowhere, and the linker drops it.
constexpr std::array entries{
    Entry{&run_command, "", ""},
    Entry{&check_command, "", ""},
    Entry{&read_command, "", ""},
    Entry{&scan_command, "", ""},
    Entry{&doctor_command, "", ""},
    Entry{has_tools ? &decode_command : nullptr, "decode", tools_option},
    Entry{has_tools ? &simulate_command : nullptr, "simulate", tools_option},
    Entry{&profiles_command, "", ""},
    Entry{&console_command, "", ""},
    Entry{&clear_command, "", ""},
    Entry{has_tools ? &mosquitto_conf_command : nullptr, "mosquitto-conf", tools_option},
    Entry{has_store ? &journal_command : nullptr, "journal", "METERBRIDGE_SQLITE"},
    Entry{has_tools ? &schema_command : nullptr, "schema", tools_option},
    Entry{&version_command, "", ""},
    Entry{&capture_command, "", ""},
    Entry{has_tools ? &bundle_command : nullptr, "bundle", tools_option},
    Entry{has_tools ? &replay_command : nullptr, "replay", tools_option},
    Entry{has_tools ? &ha_statistics_command : nullptr, "ha-statistics", tools_option}};

Command command_of(const Entry& entry) {
  if (entry.command != nullptr) return *entry.command;
  Command missing{};
  missing.name = entry.name;
  missing.help = entry.option;
  return missing;
}

}  // namespace

std::span<const Command> commands() {
  static const std::array table = [] {
    std::array<Command, entries.size()> all{};
    for (std::size_t i = 0; i < entries.size(); ++i)
      all[i] = command_of(entries[i]);
    return all;
  }();
  return table;
}

}  // namespace meterbridge::cli
