// SPDX-License-Identifier: MIT
#include "protocol/mercury200/responder.hpp"

#include <chrono>
#include <utility>

namespace meterbridge::protocol::mercury200 {
namespace {

constexpr std::size_t request_length = overhead;  // requests with a parameter are not answered
constexpr std::uint32_t serial_of_address_0 = 6'000'000;

// How many whole 10^power are in a value; a register never shows more than it counted.
std::int64_t counts(const Decimal& value, int power) {
  const auto shifted = value.shifted(-power);
  if (!shifted) return 0;
  const auto rounded = shifted->rounded(0);
  if (!rounded) return 0;
  const std::int64_t count = *rounded > *shifted ? rounded->digits() - 1 : rounded->digits();
  return count < 0 ? -count : count;  // these meters show no sign
}

void append_bcd(Bytes& bytes, std::int64_t value, std::size_t width) {
  Bytes digits(width);
  for (std::size_t i = width; i > 0; --i) {
    digits[i - 1] = static_cast<std::byte>(((value / 10 % 10) << 4) | (value % 10));
    value /= 100;
  }
  bytes.insert(bytes.end(), digits.begin(), digits.end());
}

Bytes big(std::uint32_t value) {
  Bytes bytes;
  for (unsigned shift = 32; shift > 0; shift -= 8)
    bytes.push_back(static_cast<std::byte>((value >> (shift - 8)) & 0xFFU));
  return bytes;
}

}  // namespace

Mercury200Responder::Mercury200Responder(const Options& options)
    : options_(options), address_(options.address.value_or(default_address)) {}

std::vector<Bytes> Mercury200Responder::received(ByteView bytes) {
  std::vector<Bytes> answers;
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  std::size_t begin = 0;
  for (; begin + request_length <= arrived_.size(); ++begin) {
    const ByteView wire = ByteView(arrived_).subspan(begin, request_length);
    const auto request = parse_frame(wire);
    if (!request || request->address != address_) continue;
    const Bytes data = data_of(static_cast<Command>(request->command));
    begin += request_length - 1;
    if (data.empty()) continue;
    Bytes frame = big(address_ + (mischief_.foreign ? 1 : 0));
    frame.push_back(static_cast<std::byte>(request->command));
    frame.insert(frame.end(), data.begin(), data.end());
    frame = mercury::with_crc(std::move(frame));
    if (mischief_.other_master) {
      // In one piece with the answer: to the line it is one transmission.
      if (auto both = build_request(address_ + 1, Command::energy)) {
        both->insert(both->end(), frame.begin(), frame.end());
        frame = std::move(*both);
      }
    }
    answers.push_back(std::move(frame));
  }
  arrived_.erase(arrived_.begin(),
                 arrived_.begin() + static_cast<std::ptrdiff_t>(std::min(begin, arrived_.size())));
  return answers;
}

Bytes Mercury200Responder::data_of(Command command) const {
  switch (command) {
    case Command::energy:
      return energy(false);
    case Command::reactive_energy:
      return options_.reactive ? energy(true) : Bytes{};
    case Command::instant:
      return instant();
    case Command::clock:
      return clock();
    case Command::frequency: {
      Bytes data;
      append_bcd(data, counts(face_.frequency, -2), 2);
      data.push_back(static_cast<std::byte>(face_.tariff - 1));
      data.resize(10);
      return data;
    }
    case Command::serial:
      return big(address_ < 1'000'000 ? serial_of_address_0 + address_ : address_);
    case Command::version: {
      Bytes data{std::byte{8}, std::byte{3}, std::byte{0}};
      append_bcd(data, 10310, 3);
      return data;
    }
    case Command::battery: {
      Bytes data;
      append_bcd(data, 305, 2);
      return data;
    }
    case Command::tariffs:
      return {static_cast<std::byte>(options_.tariffs)};
    default:
      return {};
  }
}

// Tariffs that the meter was not made for have no digits. The load has a constant power factor of
// 0.8: reactive energy is three quarters of the active one.
Bytes Mercury200Responder::energy(bool reactive) const {
  Bytes data;
  for (int tariff = 1; tariff <= 4; ++tariff) {
    if (tariff > options_.tariffs) {
      data.insert(data.end(), 4, std::byte{0xFF});
      continue;
    }
    const std::int64_t count = counts(face_.energy_import[static_cast<std::size_t>(tariff - 1)], 1);
    append_bcd(data, reactive ? count * 3 / 4 : count, 4);
  }
  return data;
}

Bytes Mercury200Responder::instant() const {
  Bytes data;
  append_bcd(data, counts(face_.voltage[0], options_.voltage_scale.exponent()), 2);
  append_bcd(data, counts(face_.current[0], -2), 2);
  append_bcd(data, counts(face_.power[0], 0), 3);
  return data;
}

Bytes Mercury200Responder::clock() const {
  const LocalTime local = to_local(face_.now);
  const auto day = std::chrono::floor<std::chrono::days>(local.at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local.at - day);
  Bytes data;
  append_bcd(data, std::chrono::weekday(day).c_encoding(), 1);
  append_bcd(data, time.hours().count(), 1);
  append_bcd(data, time.minutes().count(), 1);
  append_bcd(data, time.seconds().count(), 1);
  append_bcd(data, static_cast<unsigned>(date.day()), 1);
  append_bcd(data, static_cast<unsigned>(date.month()), 1);
  append_bcd(data, static_cast<int>(date.year()) % 100, 1);
  return data;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<Mercury200Responder>(*options));
}

}  // namespace meterbridge::protocol::mercury200
