// SPDX-License-Identifier: MIT
// Meters that rtl_433 hears. Sources: rtl_433, src/output_mqtt.c (topics) and src/devices:
// ert_scm.c, ert_scmplus, ert_idm.c, neptune_r900.c, badger_water.c, arad_ms_meter.c,
// apator_metra_erm30.c, revolt_nc5462 and m_bus.c (names of models and fields). Its `time` is local
// without saying so, unless asked for otherwise: the moment of arrival counts.
#include "core/text.hpp"
#include "protocol/json/heard.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace meterbridge::protocol::json {
namespace {

constexpr ReadingKey numbered(Quantity quantity, std::uint8_t number) {
  ReadingKey key = make_key(quantity);
  key.number = number;
  return key;
}

// The counts of ERT radios have no unit on the air: 10 Wh, a kWh, a cubic foot or a gallon, as the
// utility programmed them. They stay counts until the user says what they are (`fields`).
struct ValueRow {
  std::string_view model;
  std::string_view field;
  ReadingKey key;
  Unit unit = Unit::none;
  Decimal factor{1};
};

// The radio of one meter sends messages of several models: those share a medium and a name.
struct ModelRow {
  std::string_view model;
  std::string_view medium;
  std::string_view shown;
  std::string_view id;
};

constexpr std::array models = {
    ModelRow{"ERT-SCM", "ert", "ERT", "/id"},
    ModelRow{"SCM", "ert", "ERT", "/id"},
    ModelRow{"SCMplus", "ert", "ERT", "/id"},
    ModelRow{"SCMplus", "ert", "ERT", "/EndpointID"},
    ModelRow{"IDM", "ert", "ERT", "/id"},
    ModelRow{"IDM", "ert", "ERT", "/ERTSerialNumber"},
    ModelRow{"NETIDM", "ert", "ERT", "/id"},
    ModelRow{"NETIDM", "ert", "ERT", "/ERTSerialNumber"},
    ModelRow{"Neptune-R900", "water", "Neptune R900", "/id"},
    ModelRow{"Neptune-R900BCD", "water", "Neptune R900", "/id"},
    ModelRow{"Badger-ORION", "water", "Badger ORION", "/id"},
    ModelRow{"AradMsMeter-Dialog3G", "water", "Arad Dialog3G", "/id"},
    ModelRow{"ApatorMetra-ERM30", "water", "Apator Metra E-RM 30", "/id"},
    ModelRow{"Revolt-NC5462", "electricity", "Revolt NC-5462", "/id"},
};

constexpr ReadingKey count = numbered(Quantity::counter, 1);
// A gallon is exactly 3.785411784 litres.
constexpr Decimal cubic_metres_of_a_gallon(3'785'411'784, -12);

constexpr std::array values = {
    ValueRow{"ERT-SCM", "/consumption_data", count},
    ValueRow{"SCM", "/consumption_data", count},
    ValueRow{"SCMplus", "/Consumption", count},
    ValueRow{"SCMplus", "/consumption_data", count},
    ValueRow{"IDM", "/LastConsumptionCount", count},
    // A net meter counts back while its house delivers: no counter, which only grows.
    ValueRow{"NETIDM", "/LastConsumptionCount", numbered(Quantity::value, 1)},
    ValueRow{"NETIDM", "/LastGenerationCount", numbered(Quantity::counter, 2)},
    ValueRow{"Neptune-R900", "/consumption", count},
    ValueRow{"Neptune-R900BCD", "/consumption", count},
    ValueRow{"Badger-ORION", "/volume_gal", make_key(Quantity::water), Unit::m3,
             cubic_metres_of_a_gallon},
    ValueRow{"AradMsMeter-Dialog3G", "/volume_m3", make_key(Quantity::water), Unit::m3},
    ValueRow{"ApatorMetra-ERM30", "/volume_m3", make_key(Quantity::water), Unit::m3},
    ValueRow{"Revolt-NC5462", "/voltage_V", make_key(Quantity::voltage), Unit::V},
    ValueRow{"Revolt-NC5462", "/current_A", make_key(Quantity::current), Unit::A},
    ValueRow{"Revolt-NC5462", "/frequency_Hz", make_key(Quantity::frequency), Unit::Hz},
    ValueRow{"Revolt-NC5462", "/power_W", make_key(Quantity::power), Unit::W},
    ValueRow{"Revolt-NC5462", "/energy_kWh", make_key(Quantity::energy, Direction::import),
             Unit::kWh},
};

// Wireless M-Bus: "inst_volume_0":"23.932 m3", the value of now is number 0. A prefix stands before
// the whole unit: mm3 are thousandths of a cubic metre. Energies in joules are left out: masses are
// called so, too.
constexpr std::string_view wireless = "Wireless-MBus";

struct WirelessRow {
  std::string_view medium;  // empty: any
  std::string_view field;
  ReadingKey key;
};

constexpr std::array wireless_values = {
    WirelessRow{"electricity", "/inst_energy_wh_0", make_key(Quantity::energy, Direction::import)},
    WirelessRow{"heat", "/inst_energy_wh_0", make_key(Quantity::heat)},
    WirelessRow{"water", "/inst_volume_0", make_key(Quantity::water)},
    WirelessRow{"gas", "/inst_volume_0", make_key(Quantity::gas)},
    WirelessRow{"heat", "/inst_volume_0", make_key(Quantity::volume)},
    WirelessRow{"", "/inst_power_w_0", make_key(Quantity::power)},
    WirelessRow{"", "/inst_volume_flow_h_0", make_key(Quantity::flow)},
    WirelessRow{"", "/inst_temperature_flow_0", make_key(Quantity::temperature_flow)},
    WirelessRow{"", "/inst_temperature_return_0", make_key(Quantity::temperature_return)},
};

struct WirelessUnit {
  std::string_view sent;
  Unit unit;
  int shift = 0;
};

constexpr std::array wireless_units = {
    WirelessUnit{"Wh", Unit::Wh},
    WirelessUnit{"mWh", Unit::Wh, -3},
    WirelessUnit{"kWh", Unit::kWh},
    WirelessUnit{"MWh", Unit::MWh},
    WirelessUnit{"m3", Unit::m3},
    WirelessUnit{"mm3", Unit::m3, -3},
    WirelessUnit{"km3", Unit::m3, 3},
    WirelessUnit{"W", Unit::W},
    WirelessUnit{"mW", Unit::W, -3},
    WirelessUnit{"kW", Unit::kW},
    WirelessUnit{"MW", Unit::MW},
    WirelessUnit{"m3/h", Unit::m3_per_h},
    WirelessUnit{"mm3/h", Unit::m3_per_h, -3},
    WirelessUnit{"C", Unit::celsius},
};

Result<Reading> wireless_reading(const ReadingKey& key, std::string_view text) {
  const std::size_t blank = text.find(' ');
  const auto number = number_of(text.substr(0, blank));
  const std::string_view sent =
      blank == std::string_view::npos ? std::string_view() : trimmed(text.substr(blank));
  const auto unit = std::ranges::find(wireless_units, sent, &WirelessUnit::sent);
  if (!number || unit == wireless_units.end())
    return Error{Errc::malformed, "\"" + sanitised(text, 40) + "\" is no number with a unit"};
  const auto moved = number->shifted(unit->shift);
  if (!moved) return moved.error();
  return Reading::make(key, *moved, unit->unit);
}

unsigned type_of(std::span<const Leaf> leaves) noexcept {
  const Leaf* leaf = leaf_at(leaves, "/type");
  std::string_view text = leaf == nullptr ? std::string_view() : trimmed(leaf->text);
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  unsigned type = 0;
  std::from_chars(text.data(), text.data() + text.size(), type, hex ? 16 : 10);
  return type;
}

Result<Heard> hear_wireless(std::span<const Leaf> leaves, std::string id) {
  // Meters show eight digits; the number in the document lost its leading zeros.
  constexpr std::size_t digits = 8;
  if (id.size() < digits) id.insert(0, digits - id.size(), '0');
  Heard heard;
  heard.id = std::move(id);
  heard.medium = medium_of_type(type_of(leaves));
  heard.identity.serial = heard.id;
  heard.identity.model = "Wireless M-Bus";
  if (const Leaf* maker = leaf_at(leaves, "/M"); maker != nullptr)
    heard.identity.manufacturer = sanitised(maker->text, 20);
  for (const WirelessRow& row : wireless_values) {
    if (!row.medium.empty() && row.medium != heard.medium) continue;
    const Leaf* leaf = leaf_at(leaves, row.field);
    if (leaf == nullptr) continue;
    auto reading = wireless_reading(row.key, trimmed(leaf->text));
    if (!reading) heard.remark = heard.id + ": " + reading.error().detail();
    heard.add(std::move(reading));
  }
  if (leaf_at(leaves, "/payload_encrypted") != nullptr)
    heard.remark = heard.id + " is encrypted, and rtl_433 does not decrypt: wmbusmeters does";
  return heard;
}

bool is_known(std::string_view model) noexcept {
  return model == wireless || std::ranges::find(models, model, &ModelRow::model) != models.end();
}

void take_values(Heard& heard, std::string_view model, std::span<const Leaf> leaves) {
  for (const ValueRow& row : values) {
    const Leaf* leaf = row.model == model ? leaf_at(leaves, row.field) : nullptr;
    if (leaf == nullptr) continue;
    const auto number = number_of(trimmed(leaf->text));
    const auto scaled = number ? number->times(row.factor) : Result<Decimal>(Error());
    if (scaled) {
      heard.add(Reading::make(row.key, *scaled, row.unit));
    } else {
      heard.remark = heard.id + ": " + std::string(row.field) + " is no number";
    }
  }
}

// As rtl_433 writes names into topics.
std::string for_topic(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    const bool kept = c == '-' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                      (c >= 'a' && c <= 'z');
    if (!kept) c = '_';
  }
  return text;
}

Leaf leaf_of(std::string pointer, std::string_view text) {
  Leaf leaf;
  leaf.pointer = std::move(pointer);
  leaf.text = std::string(text);
  leaf.kind = number_of(text) ? Kind::number : Kind::text;
  return leaf;
}

}  // namespace

