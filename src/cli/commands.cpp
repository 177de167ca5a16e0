// SPDX-License-Identifier: MIT
#include "cli/command.hpp"

#include <array>

namespace meterbridge::cli {

std::span<const Command> commands() {
  static const std::array table{run_command,      check_command,          read_command,
                                scan_command,     doctor_command,         decode_command,
                                simulate_command, profiles_command,       console_command,
                                clear_command,    mosquitto_conf_command, journal_command,
                                schema_command,   version_command,        capture_command,
                                bundle_command,   replay_command,         ha_statistics_command};
  return table;
}

}  // namespace meterbridge::cli
