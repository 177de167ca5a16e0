// SPDX-License-Identifier: MIT
#include "protocol/obis_catalogue.hpp"

namespace meterbridge::protocol {
namespace {

constexpr int max_tariff = 8;

constexpr Obis without_f(const Obis& o) {
  return {o.a(), o.b(), o.c(), o.d(), o.e()};
}

// Group C of electricity is regular: 1..20 for all phases together, then the same again from 21 for
// L1, 41 for L2 and 61 for L3.
struct Channel {
  int base = 0;
  Phase phase = Phase::none;
};

constexpr std::optional<Channel> channel_of(std::uint8_t c) noexcept {
  constexpr int per_phase = 20;
  constexpr int last = 80;
  if (c < 1 || c > last) return std::nullopt;
  const int phase = (c - 1) / per_phase;
  return Channel{(c - 1) % per_phase + 1, static_cast<Phase>(phase)};
}

constexpr Direction quadrant(int base) noexcept {
  return static_cast<Direction>(static_cast<int>(Direction::q1) + base - 5);
}

constexpr ObisMeaning number(const ReadingKey& key, Unit usual) noexcept {
  return {key, usual, ObisForm::number};
}

std::optional<ObisMeaning> energy(const Channel& c, int tariff) noexcept {
  const auto with = [&](Quantity quantity, Direction direction, Unit unit) {
    return number(make_key(quantity, direction, c.phase, tariff), unit);
  };
  switch (c.base) {
    case 1:
      return with(Quantity::energy, Direction::import, Unit::kWh);
    case 2:
      return with(Quantity::energy, Direction::export_, Unit::kWh);
    case 3:
      return with(Quantity::reactive_energy, Direction::import, Unit::kvarh);
    case 4:
      return with(Quantity::reactive_energy, Direction::export_, Unit::kvarh);
    case 5:
    case 6:
    case 7:
    case 8:
      return with(Quantity::reactive_energy, quadrant(c.base), Unit::kvarh);
    case 9:
      return with(Quantity::apparent_energy, Direction::import, Unit::kVAh);
    case 10:
      return with(Quantity::apparent_energy, Direction::export_, Unit::kVAh);
    case 15:
      return with(Quantity::energy, Direction::total, Unit::kWh);
    case 16:
      return with(Quantity::energy, Direction::net, Unit::kWh);
    default:
      return std::nullopt;
  }
}

// Values of this moment (D = 7), their running averages (demand) and their maxima (peak).
std::optional<ObisMeaning> power(const Channel& c, Aspect aspect, int tariff = 0) noexcept {
  const auto with = [&](Quantity quantity, Direction direction, Unit unit) {
    return number(make_key(quantity, direction, c.phase, tariff, aspect), unit);
  };
  switch (c.base) {
    case 1:
      return with(Quantity::power, Direction::import, Unit::kW);
    case 2:
      return with(Quantity::power, Direction::export_, Unit::kW);
    case 3:
      return with(Quantity::reactive_power, Direction::import, Unit::kvar);
    case 4:
      return with(Quantity::reactive_power, Direction::export_, Unit::kvar);
    case 5:
    case 6:
    case 7:
    case 8:
      return with(Quantity::reactive_power, quadrant(c.base), Unit::kvar);
    case 9:
      return with(Quantity::apparent_power, Direction::import, Unit::kVA);
    case 10:
      return with(Quantity::apparent_power, Direction::export_, Unit::kVA);
    case 11:
      return with(Quantity::current, Direction::none, Unit::A);
    case 12:
      return with(Quantity::voltage, Direction::none, Unit::V);
    case 16:
      return with(Quantity::power, Direction::none, Unit::kW);
    default:
      return std::nullopt;
  }
}

std::optional<ObisMeaning> momentary(const Channel& c) noexcept {
  if (c.base == 13) {
    return ObisMeaning{make_key(Quantity::power_factor, Direction::none, c.phase), Unit::none,
                       ObisForm::ratio};
  }
  if (c.base == 14 && c.phase == Phase::none)
    return number(make_key(Quantity::frequency), Unit::Hz);
  return power(c, Aspect::none);
}

// 90: sum of the currents, 91 and 92: neutral, 81: angles (E names the two vectors as BDEW does).
// 131, 151, 171, 191: Landis+Gyr's net reactive power, all phases and each.
std::optional<ObisMeaning> beyond_phases(const Obis& o) noexcept {
  const auto of = [](Quantity quantity, Phase phase, Unit unit) {
    return number(make_key(quantity, Direction::none, phase), unit);
  };
  if (o.c() == 81) {
    switch (o.e()) {
      case 1:
        return of(Quantity::phase_angle, Phase::l1_l2, Unit::degree);
      case 2:
        return of(Quantity::phase_angle, Phase::l3_l1, Unit::degree);
      // 4, 15, 26: current against its voltage; 40, 51, 62 the same, named the other way round.
      case 4:
      case 40:
        return of(Quantity::phase_angle, Phase::l1, Unit::degree);
      case 15:
      case 51:
        return of(Quantity::phase_angle, Phase::l2, Unit::degree);
      case 26:
      case 62:
        return of(Quantity::phase_angle, Phase::l3, Unit::degree);
      default:
        return std::nullopt;
    }
  }
  if (o.e() != 0) return std::nullopt;
  if (o.c() == 90) return of(Quantity::current, Phase::none, Unit::A);
  if (o.c() == 91) return of(Quantity::current, Phase::n, Unit::A);
  if (o.c() == 92) return of(Quantity::voltage, Phase::n, Unit::V);
  if (o.c() == 131) return of(Quantity::reactive_power, Phase::none, Unit::kvar);
  if (o.c() == 151) return of(Quantity::reactive_power, Phase::l1, Unit::kvar);
  if (o.c() == 171) return of(Quantity::reactive_power, Phase::l2, Unit::kvar);
  if (o.c() == 191) return of(Quantity::reactive_power, Phase::l3, Unit::kvar);
  return std::nullopt;
}

std::optional<ObisMeaning> limit_of_phase(const Obis& o, const Channel& c) noexcept {
  // 1-1:31.4.0 of Luxembourg is a pair of limits of the whole connection, hence B = 0 only.
  if (c.base != 11 || c.phase == Phase::none || o.b() != 0) return std::nullopt;
  return number(make_key(Quantity::current, Direction::none, c.phase, 0, Aspect::limit), Unit::A);
}

std::optional<ObisMeaning> electricity(const Obis& o) noexcept {
  constexpr std::uint8_t maximum = 6;
  constexpr std::uint8_t instant = 7;
  constexpr std::uint8_t integral = 8;
  constexpr std::uint8_t average = 4;
  constexpr std::uint8_t last_average = 24;
  constexpr std::uint8_t unused = 255;
  const auto channel = channel_of(o.c());
  if (!channel) return o.d() == instant ? beyond_phases(o) : std::nullopt;
  switch (o.d()) {
    case integral:
      return o.e() <= max_tariff ? energy(*channel, o.e()) : std::nullopt;
    case instant:
      // EasyMeter's Q3DA writes 21.7.255: 255 is the group that is not used.
      return o.e() == 0 || o.e() == unused ? momentary(*channel) : std::nullopt;
    case average:
      if (o.e() != 0) return std::nullopt;
      if (channel->base > 10 && channel->base != 16) return limit_of_phase(o, *channel);
      return power(*channel, Aspect::demand);
    case last_average:
      return o.e() == 0 ? power(*channel, Aspect::demand) : std::nullopt;
    case maximum:
      if (channel->base > 10) return std::nullopt;
      return o.e() <= max_tariff ? power(*channel, Aspect::peak, o.e()) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<ObisMeaning> of_the_device(const Obis& o) noexcept {
  const auto as = [](Quantity quantity, ObisForm form) {
    return ObisMeaning{make_key(quantity), Unit::none, form};
  };
  const Obis code = without_f(o);
  if (code == Obis{0, 0, 1, 0, 0}) return as(Quantity::clock, ObisForm::clock);
  if (code == Obis{0, 0, 96, 1, 0} || code == Obis{0, 0, 96, 1, 1} ||
      code == Obis{1, 0, 96, 1, 0} || code == Obis{0, 0, 42, 0, 0}) {
    return as(Quantity::serial, ObisForm::text);
  }
  if (code == Obis{0, 0, 96, 14, 0}) return as(Quantity::tariff, ObisForm::tariff);
  // 96.13.1 is a number for other devices, no text.
  if (code == Obis{0, 0, 96, 13, 0}) return as(Quantity::message, ObisForm::text);
  if (code.a() == 0 && code.c() == 96 && code.d() == 13 && code.e() >= 2 && code.e() <= 5)
    return as(Quantity::message, ObisForm::text);
  if (code == Obis{0, 0, 17, 0, 0}) {
    return ObisMeaning{make_key(Quantity::power, Direction::none, Phase::none, 0, Aspect::limit),
                       Unit::none, ObisForm::limit};
  }
  if (code == Obis{0, 0, 96, 3, 10} || code == Obis{0, 0, 96, 50, 68}) {
    return as(Quantity::status, ObisForm::breaker);
  }
  if (code == Obis{1, 0, 0, 2, 0} || code == Obis{0, 0, 0, 2, 0})
    return as(Quantity::firmware, ObisForm::text);
  return std::nullopt;
}

}  // namespace

std::optional<ObisMeaning> meaning_of(const Obis& code) noexcept {
  constexpr std::uint8_t current_period = 255;
  constexpr std::uint8_t last_channel = 191;
  if (code.f() != current_period) return std::nullopt;
  if (code.a() == 1 && code.b() <= 1 && code.c() >= 1 && code.c() <= last_channel)
    return electricity(code);
  if (code.a() <= 1 && code.b() == 0) return of_the_device(code);
  return std::nullopt;
}

bool is_number(const Obis& code) noexcept {
  return is_number(code, meaning_of(code));
}

bool is_number(const Obis& code, const std::optional<ObisMeaning>& meaning) noexcept {
  if (meaning) {
    return meaning->form == ObisForm::number || meaning->form == ObisForm::ratio ||
           meaning->form == ObisForm::limit;
  }
  constexpr std::uint8_t failures = 7;
  constexpr std::uint8_t sags = 32;
  constexpr std::uint8_t swells = 36;
  // 0-0:96.7.21 power failures and their kin; 1-0:32.32.0, 52.32.0, 72.32.0 and .36.0.
  if (code.a() == 0 && code.c() == 96 && code.d() == failures) return true;
  return code.a() == 1 && (code.d() == sags || code.d() == swells);
}

std::optional<ReadingKey> limit_key(Unit unit) noexcept {
  const auto of = [](Quantity quantity) {
    return make_key(quantity, Direction::none, Phase::none, 0, Aspect::limit);
  };
  switch (dimension(unit)) {
    case Dimension::active_power:
      return of(Quantity::power);
    case Dimension::apparent_power:
      return of(Quantity::apparent_power);
    case Dimension::current:
      return of(Quantity::current);
    default:
      return std::nullopt;
  }
}

}  // namespace meterbridge::protocol
