// SPDX-License-Identifier: MIT
// The table of commands. Each command lives in a file of its own and is one entry here.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::cli {

// Exit codes of contract.md section 1.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_stuck = 70;

struct Option {
  std::string_view name;        // "--config"
  std::string_view short_name;  // "-c" or empty
  std::string_view value;       // "FILE"; empty = a flag
  std::string_view help;
  bool repeatable = false;
  bool secret =
      false;  // its value may be one: taken off the command line, which everybody can read
};

class Arguments {
 public:
  // Accepts "--name VALUE", "--name=VALUE", "-c VALUE"; "--" ends options; "-" is positional.
  // Error: invalid, in words, with the nearest known option.
  static Result<Arguments> parse(std::span<const std::string_view> words,
                                 std::span<const Option> options);

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> value(
      std::string_view name) const;                                            // the last one given
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;  // all, in order

  [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

 private:
  std::vector<std::pair<std::string, std::string>> options_;
  std::vector<std::string> words_;
};

// Overwrites the values of secret options in the process's own command line, where other users see
// them (ps). For words that were parsed.
void hide_secrets(std::span<char* const> words, std::span<const Option> options);

struct Command {
  std::string_view name;
  std::string_view synopsis;        // "decode --protocol P [options] [FILE or -]"
  std::string_view summary;         // one line
  std::string_view help;            // what a person needs to learn it, with an example
  std::span<const Option> options;  // besides --help and --log-level, which every command has
  // Null: this program was built without it, and `help` is the option that has it.
  int (*run)(const Arguments& arguments);
};

std::span<const Command> commands();

// One per file; the table in commands.cpp lists them.
extern const Command run_command, check_command, read_command, decode_command, simulate_command,
    schema_command, version_command, profiles_command, clear_command, console_command,
    mosquitto_conf_command, journal_command, scan_command, doctor_command, capture_command,
    bundle_command, replay_command, ha_statistics_command;

// Helpers for all commands. Text to stdout / stderr, whole.
void print(std::string_view text);
void complain(std::string_view text);
// -c FILE, or the defaults /etc/meterbridge/meterbridge.yaml, then ./meterbridge.yaml.
std::string configuration_file(const Arguments& arguments);
// A reading's value as it is shown; text of meters is sanitised.
std::string value_text(const Value& value);
// Aligned columns, two blanks apart; the first row is the header. Colour only on a terminal.
std::string table(const std::vector<std::vector<std::string>>& rows);
// Whole content of a file, or of stdin for "-". Error: not_found or io, in words.
Result<std::string> read_file(const std::string& path);

}  // namespace meterbridge::cli
