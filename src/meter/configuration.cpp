// SPDX-License-Identifier: MIT
#include "meter/configuration.hpp"

#include "config/load.hpp"
#include "meter/meter.hpp"

#include <algorithm>
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

ProfileLibrary shipped(config::Problems& problems) {
  auto embedded = ProfileLibrary::embedded();
  if (embedded) return *std::move(embedded);
  config::Place place;
  place.file = "meterbridge";
  problems.add(config::Severity::error, place, {}, embedded.error().detail());
  return {};
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

}  // namespace

Configuration load_configuration(const std::string& file, config::Problems& problems) {
  Configuration configuration;
  configuration.library = shipped(problems);
  const config::Node root = config::load_document(file, problems);
  add_own_profiles(root, file, configuration.library, problems);
  const config::Catalogue known = catalogue(configuration.library);
  configuration.settings = config::settings_of(root, known, problems);
  config::check_modes(file, root, known, problems);
  try_drivers(configuration, problems);
  problems.sort();
  return configuration;
}

ProfileLibrary load_profiles(const std::string& file, config::Problems& problems) {
  ProfileLibrary library = shipped(problems);
  // What else is wrong with the configuration is not asked here, nor whether there is one.
  config::Problems others;
  const config::Node root = config::load_document(file, others);
  add_own_profiles(root, file, library, problems);
  problems.sort();
  return library;
}

}  // namespace meterbridge::meter
