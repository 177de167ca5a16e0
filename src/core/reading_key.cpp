// SPDX-License-Identifier: MIT
#include "core/reading_key.hpp"

#include "core/text.hpp"

#include <array>
#include <charconv>
#include <optional>

namespace meterbridge {
namespace {

constexpr std::array<std::string_view, 6> scope_names = {"",   "grid", "battery",
                                                         "pv", "load", "channel"};
constexpr std::array<std::string_view, 9> direction_names = {
    "", "import", "export", "net", "total", "q1", "q2", "q3", "q4"};
constexpr std::array<std::string_view, 4> aspect_names = {"", "demand", "peak", "limit"};
constexpr std::array<std::string_view, 8> phase_names = {"",  "l1",    "l2",    "l3",
                                                         "n", "l1_l2", "l2_l3", "l3_l1"};
constexpr int max_tariff = 8;

// Which of the optional parts a quantity can have (contract.md, section 3).
enum Parts : unsigned {
  plain = 0,
  energy_directions = 1U << 0U,  // one of import, export, net, total is required
  power_directions = 1U << 1U,   // none, import or export
  quadrants = 1U << 2U,
  measured = 1U << 3U,  // demand, peak, limit and phases make sense
  tariffs = 1U << 4U,
  cumulative = 1U << 5U,
  numbered = 1U << 6U,
};

struct Row {
  Quantity quantity;
  std::string_view name;
  Unit unit;
  unsigned parts;
};

constexpr unsigned energy_parts = energy_directions | measured | tariffs | cumulative;
constexpr unsigned power_parts = power_directions | measured | tariffs;
constexpr unsigned volume_parts = measured | tariffs | cumulative;

constexpr std::array rows = {
    Row{Quantity::energy, "energy", Unit::kWh, energy_parts},
    Row{Quantity::reactive_energy, "reactive_energy", Unit::kvarh, energy_parts | quadrants},
    Row{Quantity::apparent_energy, "apparent_energy", Unit::kVAh, energy_parts},
    Row{Quantity::power, "power", Unit::W, power_parts},
    Row{Quantity::reactive_power, "reactive_power", Unit::var, power_parts | quadrants},
    Row{Quantity::apparent_power, "apparent_power", Unit::VA, power_parts},
    Row{Quantity::voltage, "voltage", Unit::V, measured},
    Row{Quantity::current, "current", Unit::A, measured},
    Row{Quantity::frequency, "frequency", Unit::Hz, measured},
    Row{Quantity::power_factor, "power_factor", Unit::none, measured},
    Row{Quantity::phase_angle, "phase_angle", Unit::degree, measured},
    Row{Quantity::thd_voltage, "thd_voltage", Unit::percent, measured},
    Row{Quantity::thd_current, "thd_current", Unit::percent, measured},
    Row{Quantity::dc_voltage, "dc_voltage", Unit::V, measured},
    Row{Quantity::dc_current, "dc_current", Unit::A, measured},
    Row{Quantity::dc_power, "dc_power", Unit::W, measured},
    Row{Quantity::state_of_charge, "state_of_charge", Unit::percent, measured},
    Row{Quantity::gas, "gas", Unit::m3, volume_parts},
    Row{Quantity::water, "water", Unit::m3, volume_parts},
    Row{Quantity::volume, "volume", Unit::m3, volume_parts},
    Row{Quantity::heat, "heat", Unit::none, volume_parts},
    Row{Quantity::flow, "flow", Unit::m3_per_h, measured},
    Row{Quantity::temperature, "temperature", Unit::celsius, measured},
    Row{Quantity::temperature_flow, "temperature_flow", Unit::celsius, measured},
    Row{Quantity::temperature_return, "temperature_return", Unit::celsius, measured},
    Row{Quantity::tariff, "tariff", Unit::none, plain},
    Row{Quantity::serial, "serial", Unit::none, plain},
    Row{Quantity::firmware, "firmware", Unit::none, plain},
    Row{Quantity::clock, "clock", Unit::none, plain},
    Row{Quantity::status, "status", Unit::none, plain},
    Row{Quantity::message, "message", Unit::none, plain},
    Row{Quantity::input, "input", Unit::none, numbered},
    Row{Quantity::counter, "counter", Unit::none, numbered | tariffs | cumulative},
    Row{Quantity::value, "value", Unit::none, numbered},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].quantity) != i) return false;
  }
  return true;
}

static_assert(in_order() && rows.size() == static_cast<std::size_t>(Quantity::value) + 1);

const Row& row(Quantity quantity) noexcept {
  const auto index = static_cast<std::size_t>(quantity);
  return index < rows.size() ? rows[index] : rows[0];
}

template <class Names, class Enum>
std::string_view name_in(const Names& names, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : std::string_view();
}

// Takes `word` and the underscore behind it off the front, if it stands there as a whole.
bool take_word(std::string_view& rest, std::string_view word) noexcept {
  if (word.empty() || rest.substr(0, word.size()) != word) return false;
  if (rest.size() == word.size()) {
    rest = {};
    return true;
  }
  // An underscore that nothing follows stays, so that "power_" is refused.
  if (rest[word.size()] != '_' || rest.size() == word.size() + 1) return false;
  rest.remove_prefix(word.size() + 1);
  return true;
}

