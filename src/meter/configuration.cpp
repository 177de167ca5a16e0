// SPDX-License-Identifier: MIT
#include "meter/configuration.hpp"

#include "config/load.hpp"
#include "config/section.hpp"
#include "meter/meter.hpp"
#include "meter/unseen.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace meterbridge::meter {
namespace {

void add_own_profiles(const config::Node& root, const std::string& file, ProfileLibrary& library,
                      config::Problems& problems) {
  const auto folder = config::profiles_folder(root, file);
  if (!folder) return;
  for (const auto& [name, text] : config::load_folder(*folder, problems))
    library.add(text, name, problems);
}

// The profile that a meter names; empty when it names none, or none that anybody has.
std::string_view profile_of(const config::Node& meter, const ProfileLibrary& library) {
  const config::Node* profile = meter.find("profile");
  if (profile == nullptr || profile->kind != config::Kind::scalar) return {};
  const std::string_view id = profile->scalar;
  return library.find(id) != nullptr || ProfileLibrary::ships(id) ? id : std::string_view();
}

// Those that the meters name. The whole catalogue only where it must be told to somebody: which
// names there are, and which keys any meter knows.
void add_shipped(const config::Node& root, ProfileLibrary& library, config::Problems& problems) {
  const config::Node* meters = config::list_in(root, "meters");
  if (meters == nullptr) return;
  for (const config::Node& meter : meters->items) {
    if (meter.kind != config::Kind::map) continue;
    const std::string_view id = profile_of(meter, library);
    if (id.empty()) return library.add_all_shipped(problems);
    library.add_shipped(id, problems);
  }
}

std::set<std::string, std::less<>> profiles_in(const config::Settings& settings) {
  std::set<std::string, std::less<>> ids;
  for (const config::MeterSettings& meter : settings.meters)
    ids.insert(meter.profile);
  return ids;
}

bool is_faulty(const config::MeterSettings& settings, const config::Problems& problems) {
  return std::any_of(problems.all().begin(), problems.all().end(),
                     [&](const config::Problem& problem) {
                       return problem.severity == config::Severity::error &&
                              problem.path.starts_with(settings.path);
                     });
}

// Problems of settings that only the driver can judge, for example an address that a password does
// not go with.
void try_drivers(const Configuration& configuration, config::Problems& problems) {
  for (const config::MeterSettings& settings : configuration.settings.meters) {
    const Profile* profile = configuration.library.find(settings.profile);
    if (profile == nullptr || is_faulty(settings, problems)) continue;
    const auto driver = profile->protocol->driver(settings.protocol);
    if (!driver)
      problems.add(config::Severity::error, settings.place, settings.path, driver.error().detail());
  }
}

// A profile that is read so rarely is of a meter with a battery, and each reading shortens its
// life.
void spare_batteries(const Configuration& configuration, config::Problems& problems) {
  constexpr Milliseconds rare = std::chrono::hours(1);
  for (const config::MeterSettings& settings : configuration.settings.meters) {
    const Profile* profile = configuration.library.find(settings.profile);
    if (profile == nullptr || profile->protocol->pushes || profile->interval < rare ||
        settings.interval >= rare)
      continue;
    problems.add(config::Severity::warning, settings.place, settings.path,
                 "each reading costs the meter's battery: interval should be 1h at least (" +
                     profile->id + ": " + duration_text(profile->interval) + ")");
  }
}

// An alarm on a reading that this meter never sends is never raised, and nobody would notice. Those
// that send by themselves, and readouts, may hold more than we know.
void doubt_alarms(const Configuration& configuration, config::Problems& problems) {
  for (const config::MeterSettings& settings : configuration.settings.meters) {
    const Profile* profile = configuration.library.find(settings.profile);
    const bool named = std::ranges::any_of(settings.alarms, [](const config::AlarmSettings& alarm) {
      return alarm.key && !alarm.automatic;
    });
    if (profile == nullptr || !named || profile->protocol->pushes || profile->vendor == "any" ||
        settings.protocol.text("read") == "readout" || is_faulty(settings, problems))
      continue;
    const std::set<ReadingKey> known = known_keys(*profile, settings.protocol);
    for (const config::AlarmSettings& alarm : settings.alarms) {
      if (!alarm.key || alarm.automatic || known.empty() || known.contains(*alarm.key)) continue;
      problems.add(config::Severity::warning, settings.place, settings.path,
                   "the alarm \"" + alarm.name + "\" waits for " + alarm.key->text() +
                       ", which meters of the profile " + profile->id +
                       " do not send as far as is known: then it is never raised (meterbridge "
                       "profiles show " +
                       profile->id + ")");
    }
  }
}

Configuration configuration_of(const config::Node& root, const std::string& file,
                               config::Problems& problems, std::vector<config::SinkFacts> sinks) {
  Configuration configuration;
  add_own_profiles(root, file, configuration.library, problems);
  add_shipped(root, configuration.library, problems);
  config::Catalogue known = catalogue(configuration.library);
  known.sinks = std::move(sinks);
  configuration.settings = config::settings_of(root, known, problems);
  config::check_modes(file, root, known, problems);
  try_drivers(configuration, problems);
  spare_batteries(configuration, problems);
  doubt_alarms(configuration, problems);
  configuration.library.keep_for_meters(profiles_in(configuration.settings));
  problems.sort();
  return configuration;
}

}  // namespace

Configuration load_configuration(const std::string& file, config::Problems& problems,
                                 std::vector<config::SinkFacts> sinks) {
  const config::Node root = config::load_document(file, problems);
  return configuration_of(root, file, problems, std::move(sinks));
}

Configuration parse_configuration(std::string_view text, const std::string& file,
                                  config::Problems& problems,
                                  std::vector<config::SinkFacts> sinks) {
  const config::Node root = config::parse_document(text, file, problems);
  return configuration_of(root, file, problems, std::move(sinks));
}

ProfileLibrary load_profiles(const std::string& file, config::Problems& problems,
                             std::string_view only) {
  ProfileLibrary library;
  // What else is wrong with the configuration is not asked here, nor whether there is one.
  config::Problems others;
  const config::Node root = config::load_document(file, others);
  add_own_profiles(root, file, library, problems);
  if (library.find(only) == nullptr && !ProfileLibrary::ships(only)) {
    library.add_all_shipped(problems);
  } else {
    library.add_shipped(only, problems);
  }
  problems.sort();
  return library;
}

}  // namespace meterbridge::meter
