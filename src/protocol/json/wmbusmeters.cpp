// SPDX-License-Identifier: MIT
// The documents of wmbusmeters. Sources: its README (the document, its names and `timestamp`), its
// units (the last part of a name is the unit, in lower case), the media of wmbus.cc as they appear
// in documents, and the names in its simulations/*.txt, which differ from driver to driver.
#include "core/text.hpp"
#include "protocol/derived.hpp"
#include "protocol/json/heard.hpp"
#include "protocol/json/moment.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::json {
namespace {

struct UnitRow {
  std::string_view suffix;
  Unit unit;
  int shift = 0;  // the value is moved by that power of ten first
};

constexpr std::array units = {
    UnitRow{"m3", Unit::m3},        UnitRow{"l", Unit::litre},
    UnitRow{"m3h", Unit::m3_per_h}, UnitRow{"lh", Unit::m3_per_h, -3},
    UnitRow{"wh", Unit::Wh},        UnitRow{"kwh", Unit::kWh},
    UnitRow{"mwh", Unit::MWh},      UnitRow{"mj", Unit::MJ},
    UnitRow{"gj", Unit::GJ},        UnitRow{"kvarh", Unit::kvarh},
    UnitRow{"kvah", Unit::kVAh},    UnitRow{"w", Unit::W},
    UnitRow{"kw", Unit::kW},        UnitRow{"kvar", Unit::kvar},
    UnitRow{"kva", Unit::kVA},      UnitRow{"v", Unit::V},
    UnitRow{"a", Unit::A},          UnitRow{"hz", Unit::Hz},
    UnitRow{"c", Unit::celsius},    UnitRow{"hca", Unit::none},
    UnitRow{"counter", Unit::none},
};

struct MediumRow {
  std::string_view sent;
  std::string_view ours;
};

constexpr std::array media = {
    MediumRow{"electricity", "electricity"},
    MediumRow{"gas", "gas"},
    MediumRow{"water", "water"},
    MediumRow{"warm water", "water"},
    MediumRow{"hot water", "water"},
    MediumRow{"cold water", "water"},
    MediumRow{"hot/cold water", "water"},
    MediumRow{"waste water", "water"},
    MediumRow{"heat", "heat"},
    MediumRow{"heat volume at inlet", "heat"},
    MediumRow{"heat/cooling load", "heat"},
    MediumRow{"cooling load volume at outlet", "heat"},
    MediumRow{"cooling load volume at inlet", "heat"},
    MediumRow{"heat cost allocation", "allocator"},
    MediumRow{"heat cost allocator", "allocator"},
    MediumRow{"room sensor", "sensor"},
};

constexpr std::string_view not_any_medium = "other";

constexpr ReadingKey numbered(Quantity quantity, std::uint8_t number) {
  ReadingKey key = make_key(quantity);
  key.number = number;
  return key;
}

// What is live. Everything else (target_, last_, at_, max_, ..._at_history_1) is of another time or
// of no quantity that we have.
struct NameRow {
  std::string_view media;  // of these only; empty: of any
  std::string_view name;
  ReadingKey key;
};

constexpr ReadingKey imported = make_key(Quantity::energy, Direction::import);
constexpr ReadingKey exported = make_key(Quantity::energy, Direction::export_);

constexpr std::array names = {
    NameRow{"electricity", "total_energy_consumption", imported},
    NameRow{"electricity", "total_energy", imported},
    NameRow{"electricity", "total", imported},
    NameRow{"electricity", "total_energy_production", exported},
    NameRow{"electricity", "total_reactive_energy_consumption",
            make_key(Quantity::reactive_energy, Direction::import)},
    NameRow{"electricity", "total_reactive_energy_production",
            make_key(Quantity::reactive_energy, Direction::export_)},
    NameRow{"electricity", "total_apparent_energy_consumption",
            make_key(Quantity::apparent_energy, Direction::import)},
    NameRow{"electricity", "total_apparent_energy_production",
            make_key(Quantity::apparent_energy, Direction::export_)},
    NameRow{"electricity", "current_power_consumption",
            make_key(Quantity::power, Direction::import)},
    NameRow{"electricity", "power_consumption", make_key(Quantity::power, Direction::import)},
    NameRow{"electricity", "current_power_production",
            make_key(Quantity::power, Direction::export_)},
    NameRow{"electricity", "power_production", make_key(Quantity::power, Direction::export_)},
    NameRow{"electricity", "power", make_key(Quantity::power)},
    NameRow{"electricity", "voltage", make_key(Quantity::voltage)},
    NameRow{"electricity", "current", make_key(Quantity::current)},
    NameRow{"electricity", "frequency", make_key(Quantity::frequency)},
    NameRow{"water", "total", make_key(Quantity::water)},
    NameRow{"water", "total_volume", make_key(Quantity::water)},
    NameRow{"gas", "total", make_key(Quantity::gas)},
    NameRow{"gas", "total_volume", make_key(Quantity::gas)},
    NameRow{"heat", "total_energy_consumption", make_key(Quantity::heat)},
    NameRow{"heat", "total_heat_energy", make_key(Quantity::heat)},
    NameRow{"heat", "total_heating_energy", make_key(Quantity::heat)},
    NameRow{"heat", "total_energy", make_key(Quantity::heat)},
    NameRow{"heat", "total", make_key(Quantity::heat)},
    NameRow{"heat", "total_volume", make_key(Quantity::volume)},
    NameRow{"heat", "volume", make_key(Quantity::volume)},
    NameRow{"heat", "total", make_key(Quantity::volume)},
    NameRow{"heat", "total_water", make_key(Quantity::volume)},
    NameRow{"heat", "heat", make_key(Quantity::heat)},
    NameRow{"heat", "flow_water", make_key(Quantity::flow)},
    NameRow{"heat", "forward", make_key(Quantity::temperature_flow)},
    NameRow{"heat", "return", make_key(Quantity::temperature_return)},
    NameRow{"heat", "current_power_consumption", make_key(Quantity::power)},
    NameRow{"heat", "power", make_key(Quantity::power)},
    NameRow{"heat", "current_power", make_key(Quantity::power)},
    NameRow{"allocator", "current_consumption", numbered(Quantity::value, 1)},
    NameRow{"allocator", "current", numbered(Quantity::value, 1)},
    NameRow{"allocator", "consumption", numbered(Quantity::value, 1)},
    NameRow{"other", "total", make_key(Quantity::volume)},
    NameRow{"allocator", "current_room_temp", make_key(Quantity::temperature)},
    NameRow{"allocator", "temp_room", make_key(Quantity::temperature)},
    NameRow{"other", "total_volume", make_key(Quantity::volume)},
    NameRow{"other", "a", numbered(Quantity::counter, 1)},
    NameRow{"other", "b", numbered(Quantity::counter, 2)},
    NameRow{"", "volume_flow", make_key(Quantity::flow)},
    NameRow{"", "flow", make_key(Quantity::flow)},
    NameRow{"", "current_flow", make_key(Quantity::flow)},
    NameRow{"", "flow", make_key(Quantity::temperature_flow)},
    NameRow{"", "flow_temperature", make_key(Quantity::temperature_flow)},
    NameRow{"", "forward_temperature", make_key(Quantity::temperature_flow)},
    NameRow{"", "t1_temperature", make_key(Quantity::temperature_flow)},
    NameRow{"", "return_temperature", make_key(Quantity::temperature_return)},
    NameRow{"", "t2_temperature", make_key(Quantity::temperature_return)},
    NameRow{"", "external_temperature", make_key(Quantity::temperature)},
    NameRow{"", "current_temperature", make_key(Quantity::temperature)},
    NameRow{"", "room_temperature", make_key(Quantity::temperature)},
    NameRow{"", "temperature", make_key(Quantity::temperature)},
};

std::string_view medium_from(std::string_view sent) noexcept {
  for (const MediumRow& row : media) {
    if (same_ignoring_case(row.sent, sent)) return row.ours;
  }
  return not_any_medium;
}

// Takes "_tariff_2" or "_phase_2" off the end; 0 when it is not there.
int take_number(std::string_view& name, std::string_view word, char most) noexcept {
  if (name.empty() || name.back() < '1' || name.back() > most) return 0;
  std::string_view rest = name.substr(0, name.size() - 1);
  if (rest.ends_with('_')) rest.remove_suffix(1);
  if (!rest.ends_with(word)) return 0;
  const int number = name.back() - '0';
  name = rest.substr(0, rest.size() - word.size());
  return number;
}

// Taken to pieces: total_energy_consumption_tariff_1_kwh.
struct Name {
  std::string_view quantity;
  const UnitRow* unit = nullptr;
  int tariff = 0;
  int phase = 0;
};

std::optional<Name> name_from(std::string_view pointer) {
  if (!pointer.starts_with('/') || pointer.find('/', 1) != std::string_view::npos)
    return std::nullopt;
  const std::size_t last = pointer.rfind('_');
  if (last == std::string_view::npos) return std::nullopt;
  const auto unit = std::ranges::find(units, pointer.substr(last + 1), &UnitRow::suffix);
  if (unit == units.end()) return std::nullopt;
  Name name;
  name.unit = &*unit;
  name.quantity = pointer.substr(1, last - 1);
  name.tariff = take_number(name.quantity, "_tariff", '8');
  name.phase = take_number(name.quantity, "_at_phase", '3');
  if (name.phase == 0) name.phase = take_number(name.quantity, "_phase", '3');
  return name;
}

std::optional<ReadingKey> with_parts(ReadingKey key, const Name& name) {
  key.tariff = static_cast<std::uint8_t>(name.tariff);
  constexpr std::array phases = {Phase::none, Phase::l1, Phase::l2, Phase::l3};
  key.phase = phases[static_cast<std::size_t>(name.phase)];
  // Not every quantity has tariffs and phases.
  const auto possible = ReadingKey::parse(key.text());
  return possible ? std::optional(key) : std::nullopt;
}

// Kamstrup's water meters say 127 °C for a temperature that they do not measure.
bool is_quirk(std::span<const Leaf> leaves, const Leaf& leaf) {
  constexpr std::array<std::string_view, 5> drivers = {"multical21", "flowiq2200", "flowiq3100",
                                                       "flowiq", "kamwater"};
  const Leaf* driver = leaf_at(leaves, "/meter");
  return leaf.text == "127" && leaf.pointer.ends_with("_temperature_c") && driver != nullptr &&
         std::ranges::find(drivers, driver->text) != drivers.end();
}

void take(Heard& heard, const Leaf& leaf) {
  const auto name = name_from(leaf.pointer);
  if (!name) return;
  const auto number = number_of(trimmed(leaf.text));
  const auto moved = number ? number->shifted(name->unit->shift) : Result<Decimal>(Error());
  if (!moved) return;
  for (const NameRow& row : names) {
    if (row.name != name->quantity || (!row.media.empty() && row.media != heard.medium)) continue;
    const auto key = with_parts(row.key, *name);
    auto reading = key ? Reading::make(*key, *moved, name->unit->unit) : Result<Reading>(Error());
    if (!reading) continue;  // the volume of a heat meter is called total, too
    heard.add(std::move(reading));
    return;
  }
}

std::string text_at(std::span<const Leaf> leaves, std::string_view pointer) {
  const Leaf* leaf = leaf_at(leaves, pointer);
  return leaf == nullptr ? std::string() : sanitised(trimmed(leaf->text), 60);
}

// What the user called the meter says more than its driver.
std::string model_from(std::span<const Leaf> leaves) {
  const std::string driver = text_at(leaves, "/meter");
  const std::string name = text_at(leaves, "/name");
  if (name.empty() || driver.empty()) return name.empty() ? driver : name;
  return name + " (" + driver + ")";
}

}  // namespace

