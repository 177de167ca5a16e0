// SPDX-License-Identifier: MIT
#include "cli/catalogue.hpp"

#include "core/text.hpp"
#include "meter/configuration.hpp"

namespace meterbridge::cli {

meter::ProfileLibrary load_library(const Arguments& arguments, std::string_view only) {
  config::Problems problems;
  meter::ProfileLibrary library =
      meter::load_profiles(configuration_file(arguments), problems, only);
  for (const config::Problem& problem : problems.all())
    complain(problem.str());
  return library;
}

Result<const meter::Profile*> choose_profile(meter::ProfileLibrary& library,
                                             const std::string& name) {
  if (name.ends_with(".yaml") || name.ends_with(".yml")) {
    const auto text = read_file(name);
    if (!text) return text.error();
    const auto id = library.add(*text, name);
    if (!id) return id.error();
    return library.find(*id);
  }
  if (const meter::Profile* profile = library.find(name)) return profile;
  const std::vector<std::string_view> names = library.names();
  const std::string_view near = nearest(name, names);
  return Error{Errc::not_found,
               "no profile \"" + sanitised(name) + "\"" +
                   (near.empty() ? "" : "; did you mean " + std::string(near) + "?")};
}

}  // namespace meterbridge::cli
