// SPDX-License-Identifier: MIT
#include "cli/catalogue.hpp"
#include "cli/profiles_page.hpp"
#include "core/tools.hpp"
#include "meter/proof.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    Option{"--config", "-c", "FILE",
           "beside it lie profiles of your own; default as for every command"},
    Option{"--markdown", "", "", "list: a page of all meters, by vendor, as in docs/meters.md"},
};

std::string padded(std::string text, std::size_t width) {
  text.append(text.size() < width ? width - text.size() : 0, ' ');
  return text + "  ";
}

int list_profiles(const meter::ProfileLibrary& library) {
  std::size_t id = 0;
  std::size_t vendor = 0;
  for (const meter::Profile& profile : library.all()) {
    id = std::max(id, profile.id.size());
    vendor = std::max(vendor, profile.vendor.size());
  }
  // No header: the first word of each line is a name, for scripts.
  std::string text;
  for (const meter::Profile& profile : library.all())
    text += padded(profile.id, id) + padded(profile.vendor, vendor) + profile.model + "\n";
  print(text);
  return exit_ok;
}

std::string preset_of(const meter::Profile& profile, std::string_view name) {
  for (const auto& [key, value] : profile.preset)
    if (key == name) return value;
  return {};
}

// The rows of the profile's tables, each with the columns that at least one row has.
std::string tables_of(const meter::Profile& profile) {
  std::string text;
  for (const TableSpec& spec : profile.protocol->tables) {
    const auto rows = profile.rows.rows(spec.name);
    if (rows.empty()) continue;
    std::vector<std::vector<std::string>> cells(rows.size() + 1);
    for (const SettingSpec& column : spec.columns) {
      if (std::ranges::none_of(rows, [&](const auto& row) { return row.has(column.name); }))
        continue;
      cells[0].emplace_back(column.name);
      for (std::size_t i = 0; i < rows.size(); ++i)
        cells[i + 1].push_back(rows[i].has(column.name) ? setting_text(*rows[i].find(column.name))
                                                        : std::string{});
    }
    text += "\n" + std::string(spec.name) + ": " + std::string(spec.help) + "\n" + table(cells);
  }
  return text;
}

int show_profile(meter::ProfileLibrary& library, const std::string& name) {
  const auto chosen = choose_profile(library, name);
  if (!chosen) {
    complain(chosen.error().detail());
    return exit_usage;
  }
  const meter::Profile* profile = *chosen;
  const protocol::Protocol& protocol = *profile->protocol;
  std::string text = profile->id + ": " + profile->vendor + " " + profile->model + "\n";
  if (!profile->notes.empty()) text += profile->notes + "\n";
  text += "\nprotocol   " + std::string(protocol.name) + ", " + std::string(protocol.title) + "\n";
  text += "line       " + profile->line.text() + "\n";
  text += "interval   " + duration_text(profile->interval) +
          (protocol.pushes ? " (the meter sends by itself)" : "") + "\n";
  text += "\nKeys of a meter with this profile, besides those of every meter:\n";
  std::vector<std::vector<std::string>> rows{{"KEY", "DEFAULT", "MEANING"}};
  for (const SettingSpec& spec : protocol.settings) {
    const std::string preset = preset_of(*profile, spec.name);
    rows.push_back({std::string(spec.name), preset.empty() ? std::string(spec.fallback) : preset,
                    std::string(spec.help)});
  }
  text += table(rows);
  text += tables_of(*profile);
  const bool messages = protocol.name == "json";
  text += "\nIn the configuration:\nmeters:\n  - id: house\n    profile: " + profile->id +
          (messages ? "\n    link: {mqtt: tele/meter/SENSOR}\n"
                    : "\n    link: {serial: /dev/serial/by-id/...}\n");
  print(text);
  return exit_ok;
}

int report(const std::vector<const meter::Profile*>& profiles) {
  int code = exit_ok;
  std::string text;
  for (const meter::Profile* profile : profiles) {
    const auto wrong = meter::prove(*profile);
    text += wrong ? wrong->str() + "\n" : profile->id + ": ok\n";
    if (wrong) code = exit_failed;
  }
  print(text);
  return code;
}

// Without FILE all shipped profiles; else each file's, under whatever name.
int test_profiles(const meter::ProfileLibrary& shipped, std::span<const std::string> files) {
  std::vector<const meter::Profile*> profiles;
  if (files.empty()) {
    for (const meter::Profile& profile : shipped.all())
      profiles.push_back(&profile);
    return report(profiles);
  }
  int code = exit_ok;
  for (const std::string& file : files) {
    const auto text = read_file(file);
    meter::ProfileLibrary library;
    config::Problems problems;
    if (text) library.add(*text, file, problems);
    if (!text) complain(text.error().detail());
    for (const config::Problem& problem : problems.all())
      complain(problem.str());
    code = std::max(code,
                    text && !problems.any_error() ? report({&library.all().front()}) : exit_usage);
  }
  return code;
}

int run_profiles(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.words();
  const std::string what = words.empty() ? "list" : words.front();
  const std::span<const std::string> rest = std::span(words).subspan(words.empty() ? 0 : 1);
  meter::ProfileLibrary library =
      load_library(arguments, what == "show" && !rest.empty() ? rest.front() : std::string());
  if (arguments.has("--markdown") && what != "list") {
    complain("--markdown is for profiles list");
    return exit_usage;
  }
  if (what == "list" && rest.empty() && arguments.has("--markdown")) {
    if constexpr (has_tools) {
      print(profiles_page(library));
      return exit_ok;
    } else {
      complain(
          "meterbridge profiles: this program was built without --markdown (METERBRIDGE_TOOLS)");
      return exit_usage;
    }
  }
  if (what == "list" && rest.empty()) return list_profiles(library);
  if (what == "show" && rest.size() == 1) return show_profile(library, rest.front());
  if (what == "test") return test_profiles(library, rest);
  complain("write profiles list, profiles show NAME, or profiles test [FILE...]");
  return exit_usage;
}

}  // namespace

const Command profiles_command{
    "profiles",
    "profiles [-c FILE] list [--markdown] | show NAME | test [FILE...]",
    "the catalogue of meters",
    "list   one profile a line, its name first; your own ones, too, from "
    "the folder beside the configuration\n"
    "show   what a profile (or the one in a file NAME.yaml) sets, and "
    "which keys its meters take\n"
    "test   proves profiles without a meter: by the exchanges written "
    "into them, and against their protocol's\n"
    "       simulated meter; all shipped profiles, or those of the "
    "files. Exit code 1 when one fails, 2 when a\n"
    "       file is no valid profile\n"
    "\n"
    "Example: find the name for the configuration\n"
    "  meterbridge profiles list\n"
    "  meterbridge profiles show energomera-ce307\n",
    options,
    run_profiles};

}  // namespace meterbridge::cli