// The longest of the names that stands at the front; the first enumerator if none does.
template <class Enum, class Names>
Enum take_name(std::string_view& rest, const Names& names) noexcept {
  std::size_t best = 0;
  std::string_view after = rest;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string_view left = rest;
    if (names[i].size() > names[best].size() && take_word(left, names[i])) {
      best = i;
      after = left;
    }
  }
  rest = after;
  return static_cast<Enum>(best);
}

// Digits up to the next underscore, 0..255, no leading zeros.
std::optional<std::uint8_t> take_number(std::string_view& rest) noexcept {
  const std::string_view digits = rest.substr(0, rest.find('_'));
  unsigned number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || number > 255)
    return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  if (!take_word(rest, digits)) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

bool take_scope(std::string_view& rest, ReadingKey& key) noexcept {
  constexpr std::string_view channel = "channel";
  if (rest.substr(0, channel.size()) == channel) {
    rest.remove_prefix(channel.size());
    const auto number = take_number(rest);
    if (!number || *number == 0) return false;
    key.scope = Scope::channel;
    key.channel = *number;
    return true;
  }
  key.scope = take_name<Scope>(rest, scope_names);
  return true;
}

const Row* take_quantity(std::string_view& rest) noexcept {
  const Row* best = nullptr;
  std::string_view after;
  for (const Row& candidate : rows) {
    std::string_view left = rest;
    if ((best == nullptr || candidate.name.size() > best->name.size()) &&
        take_word(left, candidate.name)) {
      best = &candidate;
      after = left;
    }
  }
  if (best != nullptr) rest = after;
  return best;
}

bool direction_fits(unsigned parts, Direction direction) noexcept {
  switch (direction) {
    case Direction::none:
      return (parts & energy_directions) == 0;
    case Direction::import:
    case Direction::export_:
      return (parts & (energy_directions | power_directions)) != 0;
    case Direction::net:
    case Direction::total:
      return (parts & energy_directions) != 0;
    case Direction::q1:
    case Direction::q2:
    case Direction::q3:
    case Direction::q4:
      return (parts & quadrants) != 0;
  }
  return false;
}

std::string wrong_direction(const Row& found, Direction direction) {
  const std::string quantity(found.name);
  if (direction != Direction::none) {
    return "'" + quantity + "' has no direction '" +
           std::string(name_in(direction_names, direction)) + "'";
  }
  return "'" + quantity + "' needs a direction: import, export, net or total" +
         ((found.parts & quadrants) != 0 ? " or q1 to q4" : "");
}

std::optional<std::uint8_t> take_tariff(std::string_view& rest) noexcept {
  if (rest.size() != 2 || rest[0] != 't' || rest[1] < '1' || rest[1] > '0' + max_tariff)
    return std::nullopt;
  const auto tariff = static_cast<std::uint8_t>(rest[1] - '0');
  rest = {};
  return tariff;
}

}  // namespace

Result<ReadingKey> ReadingKey::parse(std::string_view text) {
  constexpr std::size_t shown = 60;
  const auto wrong = [text](const std::string& why) {
    return Error{Errc::invalid, "'" + sanitised(text, shown) + "' is no reading key: " + why};
  };
  ReadingKey key;
  std::string_view rest = text;
  if (!take_scope(rest, key)) return wrong("a channel needs its number (channel1 to channel255)");
  const Row* found = take_quantity(rest);
  if (found == nullptr)
    return wrong("'" + sanitised(rest, shown) + "' does not begin with a known quantity");
  key.quantity = found->quantity;
  if ((found->parts & numbered) != 0) {
    const auto number = take_number(rest);
    if (!number) return wrong("'" + std::string(found->name) + "' needs a number (0 to 255)");
    key.number = *number;
  }
  key.direction = take_name<Direction>(rest, direction_names);
  if (!direction_fits(found->parts, key.direction))
    return wrong(wrong_direction(*found, key.direction));
  if ((found->parts & measured) != 0) {
    key.aspect = take_name<Aspect>(rest, aspect_names);
    key.phase = take_name<Phase>(rest, phase_names);
  }
  if ((found->parts & tariffs) != 0) {
    if (const auto tariff = take_tariff(rest)) key.tariff = *tariff;
  }
  if (!rest.empty()) return wrong("'" + sanitised(rest, shown) + "' cannot stand there");
  return key;
}

std::string ReadingKey::text() const {
  std::string out;
  const auto add = [&out](std::string_view part) {
    if (part.empty()) return;
    if (!out.empty()) out += '_';
    out += part;
  };
  add(name_in(scope_names, scope));
  if (scope == Scope::channel) out += std::to_string(channel);
  const Row& found = row(quantity);
  add(found.name);
  if ((found.parts & numbered) != 0) add(std::to_string(number));
  add(name_in(direction_names, direction));
  add(name_in(aspect_names, aspect));
  add(name_in(phase_names, phase));
  if (tariff != 0) add("t" + std::to_string(tariff));
  return out;
}

Unit canonical_unit(Quantity quantity) noexcept {
  return row(quantity).unit;
}

std::string_view name(Quantity quantity) noexcept {
  return row(quantity).name;
}

bool is_cumulative(const ReadingKey& key) noexcept {
  return (row(key.quantity).parts & cumulative) != 0 && key.direction != Direction::net &&
         key.aspect == Aspect::none;
}

}  // namespace meterbridge
