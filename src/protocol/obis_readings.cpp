// SPDX-License-Identifier: MIT
#include "protocol/obis_readings.hpp"

#include "core/text.hpp"
#include "protocol/derived.hpp"

#include <algorithm>
#include <array>
#include <variant>

namespace meterbridge::protocol {
namespace {

struct Maker {
  std::string_view flag;
  std::string_view name;
};

// FLAG letters of makers. Grid operators have letters too (Ene, FLU, Lux, ESO, ELL, EST): those say
// nothing of the maker, the logical device name or the serial number then does.
constexpr std::array makers = {
    Maker{"SAG", "Sagemcom"},   Maker{"ISK", "Iskraemeco"},  Maker{"KFM", "Kaifa"},
    Maker{"KMP", "Kamstrup"},   Maker{"KAM", "Kamstrup"},    Maker{"XMX", "Landis+Gyr"},
    Maker{"LGF", "Landis+Gyr"}, Maker{"LGZ", "Landis+Gyr"},  Maker{"LGB", "Landis+Gyr"},
    Maker{"ADN", "Aidon"},      Maker{"AID", "Aidon"},       Maker{"EGM", "Elgama"},
    Maker{"AUX", "Sanxing"},    Maker{"SAN", "Sanxing"},     Maker{"SXE", "Sanxing"},
    Maker{"WSE", "Wasion"},     Maker{"HLY", "Holley"},      Maker{"ZIV", "ZIV"},
    Maker{"CTA", "ZIV"},        Maker{"LOG", "Logarex"},     Maker{"EKT", "Energomera"},
    Maker{"EMR", "Energomera"}, Maker{"TPC", "Neva"},        Maker{"CPZ", "Neva"},
    Maker{"ELS", "Elster"},     Maker{"ACE", "Actaris"},     Maker{"ITR", "Itron"},
    Maker{"PAF", "Pafal"},      Maker{"EMH", "EMH"},         Maker{"ESY", "EasyMeter"},
    Maker{"HAG", "Hager"},      Maker{"LUG", "Landis+Gyr"},  Maker{"DZG", "DZG"},
    Maker{"EBZ", "eBZ"},        Maker{"DNT", "Dr. Neuhaus"},
};

bool is_energy(const ReadingKey& key) noexcept {
  return key.aspect == Aspect::none &&
         (key.quantity == Quantity::energy || key.quantity == Quantity::reactive_energy ||
          key.quantity == Quantity::apparent_energy);
}

}  // namespace

std::string_view maker_of(std::string_view flag) noexcept {
  for (const Maker& maker : makers) {
    if (same_ignoring_case(maker.flag, flag)) return maker.name;
  }
  return {};
}

std::optional<Decimal> tariff_from(const Item& item) {
  if (item.value) return item.value;
  if (!item.text) return std::nullopt;
  constexpr std::string_view digits = "0123456789";
  const std::string_view text = *item.text;
  const std::size_t last = text.find_last_of(digits);
  if (last == std::string_view::npos) return std::nullopt;
  const std::size_t before = text.find_last_not_of(digits, last);
  const std::size_t first = before == std::string_view::npos ? 0 : before + 1;
  const auto number = Decimal::parse(text.substr(first, last - first + 1));
  if (!number) return std::nullopt;
  return *number;
}

ObisReadings::ObisReadings(MeterReadings& into) : meter_(into) {
  sums_.reserve(4);
}

void ObisReadings::add(Reading&& reading) {
  if (meter_.find(reading.key) == nullptr) meter_.readings.push_back(std::move(reading));
}

ObisReadings::Sum& ObisReadings::sum_of(const ReadingKey& total) {
  const auto at =
      std::lower_bound(sums_.begin(), sums_.end(), total,
                       [](const Sum& s, const ReadingKey& key) { return s.total < key; });
  if (at != sums_.end() && at->total == total) return *at;
  return *sums_.emplace(at, total);
}

void ObisReadings::count(const ReadingKey& key, const Decimal* value) {
  if (!is_energy(key)) return;
  ReadingKey total = key;
  total.tariff = 0;
  Sum& sum = sum_of(total);
  if (key.tariff == 0) {
    sum.has_total = sum.has_total || value != nullptr;
    return;
  }
  if (value == nullptr) {
    sum.doubtful = true;
    return;
  }
  if (const auto together = sum.value.value_or(Decimal()).plus(*value)) {
    sum.value = *together;
  } else {
    sum.doubtful = true;
  }
}

void ObisReadings::add_number(const Item& item, const ObisMeaning& meaning) {
  if (!item.value) {
    if (item.text && !item.text->empty()) count(meaning.key, nullptr);
    return;
  }
  // Sagemcom in Hungary sends a power factor of 4.556; nobody can say what that means.
  const bool ratio = meaning.form == ObisForm::ratio;
  if (ratio && (*item.value > Decimal(1) || *item.value < Decimal(-1))) return;
  const Unit unit = item.unit.empty() ? meaning.usual : unit_from(item.unit).value_or(Unit::none);
  const auto key = meaning.form == ObisForm::limit ? limit_key(unit) : std::optional(meaning.key);
  if (!key) return;
  auto reading = Reading::make(*key, *item.value, unit);
  if (!reading) {
    count(*key, nullptr);
    return;
  }
  reading->time = item.time;
  if (const auto* value = std::get_if<Decimal>(&reading->value)) count(*key, value);
  add(*std::move(reading));
}

void ObisReadings::add_sums() {
  for (const Sum& sum : sums_) {
    if (sum.has_total || !sum.value || sum.doubtful) continue;
    add(Reading(sum.total, *sum.value, canonical_unit(sum.total.quantity)));
  }
}

void ObisReadings::add_net_power() {
  protocol::add_net_power(meter_);
}

void ObisReadings::take_signed_import() {
  for (const Phase phase : {Phase::none, Phase::l1, Phase::l2, Phase::l3}) {
    const auto key = [phase](Direction way) { return make_key(Quantity::power, way, phase); };
    const Reading* in = meter_.find(key(Direction::import));
    const auto* sent = in == nullptr ? nullptr : std::get_if<Decimal>(&in->value);
    const bool both = meter_.find(key(Direction::export_)) != nullptr;
    if (sent == nullptr || both || meter_.find(key(Direction::none)) != nullptr) continue;
    const Decimal net = *sent;
    if (net.is_negative()) {
      std::erase_if(meter_.readings,
                    [&](const Reading& one) { return one.key == key(Direction::import); });
    }
    meter_.readings.emplace_back(key(Direction::none), net, Unit::W);
  }
}

}  // namespace meterbridge::protocol
