// SPDX-License-Identifier: MIT
// docs/meters.md: the whole catalogue for people, from the profiles themselves.
#include "cli/profiles_page.hpp"

#include "config/markdown.hpp"
#include "meter/proof.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace meterbridge::cli {
namespace {

constexpr std::string_view head =
    "# Meters\n"
    "\n"
    "Every profile of this version, made by `meterbridge profiles list --markdown`. `meterbridge "
    "profiles show NAME` prints\n"
    "its registers or codes; the [README](../README.md#supported-meters) tells more about the "
    "families.\n"
    "\n"
    "Line: baud rate and characters as the meter comes from the factory; `baud` and `mode` of the "
    "link change them. Profiles of\n"
    "Modbus meters follow tables of makers and of other programs, and are proved against "
    "exchanges that were constructed from\n"
    "these; what is not confirmed stands in the notes. Power is positive when it is taken from the "
    "grid or goes into a battery.\n";

// What is known of one quantity, in the words of the reading keys.
struct Known {
  std::set<Direction> directions;
  std::set<Aspect> aspects;
  bool phases = false;
  bool tariffs = false;
};

using Delivered = std::map<Scope, std::map<Quantity, Known>>;

void add(Delivered& delivered, std::string_view text) {
  const auto key = ReadingKey::parse(text);
  if (!key) return;
  Known& known = delivered[key->scope][key->quantity];
  if (key->direction != Direction::none) known.directions.insert(key->direction);
  if (key->aspect != Aspect::none) known.aspects.insert(key->aspect);
  known.phases = known.phases || key->phase != Phase::none;
  known.tariffs = known.tariffs || key->tariff != 0;
}

// By the register table where there is one; else as the simulated meter shows it, and the tests.
Delivered delivered_by(const meter::Profile& profile) {
  Delivered delivered;
  for (const TableSpec& spec : profile.protocol->tables) {
    for (const SettingValues& row : profile.rows.rows(spec.name))
      add(delivered, row.text("key"));
  }
  for (const meter::ProfileTest& test : profile.tests) {
    for (const auto& expected : test.expect)
      add(delivered, expected.key);
  }
  if (!delivered.empty() && !profile.protocol->tables.empty()) return delivered;
  if (const auto telegram = meter::read_simulated(profile)) {
    for (const MeterReadings& meter : telegram->readings) {
      for (const Reading& reading : meter.readings)
        add(delivered, reading.key.text());
    }
  }
  return delivered;
}

std::string spaced(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', ' ');
  return text;
}

void join(std::string& text, std::string_view more, std::string_view between = ", ") {
  if (!text.empty()) text += between;
  text += more;
}

std::string words(Quantity quantity, const Known& known) {
  constexpr std::array directions{"", "import", "export", "net", "total", "q1", "q2", "q3", "q4"};
  constexpr std::array aspects{"", "demand", "peak", "limit"};
  std::string more;
  for (const Direction direction : known.directions)
    join(more, directions.at(static_cast<std::size_t>(direction)));
  for (const Aspect aspect : known.aspects)
    join(more, aspects.at(static_cast<std::size_t>(aspect)));
  if (known.phases) join(more, "phases");
  if (known.tariffs) join(more, "tariffs");
  return spaced(name(quantity)) + (more.empty() ? "" : " (" + more + ")");
}

std::string delivers(const meter::Profile& profile) {
  constexpr std::array scopes{"", "grid", "battery", "pv", "load", "channels"};
  std::string text;
  for (const auto& [scope, quantities] : delivered_by(profile)) {
    std::string list;
    for (const auto& [quantity, known] : quantities)
      join(list, words(quantity, known));
    if (scope != Scope::none)
      list = std::string(scopes.at(static_cast<std::size_t>(scope))) + ": " + list;
    join(text, list, "; ");
  }
  return text;
}

// A Modbus profile that names no line is of a meter on the network, or of one whose line nobody
// knows.
bool names_line(const meter::Profile& profile) {
  const auto shipped = meter::embedded_profiles();
  const auto found = std::ranges::find(shipped, profile.id, &meter::EmbeddedProfile::id);
  return found == shipped.end() || found->yaml().find("\nline:") != std::string::npos;
}

std::string line_of(const meter::Profile& profile) {
  const std::string_view protocol = profile.protocol->name;
  if (protocol == "json" || (protocol == "modbus" && !names_line(profile))) return {};
  return profile.line.text();
}

std::string row(const meter::Profile& profile) {
  return "| `" + profile.id + "` | " + config::table_cell(profile.model) + " | " +
         std::string(profile.protocol->name) + " | " + line_of(profile) + " | " +
         delivers(profile) + " | " + config::table_cell(profile.notes) + " |\n";
}

}  // namespace

std::string profiles_page(const meter::ProfileLibrary& library) {
  std::map<std::string_view, std::vector<const meter::Profile*>> vendors;
  for (const meter::Profile& profile : library.all())
    vendors[profile.vendor].push_back(&profile);
  std::string text(head);
  for (const auto& [vendor, profiles] : vendors) {
    text +=
        "\n## " + config::table_cell(vendor) +
        "\n\n| profile | model | protocol | line | delivers | notes |\n|---|---|---|---|---|---|\n";
    for (const meter::Profile* profile : profiles)
      text += row(*profile);
  }
  return text;
}

}  // namespace meterbridge::cli
