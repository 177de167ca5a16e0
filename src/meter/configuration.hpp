// SPDX-License-Identifier: MIT
// The door through which programs read their configuration: file, profiles and meters in one go.
#pragma once

#include "config/settings.hpp"
#include "meter/profile_library.hpp"

#include <string>

namespace meterbridge::meter {

struct Configuration {
  Configuration() = default;
  config::Settings settings;
  ProfileLibrary
      library;  // shipped profiles and the user's own; meters refer to it, so it must outlive them
};

// Reads FILE, secrets.yaml beside it and the user's profiles, and tries every meter's driver: what
// it would refuse at the start is a problem here already. Usable only when no problem is an error;
// problems are ordered by place.
Configuration load_configuration(const std::string& file, config::Problems& problems);

// The shipped profiles and those that FILE's folder of profiles adds or replaces, for commands that
// need no configuration. Only faults of profiles are problems: the file itself need not exist.
ProfileLibrary load_profiles(const std::string& file, config::Problems& problems);

}  // namespace meterbridge::meter
