// SPDX-License-Identifier: MIT
// The door through which programs read their configuration: file, profiles and meters in one go.
#pragma once

#include "config/settings.hpp"
#include "meter/profile_library.hpp"

#include <string>
#include <string_view>

namespace meterbridge::meter {

struct Configuration {
  Configuration() = default;
  config::Settings settings;
  ProfileLibrary library;  // of the meters, no other; they refer to it, so it must outlive them
};

// Reads FILE, secrets.yaml beside it and the user's profiles, and tries every meter's driver: what
// it would refuse at the start is a problem here already. Usable only when no problem is an error;
// problems are ordered by place.
// `sinks` are the kinds of sinks that there are.
Configuration load_configuration(const std::string& file, config::Problems& problems,
                                 std::vector<config::SinkFacts> sinks = {});

// The same of a text that could become FILE.
Configuration parse_configuration(std::string_view text, const std::string& file,
                                  config::Problems& problems,
                                  std::vector<config::SinkFacts> sinks = {});

// The shipped profiles and those that FILE's folder of profiles adds or replaces, for commands that
// need no configuration. Only faults of profiles are problems: the file itself need not exist. Who
// wants `only` one gets no other shipped one, unless there is none of that name.
ProfileLibrary load_profiles(const std::string& file, config::Problems& problems,
                             std::string_view only = {});

}  // namespace meterbridge::meter
