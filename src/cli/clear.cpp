// SPDX-License-Identifier: MIT
#include "cli/house.hpp"
#include "cli/retained.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--yes", "", "", "clear them; without it they are only listed"},
};

// The meter's part of "<base>/<meter>/..." or of "<prefix>/device/<instance>_<meter>/config" and
// "<prefix>/<component>/<instance>_<meter>/<key>/config"; nothing when the topic is not under our
// names.
std::optional<std::string> meter_of(const config::Settings& settings, const std::string& base,
                                    const std::string& topic) {
  const std::string own = base + "/";
  if (topic.starts_with(own)) {
    const std::size_t slash = topic.find('/', own.size());
    if (slash == std::string::npos) return std::nullopt;  // <base>/status
    return topic.substr(own.size(), slash - own.size());
  }
  const std::string prefix = settings.homeassistant.discovery_prefix + "/";
  if (!topic.starts_with(prefix)) return std::nullopt;
  const std::string mark = "/" + settings.instance + "_";
  const std::size_t at = topic.find(mark, prefix.size());
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + mark.size();
  return topic.substr(begin, topic.find('/', begin) - begin);
}

bool is_configured(const app::House& house, const std::string& id) {
  if (id == "bridge") return true;
  return std::any_of(house.meters.begin(), house.meters.end(), [&](const auto& meter) {
    const std::string& own = meter->settings().id;
    return id == own || id.starts_with(own + "_");
  });
}

int run(const Arguments& arguments) {
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  const config::Settings& settings = house->settings;
  const std::string base =
      settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  const std::string& prefix = settings.homeassistant.discovery_prefix;
  auto retained = collect_retained(
      settings, {base + "/#", prefix + "/device/+/config", prefix + "/+/+/+/config"});
  if (!retained) {
    complain("meterbridge clear: " + retained.error().detail());
    return exit_failed;
  }
  std::vector<std::string> leftovers;
  for (const auto& [topic, payload] : *retained) {
    const auto meter = meter_of(settings, base, topic);
    // "meterbridge_2" may be another instance: its documents name another status topic.
    const bool ours = topic.starts_with(base + "/") ||
                      payload.find('"' + base + "/status\"") != std::string::npos;
    if (meter && ours && !is_configured(*house, *meter)) leftovers.push_back(topic);
  }
  for (const std::string& topic : leftovers)
    print(topic + "\n");
  if (leftovers.empty())
    print("nothing is left over under \"" + base + "\" and \"" + prefix + "\"\n");
  if (leftovers.empty() || !arguments.has("--yes")) return exit_ok;
  if (auto cleared = clear_retained(settings, leftovers); !cleared) {
    complain("meterbridge clear: " + cleared.error().detail());
    return exit_failed;
  }
  print(std::to_string(leftovers.size()) + " retained messages cleared\n");
  return exit_ok;
}

}  // namespace

const Command clear_command{
    "clear",
    "clear [-c FILE] [--yes]",
    "lists, and with --yes removes, what earlier configurations left at the broker",
    "Looks for retained messages under our own topics, and for discovery documents of our own "
    "instance, whose meters are\n"
    "no longer configured. Messages of other programs are never touched. Stop the service of the "
    "same instance first, or\n"
    "make sure that it runs with the same configuration.\n\n"
    "  meterbridge clear -c meterbridge.yaml --yes\n",
    options,
    run};

}  // namespace meterbridge::cli
