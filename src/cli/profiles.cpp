// SPDX-License-Identifier: MIT
#include "cli/command.hpp"
#include "core/text.hpp"
#include "meter/proof.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::cli {
namespace {

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

int show_profile(const meter::ProfileLibrary& library, const std::string& name) {
  const meter::Profile* profile = library.find(name);
  if (profile == nullptr) {
    const std::vector<std::string_view> names = library.names();
    const std::string_view near = nearest(name, names);
    complain("there is no profile \"" + name + "\"" +
             (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    return exit_usage;
  }
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
  text += "\nIn the configuration:\nmeters:\n  - id: house\n    profile: " + profile->id +
          "\n    link: {serial: /dev/serial/by-id/...}\n";
  print(text);
  return exit_ok;
}

int report(const std::vector<const meter::Profile*>& profiles) {
  int code = exit_ok;
  std::string text;
  for (const meter::Profile* profile : profiles) {
    const auto proven = meter::prove(*profile);
    if (proven) {
      text += profile->id + ": ok\n";
    } else {
      code = exit_failed;
      text += profile->id + ": " + proven.error().detail() + "\n";
    }
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
  const auto library = meter::ProfileLibrary::embedded();
  if (!library) {
    complain(library.error().detail());
    return exit_failed;
  }
  const std::vector<std::string>& words = arguments.words();
  const std::string what = words.empty() ? "list" : words.front();
  const std::span<const std::string> rest = std::span(words).subspan(words.empty() ? 0 : 1);
  if (what == "list" && rest.empty()) return list_profiles(*library);
  if (what == "show" && rest.size() == 1) return show_profile(*library, rest.front());
  if (what == "test") return test_profiles(*library, rest);
  complain("write profiles list, profiles show NAME, or profiles test [FILE...]");
  return exit_usage;
}

}  // namespace

const Command profiles_command{"profiles",
                               "profiles list | show NAME | test [FILE...]",
                               "the catalogue of meters",
                               "list   one profile a line, its name first\n"
                               "show   what a profile sets, and which keys its meters take\n"
                               "test   proves profiles without a meter: by the exchanges written "
                               "into them, and against their protocol's\n"
                               "       simulated meter; all shipped profiles, or those of the "
                               "files. Exit code 1 when one fails, 2 when a\n"
                               "       file is no valid profile\n"
                               "\n"
                               "Example: find the name for the configuration\n"
                               "  meterbridge profiles list\n"
                               "  meterbridge profiles show energomera-ce307\n",
                               {},
                               run_profiles};

}  // namespace meterbridge::cli
