// SPDX-License-Identifier: MIT
// Tables: what each make leaves unsaid.
#include "protocol/dlms/layout.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::dlms {
namespace {

// Powers of ten, where a make sends none; `never` for what it does not send.
struct Scales {
  Make make = Make::unknown;
  int power = 0;
  int energy = 0;
  int voltage = 0;
  int current = 0;
  int factor = 0;
  int frequency = 0;
};

constexpr int never = 99;
constexpr std::array scales = {
    Scales{Make::iskraemeco, 0, 0, -1, -2, -3, never},
    Scales{Make::kaifa, 0, 0, -1, -3, never, never},
    Scales{Make::kamstrup, 0, 1, 0, -2, -2, never},
    Scales{Make::landis_gyr, 0, 0, 0, -2, -3, 0},
    Scales{Make::sagemcom, 0, 0, never, never, never, never},
    Scales{Make::siemens, 0, 0, never, never, never, never},
};

int scaler_of(const Scales& of, Quantity quantity) noexcept {
  switch (quantity) {
    case Quantity::power:
    case Quantity::reactive_power:
    case Quantity::apparent_power:
      return of.power;
    case Quantity::energy:
    case Quantity::reactive_energy:
    case Quantity::apparent_energy:
      return of.energy;
    case Quantity::voltage:
      return of.voltage;
    case Quantity::current:
      return of.current;
    case Quantity::power_factor:
      return of.factor;
    case Quantity::frequency:
      return of.frequency;
    case Quantity::phase_angle:
      return 0;
    default:
      return never;
  }
}

std::string_view unit_of(Quantity quantity) noexcept {
  switch (quantity) {
    case Quantity::power:
      return "W";
    case Quantity::reactive_power:
      return "var";
    case Quantity::apparent_power:
      return "VA";
    case Quantity::energy:
      return "Wh";
    case Quantity::reactive_energy:
      return "varh";
    case Quantity::apparent_energy:
      return "VAh";
    case Quantity::voltage:
      return "V";
    case Quantity::current:
      return "A";
    case Quantity::frequency:
      return "Hz";
    case Quantity::phase_angle:
      return "deg";
    default:
      return {};
  }
}

constexpr Obis clock_code{0, 0, 1, 0, 0};
constexpr Obis number_code{0, 0, 96, 1, 0};
constexpr Obis type_code{0, 0, 96, 1, 7};
constexpr Obis version_code{1, 0, 0, 2, 129};

constexpr Obis momentary(std::uint8_t c) {
  return {1, 0, c, 7, 0};
}

constexpr Obis counter(std::uint8_t c) {
  return {1, 0, c, 8, 0};
}

constexpr std::array kaifa_single = {
    version_code, number_code,  type_code,     momentary(1),  momentary(2),
    momentary(3), momentary(4), momentary(31), momentary(32), clock_code,
    counter(1),   counter(2),   counter(3),    counter(4),
};
constexpr std::array kaifa_three = {
    version_code,  number_code,   type_code,     momentary(1),  momentary(2),  momentary(3),
    momentary(4),  momentary(31), momentary(51), momentary(71), momentary(32), momentary(52),
    momentary(72), clock_code,    counter(1),    counter(2),    counter(3),    counter(4),
};
constexpr std::array kaifa_power = {momentary(1)};
constexpr std::array burgenland = {
    momentary(32),
    momentary(52),
    momentary(72),
    momentary(31),
    momentary(51),
    momentary(71),
    momentary(1),
    momentary(2),
    counter(1),
    counter(2),
    Obis{1, 0, 81, 7, 40},
    Obis{1, 0, 81, 7, 51},
    Obis{1, 0, 81, 7, 62},
    number_code,
};
constexpr std::array burgenland_short = {
    momentary(32), momentary(52), momentary(72), momentary(31), momentary(51), momentary(71),
    momentary(1),  momentary(2),  counter(1),    counter(2),    number_code,
};
constexpr std::array vienna = {
    clock_code,   counter(1),   counter(2),   counter(3),   counter(4),
    momentary(1), momentary(2), momentary(3), momentary(4),
};
// Siemens in Vienna: the same behind the logical device name, which begins with SMS.
constexpr std::array vienna_named = {
    Obis{0, 0, 42, 0, 0}, clock_code,   counter(1),   counter(2),   counter(3),
    counter(4),           momentary(1), momentary(2), momentary(3), momentary(4),
};
constexpr std::array carinthia = {
    Obis{0, 6, 25, 9, 0},
    Obis{0, 0, 96, 1, 1},
    Obis{1, 0, 0, 9, 1},
    Obis{1, 0, 0, 9, 2},
    counter(1),
    counter(2),
    counter(3),
    counter(4),
    momentary(1),
    momentary(2),
    Obis{0, 0, 96, 13, 0},
    Obis{0, 0, 96, 13, 1},
};

constexpr Obis device_name{0, 0, 42, 0, 0};
constexpr Obis device_number{0, 0, 96, 1, 2};

constexpr Obis counter(std::uint8_t c, std::uint8_t tariff) {
  return {1, 0, c, 8, tariff};
}

// AM550 in Slovenia: a list each second, and one of counters every 15 minutes.
constexpr std::array slovenia_three = {
    device_name,   device_number, momentary(1),  momentary(2),  momentary(3),  momentary(4),
    momentary(32), momentary(52), momentary(72), momentary(31), momentary(51), momentary(71),
    momentary(21), momentary(41), momentary(61), momentary(22), momentary(42), momentary(62),
};
constexpr std::array slovenia_phases = {
    device_name,   device_number, momentary(32), momentary(52), momentary(72), momentary(31),
    momentary(51), momentary(71), momentary(1),  momentary(2),  momentary(3),  momentary(4),
};
constexpr std::array slovenia_single = {
    device_name,  device_number, momentary(1),  momentary(2),  momentary(3),
    momentary(4), momentary(32), momentary(31), momentary(21), momentary(22),
};
constexpr std::array slovenia_single_phase = {
    device_name,  device_number, momentary(32), momentary(31),
    momentary(1), momentary(2),  momentary(3),  momentary(4),
};
constexpr std::array slovenia_exporting = {
    device_name,  device_number, momentary(1),  momentary(2),  momentary(3),
    momentary(4), momentary(32), counter(2, 1), counter(2, 2),
};
constexpr std::array slovenia_counters = {
    device_name,           device_number, Obis{0, 0, 96, 3, 10},
    Obis{0, 0, 96, 14, 0}, counter(1),    counter(1, 1),
    counter(1, 2),         counter(2),    counter(2, 1),
    counter(2, 2),         counter(3),    counter(4),
};
constexpr std::array slovenia_tariffs = {
    device_name,   device_number, counter(1, 1), counter(1, 2), counter(2, 1),
    counter(2, 2), counter(3, 1), counter(3, 2), counter(4, 1), counter(4, 2),
};

// IE.5 in Croatia. What the last five mean nobody says.
constexpr std::array croatia = {
    Obis{0, 0, 96, 1, 1},
    Obis{1, 0, 0, 9, 1},
    Obis{1, 0, 0, 9, 2},
    counter(1),
    counter(1, 1),
    counter(1, 2),
    counter(2),
    counter(2, 1),
    counter(2, 2),
    counter(5),
    counter(6),
    counter(7),
    counter(8),
    momentary(1),
    momentary(2),
    momentary(13),
    momentary(21),
    momentary(41),
    momentary(61),
    momentary(22),
    momentary(42),
    momentary(62),
    momentary(32),
    momentary(52),
    momentary(72),
    momentary(31),
    momentary(51),
    momentary(71),
    Obis{},
    Obis{},
    Obis{},
    Obis{},
    Obis{},
};

constexpr std::array places = {
    Places{"CNNNNNNNN", Make::iskraemeco, vienna},
    Places{"OThdNNNNNNTT", Make::iskraemeco, carinthia},
    Places{"NNNNNNNNNNNNNT", Make::landis_gyr, burgenland},
    Places{"NNNNNNNNNNT", Make::landis_gyr, burgenland_short},
    Places{"N", Make::kaifa, kaifa_power},
    Places{"VTTNNNNNN", Make::kaifa, kaifa_single},
    Places{"VTTNNNNNNCNNNN", Make::kaifa, kaifa_single},
    Places{"VTTNNNNNNNNNN", Make::kaifa, kaifa_three},
    Places{"VTTNNNNNNNNNNCNNNN", Make::kaifa, kaifa_three},
    Places{"TCNNNNNNNN", Make::siemens, vienna_named},
    // Wels: Carinthia's list without the two messages.
    Places{"OThdNNNNNN", Make::siemens, carinthia},
    Places{"TTNNNNUUUUUUNNNNNN", Make::iskraemeco, slovenia_three},
    Places{"TTUUUUUUNNNN", Make::iskraemeco, slovenia_phases},
    Places{"TTNNNNUUNN", Make::iskraemeco, slovenia_single},
    Places{"TTNNNNUNN", Make::iskraemeco, slovenia_exporting},
    Places{"TTBxNNNNNNNN", Make::iskraemeco, slovenia_counters},
    Places{"TTNNNNNNNN", Make::iskraemeco, slovenia_tariffs},
    Places{"TTUUNNNN", Make::iskraemeco, slovenia_single_phase},
    Places{"ThdNNNNNNNNNNNNUNNNNNNUUUUUU-----", Make::iskraemeco, croatia},
};

constexpr bool have_codes() {
  for (const Places& one : places) {
    if (one.form.size() > one.codes.size()) return false;
  }
  return places[6].form.size() == kaifa_single.size() &&
         places[8].form.size() == kaifa_three.size() && places[7].form.size() == 13;
}

static_assert(have_codes());

bool stands_here(char letter, const Node& node) noexcept {
  constexpr std::size_t stamp = 12;
  constexpr std::size_t code = 6;
  const std::size_t size = node.bytes.size();
  switch (letter) {
    case 'V':
      return is_text(node) && size != stamp && size != code;
    case 'T':
      return is_text(node);
    case 'C':
      // No text begins with a control character, and no year with anything else.
      return node.tag == Tag::octets && size == stamp && u8(node.bytes[0]) < ' ';
    case 'U':
      return node.tag == Tag::uint16;
    case 'B':
      return node.tag == Tag::boolean;
    case 'x':
      return !node.is_list();
    case '-':  // whatever stands there
      return true;
    case 'h':
      return node.tag == Tag::octets && size == 4;
    case 'd':
      return node.tag == Tag::octets && size == 5;
    case 'O':
      return node.tag == Tag::octets && size == code;
    default:
      return node.tag == Tag::uint16 || node.tag == Tag::uint32 || node.tag == Tag::int16 ||
             node.tag == Tag::int32;
  }
}

bool has_form(const Tree& tree, std::string_view form) noexcept {
  std::size_t at = 1;
  for (const char letter : form) {
    if (!stands_here(letter, tree[at])) return false;
    at = tree[at].end;
  }
  return true;
}

}  // namespace

