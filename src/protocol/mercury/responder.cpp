// SPDX-License-Identifier: MIT
#include "protocol/mercury/responder.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::byte ok{0};
constexpr std::byte unknown{1};
constexpr std::byte level_too_low{3};
constexpr std::byte not_open{5};
constexpr int wrong_passwords_allowed = 3;
constexpr std::size_t most_waiting = 32;  // longer than any request
constexpr Ratios ratios_of_face{1, 20};

// How many whole 10^power are in a value, its sign aside; a register never shows more than counted.
std::int64_t counts(const Decimal& value, int power) {
  const auto moved = value.is_negative() ? value.times(Decimal(-1)) : value;
  const auto shifted = moved ? moved->shifted(-power) : moved;
  if (!shifted) return 0;
  const auto rounded = shifted->rounded(0);
  if (!rounded) return 0;
  return *rounded > *shifted ? rounded->digits() - 1 : rounded->digits();
}

std::byte low(std::int64_t value, unsigned byte) {
  return static_cast<std::byte>((value >> (8U * byte)) & 0xFF);
}

std::byte bcd(unsigned value) {
  return static_cast<std::byte>(((value / 10 % 10) << 4U) | (value % 10));
}

void append_energy(Bytes& bytes, std::int64_t count) {
  bytes.insert(bytes.end(), {low(count, 2), low(count, 3), low(count, 0), low(count, 1)});
}

void append_absent(Bytes& bytes, std::size_t width) {
  bytes.insert(bytes.end(), width, std::byte{0xFF});
}

Bytes bytes_of_value(const Form& form, const Decimal& value) {
  const std::int64_t count = counts(value, form.exponent);
  if (form.quantity == Quantity::temperature) return {low(count, 1), low(count, 0)};
  if (form.width == 2) return {low(count, 0), low(count, 1)};
  std::byte flags{0};
  if (value.is_negative()) flags = form.sign == Sign::reactive ? std::byte{0x40} : std::byte{0x80};
  return {low(count, 2) | flags, low(count, 0), low(count, 1)};
}

// The current of the face is that of its active power alone.
Decimal current_of(const Decimal& active) {
  const auto whole = active.times(Decimal(125, -2));
  return whole ? *whole : active;
}

// Of a request that begins here; 0 = not told yet, or none.
std::size_t request_length(ByteView bytes) {
  if (bytes.size() < 3) return 0;
  switch (u8(bytes[1])) {
    case 0x00:
    case 0x02:
      return 4;
    case 0x01:
      return 2 + 1 + password_length + crc_length;
    case 0x04:
      return 5;
    case 0x05:
      return 6;
    case 0x08: {
      const bool values = u8(bytes[2]) == 0x11 || u8(bytes[2]) == 0x14 || u8(bytes[2]) == 0x16;
      return values ? 6 : 5;
    }
    default:
      return 0;
  }
}

}  // namespace

MercuryResponder::MercuryResponder(const Options& options)
    : options_(options), address_(options.address.value_or(default_address)) {}

std::vector<Bytes> MercuryResponder::received(ByteView bytes) {
  std::vector<Bytes> answers;
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  std::size_t begin = 0;
  while (begin < arrived_.size()) {
    const ByteView rest = ByteView(arrived_).subspan(begin);
    const std::uint8_t address = u8(rest.front());
    const std::size_t length = request_length(rest);
    if ((address != address_ && address != 0) || length == 0 || length > rest.size() ||
        !crc_fits(rest.first(length))) {
      ++begin;
      continue;
    }
    answers.push_back(answer(address, rest.subspan(1, length - frame_overhead)));
    arrived_.erase(arrived_.begin(),
                   arrived_.begin() + static_cast<std::ptrdiff_t>(begin + length));
    begin = 0;
  }
  if (arrived_.size() > most_waiting)
    arrived_.erase(arrived_.begin(), arrived_.end() - std::ptrdiff_t{most_waiting});
  return answers;
}