Result<Heard> heard_by_rtl_433(std::span<const Leaf> leaves) {
  const Leaf* model = leaf_at(leaves, "/model");
  if (model == nullptr)
    return Error{Errc::unsupported, "has no model, as messages of rtl_433 have"};
  if (!is_known(model->text)) {
    return Error{Errc::unsupported, "is of \"" + sanitised(model->text, 40) +
                                        "\", which is no meter that is known here"};
  }
  const Leaf* id = model->text == wireless ? leaf_at(leaves, "/id") : nullptr;
  const ModelRow* known = nullptr;
  for (const ModelRow& row : models) {
    if (id != nullptr || row.model != model->text) continue;
    id = leaf_at(leaves, row.id);
    known = &row;
  }
  if (id == nullptr) return Error{Errc::unsupported, "has no id"};
  std::string text = lower(trimmed(id->text));
  if (!is_identity(text))
    return Error{Errc::malformed, "has the id \"" + sanitised(id->text, 40) + "\", which is none"};
  if (known == nullptr) {
    if (leaf_at(leaves, "/type") != nullptr) return hear_wireless(leaves, std::move(text));
    return Error{Errc::unsupported,
                 "does not say what kind of meter it is: wireless M-Bus needs the topic `events`"};
  }
  Heard heard;
  heard.id = std::move(text);
  heard.medium = known->medium;
  heard.identity.serial = heard.id;
  heard.identity.model = known->shown;
  take_values(heard, model->text, leaves);
  return heard;
}

std::optional<std::vector<Leaf>> rtl_433_leaves(std::string_view topic, std::string_view payload) {
  const auto levels = levels_of(topic);
  const auto devices = std::ranges::find(levels, "devices");
  // devices, the model, the id and the field at least; channel and subtype may stand between.
  if (levels.end() - devices < 4) return std::nullopt;
  std::vector<Leaf> leaves;
  const std::string_view sent = devices[1];
  const auto known = std::ranges::find_if(
      models, [sent](const ModelRow& row) { return for_topic(row.model) == sent; });
  leaves.push_back(leaf_of("/model", known == models.end() ? sent : known->model));
  leaves.push_back(leaf_of("/id", levels[levels.size() - 2]));
  if (levels.back() != "id" && levels.back() != "model")
    leaves.push_back(leaf_of("/" + std::string(levels.back()), trimmed(payload)));
  return leaves;
}

}  // namespace meterbridge::protocol::json
