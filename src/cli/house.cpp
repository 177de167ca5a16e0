// SPDX-License-Identifier: MIT
#include "cli/house.hpp"

#include "meter/configuration.hpp"

#include <utility>

namespace meterbridge::cli {

std::optional<app::House> load_house(const Arguments& arguments) {
  config::Problems problems;
  auto configuration = meter::load_configuration(configuration_file(arguments), problems);
  for (const config::Problem& problem : problems.all())
    complain(problem.str());
  if (problems.any_error()) return std::nullopt;
  auto house = app::build_house(std::move(configuration));
  if (!house) {
    complain("meterbridge: " + house.error().detail());
    return std::nullopt;
  }
  return std::move(*house);
}

}  // namespace meterbridge::cli