Bytes MercuryResponder::answer(std::uint8_t address, ByteView body) {
  const auto kind = kind_of(body);
  const bool open = open_until_ && face_.now <= *open_until_;
  const bool free = kind == Kind::link_test || kind == Kind::open || kind == Kind::close ||
                    kind == Kind::serial || kind == Kind::address;
  Bytes data;
  if (!kind) {
    data = {unknown};
  } else if (!open && !free) {
    data = {not_open};
  } else {
    data = execute(*kind, body);
    if (open && open_until_) open_until_ = face_.now + open_for;
  }
  Bytes frame{static_cast<std::byte>(address + (mischief_.foreign ? 1 : 0))};
  frame.insert(frame.end(), data.begin(), data.end());
  frame = with_crc(std::move(frame));
  if (!mischief_.other_master) return frame;
  // In one piece with the answer: to the line it is one transmission.
  const Bytes sum{std::byte{5}, std::byte{0}, std::byte{0}};
  auto both = build_request(static_cast<std::uint8_t>(address_ + 1), sum);
  if (!both) return frame;
  both->insert(both->end(), frame.begin(), frame.end());
  return *both;
}

Bytes MercuryResponder::execute(Kind kind, ByteView body) {
  switch (kind) {
    case Kind::link_test:
      return {ok};
    case Kind::open:
      return open(body);
    case Kind::close:
      open_until_.reset();
      return {ok};
    case Kind::clock:
      return clock();
    case Kind::energy:
      return energy(body);
    case Kind::serial: {
      const auto tail = static_cast<std::byte>(address_ % 100);
      const auto head = static_cast<std::byte>(60 + address_ / 100);
      return {std::byte{41}, std::byte{90}, head, tail, std::byte{22}, std::byte{6}, std::byte{20}};
    }
    case Kind::ratios:
      return {low(ratios_of_face.voltage, 1), low(ratios_of_face.voltage, 0),
              low(ratios_of_face.current, 1), low(ratios_of_face.current, 0)};
    case Kind::version:
      return {bcd(9), bcd(0), bcd(1)};
    case Kind::address:
      return {std::byte{0}, static_cast<std::byte>(address_)};
    case Kind::status:
      return Bytes(6);
    case Kind::value:
      return value(u8(body[2]));
    case Kind::group:
      return group(u8(body[2]));
    default:
      return {unknown};
  }
}

// Three wrong passwords lock the level.
Bytes MercuryResponder::open(ByteView body) {
  const bool right = std::ranges::equal(body.subspan(2), options_.password) &&
                     u8(body[1]) == reader_level && wrong_passwords_ < wrong_passwords_allowed;
  if (!right) {
    ++wrong_passwords_;
    open_until_.reset();
    return {level_too_low};
  }
  wrong_passwords_ = 0;
  open_until_ = face_.now + open_for;
  return {ok};
}

// Whole Wh of each tariff: their sum is the sum that the meter shows.
std::int64_t MercuryResponder::import_of(int tariff) const {
  std::int64_t sum = 0;
  for (int t = 1; t <= 4; ++t) {
    if (tariff == 0 || tariff == t)
      sum += counts(face_.energy_import[static_cast<std::size_t>(t - 1)], 0);
  }
  return sum;
}

std::int64_t MercuryResponder::export_of(int tariff) const {
  std::int64_t sum = 0;
  for (int t = 1; t <= 4; ++t) {
    if (tariff == 0 || tariff == t)
      sum += counts(face_.energy_export[static_cast<std::size_t>(t - 1)], 0);
  }
  return sum;
}