Result<Heard> heard_by_wmbusmeters(std::span<const Leaf> leaves) {
  const Leaf* id = leaf_at(leaves, "/id");
  const Leaf* media_sent = leaf_at(leaves, "/media");
  if (id == nullptr || media_sent == nullptr)
    return Error{Errc::unsupported, "has no id and media, as documents of wmbusmeters have"};
  Heard heard;
  heard.id = lower(trimmed(id->text));
  if (!is_identity(heard.id))
    return Error{Errc::malformed, "has the id \"" + sanitised(id->text, 40) + "\", which is none"};
  heard.medium = medium_from(trimmed(media_sent->text));
  heard.identity.serial = heard.id;
  heard.identity.model = model_from(leaves);
  // Times without offset are somebody's local ones: nobody can say whose.
  const std::string stamp = text_at(leaves, "/timestamp");
  if (stamp.ends_with('Z')) heard.time = parse_moment(Format::iso, stamp);
  for (const Leaf& leaf : leaves) {
    if (leaf.kind != Kind::null && leaf.kind != Kind::boolean && !is_quirk(leaves, leaf))
      take(heard, leaf);
  }
  const Leaf* status = leaf_at(leaves, "/status");
  if (status == nullptr) status = leaf_at(leaves, "/current_status");
  if (status == nullptr) status = leaf_at(leaves, "/current_alarms");
  if (status != nullptr && status->kind == Kind::text && !trimmed(status->text).empty())
    heard.add(Reading(make_key(Quantity::status), sanitised(trimmed(status->text))));
  MeterReadings derived;
  derived.readings = std::move(heard.readings);
  add_net_power(derived);
  heard.readings = std::move(derived.readings);
  return heard;
}

}  // namespace meterbridge::protocol::json
