// SPDX-License-Identifier: MIT
#include "cli/house.hpp"

#include "app/sink_plan.hpp"

#include <utility>

namespace meterbridge::cli {

std::optional<app::House> load_house(const Arguments& arguments) {
  config::Problems problems;
  auto configuration = app::load_configuration(configuration_file(arguments), problems);
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

std::string owner_of(const app::House& house, std::string_view id) {
  std::string owner;
  for (const auto& meter : house.meters) {
    const std::string& own = meter->settings().id;
    const bool fits = id == own || id.starts_with(own + "_");
    if (fits && own.size() > owner.size()) owner = own;
  }
  return owner;
}

}  // namespace meterbridge::cli
