// SPDX-License-Identifier: MIT
#include "cli/house.hpp"
#include "cli/retained.hpp"
#include "homeassistant/entity.hpp"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--yes", "", "", "clear them; without it they are only listed"},
};

struct Names {
  Names() = default;
  std::string base;
  std::string prefix;
  std::string device;  // "<instance>_"
};

std::vector<std::string_view> levels(std::string_view topic) {
  std::vector<std::string_view> all;
  for (std::size_t slash = topic.find('/'); slash != std::string_view::npos;
       slash = topic.find('/')) {
    all.push_back(topic.substr(0, slash));
    topic.remove_prefix(slash + 1);
  }
  all.push_back(topic);
  return all;
}

// The levels behind "<front>/"; none when the topic is not there.
std::vector<std::string_view> levels_behind(std::string_view topic, const std::string& front) {
  if (!topic.starts_with(front + "/")) return {};
  return levels(topic.substr(front.size() + 1));
}

// The meter of "<base>/<meter>/availability" and the like; nothing for every other topic, because
// others may use the base, too.
std::optional<std::string> meter_of_state(const Names& names, const std::string& topic) {
  const auto part = levels_behind(topic, names.base);
  if (part.size() != 2 ||
      (part[1] != "availability" && part[1] != "state" && part[1] != "health")) {
    return std::nullopt;
  }
  return std::string(part[0]);
}

// The meter of "<prefix>/device/<instance>_<meter>/config" or
// "<prefix>/<component>/<instance>_<meter>/<key>/config". "meterbridge_2" may be another instance:
// its documents name another status topic.
std::optional<std::string> meter_of_document(const Names& names, const std::string& topic,
                                             const std::string& payload) {
  const auto part = levels_behind(topic, names.prefix);
  const bool device = part.size() == 3 && part[0] == "device";
  if ((!device && part.size() != 4) || part.back() != "config") return std::nullopt;
  if (!part[1].starts_with(names.device)) return std::nullopt;
  if (payload.find('"' + names.base + "/status\"") == std::string::npos) return std::nullopt;
  return std::string(part[1].substr(names.device.size()));
}

// The meters that are certainly ours: a document of ours, or an availability as we write it.
std::set<std::string> our_meters(const Names& names, const Retained& retained) {
  std::set<std::string> ours;
  for (const auto& [topic, payload] : retained) {
    if (const auto meter = meter_of_document(names, topic, payload)) ours.insert(*meter);
    const auto meter = meter_of_state(names, topic);
    const bool word = payload == "online" || payload == "offline";
    if (meter && word && topic.ends_with("/availability")) ours.insert(*meter);
  }
  return ours;
}

std::vector<std::string> leftovers_of(const app::House& house, const Names& names,
                                      const Retained& retained) {
  const auto ours = our_meters(names, retained);
  std::vector<std::string> leftovers;
  for (const auto& [topic, payload] : retained) {
    auto meter = meter_of_state(names, topic);
    if (!meter) meter = meter_of_document(names, topic, payload);
    if (!meter || *meter == "bridge" || !ours.contains(*meter)) continue;
    if (owner_of(house, *meter).empty()) leftovers.push_back(topic);
  }
  return leftovers;
}

int run(const Arguments& arguments) {
  // A word may name the one meter that was meant: --yes would take those of all.
  if (!arguments.words().empty()) {
    complain("meterbridge clear: \"" + arguments.words().front() +
             "\" is not expected here: it is about all meters that are no longer configured");
    return exit_usage;
  }
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  const config::Settings& settings = house->settings;
  Names names;
  names.base = settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  names.prefix = settings.homeassistant.discovery_prefix;
  names.device = homeassistant::safe_id(settings.instance) + "_";
  const auto retained = collect_retained(
      settings,
      {names.base + "/+/+", names.prefix + "/device/+/config", names.prefix + "/+/+/+/config"});
  if (!retained) {
    complain("meterbridge clear: " + retained.error().detail());
    return exit_failed;
  }
  const auto leftovers = leftovers_of(*house, names, *retained);
  for (const std::string& topic : leftovers)
    print(topic + "\n");
  if (leftovers.empty())
    print("nothing is left over under \"" + names.base + "\" and \"" + names.prefix + "\"\n");
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
    "Looks for availability, state and health of meters under our own base topic, and for "
    "discovery documents of our own\n"
    "instance, whose meters are no longer configured. Messages of other programs are never "
    "touched. Stop the service of the "
    "same instance first, or\n"
    "make sure that it runs with the same configuration.\n\n"
    "  meterbridge clear -c meterbridge.yaml --yes\n",
    options,
    run};

}  // namespace meterbridge::cli
