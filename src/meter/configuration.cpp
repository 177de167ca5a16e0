// SPDX-License-Identifier: MIT
#include "meter/configuration.hpp"

#include "config/load.hpp"
#include "meter/meter.hpp"

#include <utility>

namespace meterbridge::meter {
namespace {

void add_own_profiles(const config::Node& root, ProfileLibrary& library,
                      config::Problems& problems) {
  const config::Node* folder = root.find("profiles_directory");
  if (folder == nullptr || folder->kind != config::Kind::scalar || folder->missing) return;
  for (const auto& [file, text] : config::load_folder(*folder, problems))
    library.add(text, file, problems);
}

// Problems of settings that only the driver can judge, for example an encrypted meter without key.
void try_drivers(const Configuration& configuration, config::Problems& problems) {
  for (std::size_t i = 0; i < configuration.settings.meters.size(); ++i) {
    const config::MeterSettings& settings = configuration.settings.meters[i];
    const Profile* profile = configuration.library.find(settings.profile);
    if (profile == nullptr) continue;
    const auto driver = profile->protocol->driver(settings.protocol);
    if (driver) continue;
    problems.add(config::Severity::error, settings.place, "meters[" + std::to_string(i) + "]",
                 driver.error().detail());
  }
}

}  // namespace

Configuration load_configuration(const std::string& file, config::Problems& problems) {
  Configuration configuration;
  auto embedded = ProfileLibrary::embedded();
  if (embedded) {
    configuration.library = *std::move(embedded);
  } else {
    config::Place place;
    place.file = "meterbridge";
    problems.add(config::Severity::error, place, {}, embedded.error().detail());
  }
  const config::Node root = config::load_document(file, problems);
  add_own_profiles(root, configuration.library, problems);
  configuration.settings = config::settings_of(root, catalogue(configuration.library), problems);
  if (!problems.any_error()) try_drivers(configuration, problems);
  problems.sort();
  return configuration;
}

}  // namespace meterbridge::meter