std::string_view name(Make make) noexcept {
  constexpr std::array<std::string_view, 9> names = {"",           "Aidon",    "Honeywell",
                                                     "Iskraemeco", "Kaifa",    "Kamstrup",
                                                     "Landis+Gyr", "Sagemcom", "Siemens"};
  static_assert(names.size() == static_cast<std::size_t>(Make::siemens) + 1);
  return names[static_cast<std::size_t>(make)];
}

const Places* places_of(const Tree& tree) noexcept {
  if (tree.size() == 0 || tree[0].tag != Tag::structure) return nullptr;
  for (const Places& candidate : places) {
    if (tree[0].count == candidate.form.size() && has_form(tree, candidate.form)) return &candidate;
  }
  return nullptr;
}

std::optional<Scale> usual_scale(Make make, const ObisMeaning& meaning,
                                 const Decimal& raw) noexcept {
  constexpr int decivolts = -1;
  constexpr int centivolts = -2;
  const auto known = std::find_if(scales.begin(), scales.end(),
                                  [make](const Scales& s) { return s.make == make; });
  if (known == scales.end()) return std::nullopt;
  const Quantity quantity = meaning.key.quantity;
  int scaler = scaler_of(*known, quantity);
  if (scaler == never) return std::nullopt;
  if (make == Make::kamstrup && quantity == Quantity::voltage && raw > Decimal(1000))
    scaler = centivolts;
  // E450: V. E360: 0.1 V.
  if (make == Make::landis_gyr && quantity == Quantity::voltage && raw > Decimal(1000))
    scaler = decivolts;
  return Scale{scaler, unit_of(quantity)};
}

}  // namespace meterbridge::protocol::dlms
