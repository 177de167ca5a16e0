// SPDX-License-Identifier: MIT
#include "core/unit.hpp"

#include "core/text.hpp"

#include <array>
#include <atomic>
#include <string>

namespace meterbridge {
namespace {

// A unit is `factor` x 10^`power` of the basic unit of its dimension. `factor` differs for times
// only.
struct Row {
  Unit unit;
  std::string_view symbol;
  Dimension dimension;
  int power;
  int factor = 1;
};

constexpr std::array rows = {
    Row{Unit::none, "", Dimension::none, 0},
    Row{Unit::Wh, "Wh", Dimension::active_energy, 0},
    Row{Unit::kWh, "kWh", Dimension::active_energy, 3},
    Row{Unit::MWh, "MWh", Dimension::active_energy, 6},
    Row{Unit::varh, "varh", Dimension::reactive_energy, 0},
    Row{Unit::kvarh, "kvarh", Dimension::reactive_energy, 3},
    Row{Unit::Mvarh, "Mvarh", Dimension::reactive_energy, 6},
    Row{Unit::VAh, "VAh", Dimension::apparent_energy, 0},
    Row{Unit::kVAh, "kVAh", Dimension::apparent_energy, 3},
    Row{Unit::MVAh, "MVAh", Dimension::apparent_energy, 6},
    Row{Unit::J, "J", Dimension::heat, 0},
    Row{Unit::MJ, "MJ", Dimension::heat, 6},
    Row{Unit::GJ, "GJ", Dimension::heat, 9},
    Row{Unit::W, "W", Dimension::active_power, 0},
    Row{Unit::kW, "kW", Dimension::active_power, 3},
    Row{Unit::MW, "MW", Dimension::active_power, 6},
    Row{Unit::var, "var", Dimension::reactive_power, 0},
    Row{Unit::kvar, "kvar", Dimension::reactive_power, 3},
    Row{Unit::VA, "VA", Dimension::apparent_power, 0},
    Row{Unit::kVA, "kVA", Dimension::apparent_power, 3},
    Row{Unit::V, "V", Dimension::voltage, 0},
    Row{Unit::mV, "mV", Dimension::voltage, -3},
    Row{Unit::kV, "kV", Dimension::voltage, 3},
    Row{Unit::A, "A", Dimension::current, 0},
    Row{Unit::mA, "mA", Dimension::current, -3},
    Row{Unit::kA, "kA", Dimension::current, 3},
    Row{Unit::Hz, "Hz", Dimension::frequency, 0},
    Row{Unit::kHz, "kHz", Dimension::frequency, 3},
    Row{Unit::percent, "%", Dimension::ratio, 0},
    Row{Unit::degree, "°", Dimension::angle, 0},
    Row{Unit::celsius, "°C", Dimension::temperature, 0},
    Row{Unit::m3, "m³", Dimension::volume, 0},
    Row{Unit::dm3, "dm³", Dimension::volume, -3},
    Row{Unit::litre, "L", Dimension::volume, -3},
    Row{Unit::m3_per_h, "m³/h", Dimension::flow, 0},
    Row{Unit::second, "s", Dimension::time, 0},
    Row{Unit::minute, "min", Dimension::time, 1, 6},
    Row{Unit::hour, "h", Dimension::time, 2, 36},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].unit) != i) return false;
  }
  return true;
}

static_assert(in_order() && rows.size() == static_cast<std::size_t>(Unit::hour) + 1);

const Row& row(Unit unit) noexcept {
  const auto index = static_cast<std::size_t>(unit);
  return index < rows.size() ? rows[index] : rows[0];
}

struct Alias {
  std::string_view text;
  Unit unit;
};

// Spellings found in telegrams, registers lists and profiles beside the symbols.
constexpr std::array aliases = {
    Alias{"m3", Unit::m3},       Alias{"dm3", Unit::dm3},         Alias{"m3/h", Unit::m3_per_h},
    Alias{"deg", Unit::degree},  Alias{"degC", Unit::celsius},    Alias{"C", Unit::celsius},
    Alias{"litre", Unit::litre}, Alias{"percent", Unit::percent}, Alias{"m3ph", Unit::m3_per_h},
};

// mW is no MW, and MA no mA: milli and mega differ in nothing but the case of their letter.
bool prefix_agrees(std::string_view text, const Row& candidate) noexcept {
  const char first = candidate.symbol.front();
  const bool milli_or_mega =
      (first == 'm' && candidate.power == -3) || (first == 'M' && candidate.power >= 6);
  return !milli_or_mega || text.front() == first;
}

constexpr std::size_t first_own = 128;
constexpr std::size_t most_own = 100;
constexpr std::size_t longest_own = 24;  // bytes

// Units that users made up: added by the thread that reads the configuration, and one that is
// counted never changes, so that others may read without a lock.
struct OwnUnits {
  std::array<std::string, most_own> texts;
  std::atomic<std::size_t> count{0};
};

OwnUnits& own_units() noexcept {
  static OwnUnits units;
  return units;
}

std::string shown(Unit unit) {
  return unit == Unit::none ? std::string("a pure number") : std::string(symbol(unit));
}

}  // namespace

std::string_view symbol(Unit unit) noexcept {
  const auto index = static_cast<std::size_t>(unit);
  if (index >= first_own && index - first_own < own_units().count)
    return own_units().texts[index - first_own];
  return row(unit).symbol;
}

Dimension dimension(Unit unit) noexcept {
  return row(unit).dimension;
}

std::optional<Unit> unit_from(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  for (const Row& candidate : rows) {
    if (candidate.symbol == text) return candidate.unit;
  }
  for (const Row& candidate : rows) {
    if (candidate.unit != Unit::none && same_ignoring_case(candidate.symbol, text) &&
        prefix_agrees(text, candidate)) {
      return candidate.unit;
    }
  }
  for (const Alias& alias : aliases) {
    if (same_ignoring_case(alias.text, text)) return alias.unit;
  }
  return std::nullopt;
}

Result<Unit> unit_of_user(std::string_view text) {
  if (const auto known = unit_from(text)) return *known;
  if (text.empty() || text.size() > longest_own || trimmed(text) != text ||
      sanitised(text) != text) {
    return Error{Errc::invalid, "'" + sanitised(text, longest_own) + "' is no unit: 1 to " +
                                    std::to_string(longest_own) + " printable bytes are"};
  }
  OwnUnits& units = own_units();
  const std::size_t count = units.count;
  std::size_t at = 0;
  while (at < count && units.texts[at] != text)
    ++at;
  if (at == most_own)
    return Error{Errc::invalid, "more than " + std::to_string(most_own) + " units of your own"};
  if (at == count) {
    units.texts[at] = text;
    units.count = count + 1;
  }
  return static_cast<Unit>(first_own + at);
}

Result<Decimal> convert(const Decimal& value, Unit from, Unit to) {
  const Row& source = row(from);
  const Row& target = row(to);
  if (source.dimension != target.dimension || source.factor != target.factor) {
    return Error{Errc::malformed,
                 shown(from) + " cannot be converted to " + shown(to) + " exactly"};
  }
  return value.shifted(source.power - target.power);
}

}  // namespace meterbridge
