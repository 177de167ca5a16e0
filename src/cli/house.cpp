// SPDX-License-Identifier: MIT
#include "cli/house.hpp"

#include "app/sink_plan.hpp"
#include "core/text.hpp"

#include <utility>
#include <vector>

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

std::optional<std::string> unknown_meter(const config::Settings& settings, std::string_view id,
                                         bool submeters) {
  std::vector<std::string_view> ids;
  for (const config::MeterSettings& meter : settings.meters) {
    if (id == meter.id || (submeters && id.starts_with(meter.id + "_"))) return std::nullopt;
    ids.push_back(meter.id);
  }
  std::string text = "no meter \"" + std::string(id) + "\" in the configuration";
  if (const auto near = nearest(id, ids); !near.empty())
    text += "; did you mean " + std::string(near) + "?";
  return text;
}

}  // namespace meterbridge::cli
