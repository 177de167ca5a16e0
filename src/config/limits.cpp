// SPDX-License-Identifier: MIT
// What a meter's values are checked against, and how often they go out.
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"
#include "core/unit.hpp"

#include <array>

namespace meterbridge::config {
namespace {

using Type = SettingType;

constexpr std::array reading_fields{
    Field{.spec = {.name = "name", .help = "name of the entity in Home Assistant"}},
    Field{.spec = {.name = "factor",
                   .type = Type::decimal,
                   .help = "the value is multiplied by it, exactly"}},
    Field{.spec = {.name = "offset",
                   .type = Type::decimal,
                   .help = "is added to the value, after the factor"}},
    Field{.spec = {.name = "minimum",
                   .type = Type::decimal,
                   .help = "a lower value is refused; without it what is possible at all"}},
    Field{.spec = {.name = "maximum",
                   .type = Type::decimal,
                   .help = "a higher value is refused; without it what is possible at all"}},
    Field{.spec = {.name = "max_step",
                   .type = Type::decimal,
                   .help = "a larger change from one value to the next must be confirmed by a "
                           "second one; without it none is too large"}},
    Field{.spec = {.name = "max_growth",
                   .type = Type::decimal,
                   .help = "a counter that grows more than this in an hour is refused; without it "
                           "from max_power or main_fuse"}},
    Field{.spec = {.name = "median",
                   .type = Type::integer,
                   .help = "the one in the middle of so many values is published: takes out spikes",
                   .fallback = "1",
                   .minimum = 1,
                   .maximum = 99}},
    Field{.spec = {.name = "average",
                   .type = Type::integer,
                   .help = "the mean of so many values is published, after the median",
                   .fallback = "1",
                   .minimum = 1,
                   .maximum = 100}},
    Field{.spec = {.name = "dead_band",
                   .type = Type::decimal,
                   .help = "a smaller change since the value that was shown is shown after five "
                           "minutes only; without it each change, in its turn"}},
};

constexpr std::array guard_fields{
    Field{.spec = {.name = "confirmations",
                   .type = Type::integer,
                   .help =
                       "so many readings in a row must agree with a refused counter before it is "
                       "believed",
                   .fallback = "10",
                   .minimum = 2,
                   .maximum = 100000}},
    Field{.spec = {.name = "over",
                   .type = Type::duration,
                   .help = "and they must span this time",
                   .fallback = "2h"}},
};

// A fuse carries nearly half as much again for an hour.
constexpr Decimal fuse_overload{145, -2};
constexpr Decimal volts_per_phase{253};  // 230 V and the ten per cent that grids are allowed

// "25kW", "0.4 MW" in watts.
std::optional<Decimal> watts_of(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const auto number = Decimal::parse(text.substr(0, end));
  const auto unit = unit_from(trimmed(text.substr(end)));
  if (!number || !unit || dimension(*unit) != Dimension::active_power || number->is_zero())
    return std::nullopt;
  const auto watts = convert(*number, *unit, Unit::W);
  return watts ? std::optional<Decimal>(*watts) : std::nullopt;
}

// "3x25A", "63 A" in watts.
std::optional<Decimal> fuse_watts(std::string_view text) {
  Decimal phases(1);
  if (text.starts_with('1') || text.starts_with('3')) {
    std::string_view rest = trimmed(text.substr(1));
    if (rest.starts_with('x') || rest.starts_with('X')) {
      phases = Decimal(text.front() - '0');
      text = trimmed(rest.substr(1));
    }
  }
  const std::size_t end = text.find_first_not_of("0123456789.");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const auto amperes = Decimal::parse(text.substr(0, end));
  if (!amperes || amperes->is_zero() || lower(trimmed(text.substr(end))) != "a")
    return std::nullopt;
  auto watts = amperes->times(phases);
  if (watts) watts = watts->times(volts_per_phase);
  if (watts) watts = watts->times(fuse_overload);
  return watts ? std::optional<Decimal>(*watts) : std::nullopt;
}

void read_power(const Node& node, const SettingValues& values, MeterSettings& meter,
                Problems& problems) {
  if (const Node* power = node.find("max_power"); power != nullptr && values.has("max_power")) {
    meter.max_power = watts_of(trimmed(values.text("max_power")));
    if (!meter.max_power)
      complain(problems, *power, shown(*power) + " is no power (write for example 25kW or 400W)");
  }
  const Node* fuse = node.find("main_fuse");
  if (fuse == nullptr || !values.has("main_fuse")) return;
  const auto watts = fuse_watts(trimmed(values.text("main_fuse")));
  if (!watts) {
    complain(problems, *fuse, shown(*fuse) + " is no fuse (write for example 3x25A or 63A)");
  } else if (node.find("max_power") != nullptr) {
    complain(problems, *fuse, "says the same as max_power: give one of them");
  } else {
    meter.max_power = watts;
  }
}

void read_publish(const Node& node, const SettingValues& values, MeterSettings& meter,
                  Problems& problems) {
  if (values.has("publish")) meter.publish.all = values.duration("publish");
  const Node* map = map_in(node, "publish");
  if (map == nullptr) return;
  const Field& field = *find_field(meter_section, "publish");
  for (std::size_t i = 0; i < map->members.size(); ++i) {
    const auto& [text, entry] = map->members[i];
    const auto key = ReadingKey::parse(text);
    if (!key) {
      problems.add(Severity::error, map->key_places[i], entry.path,
                   "\"" + sanitised(text, 60) +
                       "\" is no reading key (such as energy_import, power_l1, voltage_l2)");
    }
    const auto stored = read_scalar(entry, field.spec, problems);
    if (key && stored) meter.publish.keys.insert_or_assign(*key, std::get<Milliseconds>(*stored));
  }
}

}  // namespace

constinit const Section reading_section{"a reading", reading_fields};
constinit const Section guard_section{"guard", guard_fields};

void read_limits(const Node& node, const SettingValues& values, MeterSettings& meter,
                 Problems& problems) {
  read_power(node, values, meter, problems);
  read_publish(node, values, meter, problems);
  meter.guard.enabled = values.boolean("guard");
  const Node* map = map_in(node, "guard");
  if (map == nullptr) return;
  const SettingValues guard = read_section(*map, guard_section, {}, problems);
  meter.guard.enabled = true;
  meter.guard.confirmations = static_cast<int>(guard.integer("confirmations"));
  meter.guard.over = guard.duration("over");
}

void read_reading_limits(const Node& entry, const SettingValues& values, ReadingOptions& options,
                         Problems& problems) {
  options.minimum = values.decimal("minimum");
  options.maximum = values.decimal("maximum");
  options.max_step = values.decimal("max_step");
  options.max_growth = values.decimal("max_growth");
  if (options.minimum && options.maximum && *options.minimum > *options.maximum)
    complain(problems, *entry.find("minimum"), "is above maximum: every value would be refused");
  options.median = static_cast<int>(values.integer("median"));
  options.average = static_cast<int>(values.integer("average"));
  if (options.median % 2 == 0)
    complain(problems, *entry.find("median"), "must be odd, so that there is one in the middle");
  options.dead_band = values.decimal("dead_band");
  for (const char* name : {"max_step", "max_growth", "dead_band"}) {
    const auto value = values.decimal(name);
    if (value && *value <= Decimal(0)) complain(problems, *entry.find(name), "must be above zero");
  }
}

void check_smoothing(const Node& entry, const ReadingKey& key, const ReadingOptions& options,
                     Problems& problems) {
  if (!is_cumulative(key)) return;
  if (options.median > 1)
    complain(problems, *entry.find("median"), "a counter is not smoothed: it would lag behind");
  if (options.average > 1)
    complain(problems, *entry.find("average"), "a counter is not smoothed: it would lag behind");
  if (options.dead_band)
    complain(problems, *entry.find("dead_band"), "a counter has none: it would lag behind");
}

}  // namespace meterbridge::config