// The load has a constant power factor of 0.8: reactive power is three quarters of the active one.
// The meter does not count exported reactive energy.
Bytes MercuryResponder::energy(ByteView body) const {
  const unsigned array = u8(body[1]) >> 4U;
  const int tariff = u8(body[2]);
  if (tariff > 4 || (array != 0 && array != 6)) return {unknown};
  Bytes data;
  const std::int64_t wh = import_of(tariff);
  if (array == 6) {
    for (const std::int64_t share : {2, 4, 4})
      append_energy(data, wh / share);
    return data;
  }
  append_energy(data, wh);
  append_energy(data, export_of(tariff));
  append_energy(data, wh * 3 / 4);
  append_absent(data, 4);
  return data;
}

std::optional<Decimal> MercuryResponder::measured(std::uint8_t bwri) const {
  const auto form = form_of(bwri);
  const unsigned phase = bwri & 3U;
  if (!form) return std::nullopt;
  Decimal power;
  for (unsigned i = 0; i < 3; ++i) {
    if (phase != 0 && phase != i + 1) continue;
    if (const auto sum = power.plus(face_.power[i])) power = *sum;
  }
  const auto share = [&power](std::int64_t hundredths) {
    const auto product = power.times(Decimal(hundredths, -2));
    return product ? *product : Decimal();
  };
  switch (form->quantity) {
    case Quantity::power:
      return power;
    case Quantity::reactive_power:
      return share(75);
    case Quantity::apparent_power: {
      const Decimal apparent = share(125);
      const auto positive = apparent.times(Decimal(apparent.is_negative() ? -1 : 1));
      return positive ? std::optional<Decimal>(*positive) : std::nullopt;
    }
    case Quantity::power_factor:
      return power.is_zero() ? Decimal() : Decimal(power.is_negative() ? -800 : 800, -3);
    case Quantity::frequency:
      return face_.frequency;
    case Quantity::phase_angle:
      return Decimal(120);
    case Quantity::thd_voltage:
      return Decimal(150, -2);
    case Quantity::temperature:
      return Decimal(23);
    case Quantity::voltage:
      return phase == 0 ? std::nullopt : std::optional(face_.voltage[phase - 1]);
    case Quantity::current:
      return phase == 0 ? std::nullopt : std::optional(current_of(face_.current[phase - 1]));
    default:
      return std::nullopt;
  }
}

Bytes MercuryResponder::value(std::uint8_t bwri) const {
  const auto form = form_of(bwri);
  const auto number = measured(bwri);
  return form && number ? bytes_of_value(*form, *number) : Bytes{unknown};
}

Bytes MercuryResponder::group(std::uint8_t bwri) const {
  const auto form = form_of(bwri);
  const auto lengths = group_lengths(bwri, false);
  if (!form || lengths.empty()) return {unknown};
  const std::size_t count = lengths.front() / 3;
  const unsigned first = count == 3 ? 1 : 0;
  Bytes data;
  for (unsigned i = 0; i < count; ++i) {
    const bool absent = options_.phases == 1 && first + i > 1;
    const auto number = measured(static_cast<std::uint8_t>((bwri & 0xFCU) + first + i));
    if (absent || !number) {
      append_absent(data, 3);
    } else {
      const Bytes bytes = bytes_of_value(*form, *number);
      data.insert(data.end(), bytes.begin(), bytes.end());
    }
  }
  return data;
}

Bytes MercuryResponder::clock() const {
  const LocalTime local = to_local(face_.now);
  const auto day = std::chrono::floor<std::chrono::days>(local.at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local.at - day);
  const int year = static_cast<int>(date.year());
  return {bcd(static_cast<unsigned>(time.seconds().count())),
          bcd(static_cast<unsigned>(time.minutes().count())),
          bcd(static_cast<unsigned>(time.hours().count())),
          bcd(std::chrono::weekday(day).iso_encoding()),
          bcd(static_cast<unsigned>(date.day())),
          bcd(static_cast<unsigned>(date.month())),
          bcd(static_cast<unsigned>(year < 0 ? 0 : year % 100)),
          bcd(1)};
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<MercuryResponder>(*options));
}

}  // namespace meterbridge::protocol::mercury
