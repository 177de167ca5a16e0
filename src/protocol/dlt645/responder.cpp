// SPDX-License-Identifier: MIT
#include "protocol/dlt645/responder.hpp"

#include "protocol/face.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::uint8_t no_such_value = 2;

// Low digits first, as many as fit.
Bytes packed(std::int64_t value, int width) {
  Bytes bytes;
  for (int i = 0; i < width; ++i, value /= 100)
    bytes.push_back(static_cast<std::byte>((value / 10 % 10) * 16 + value % 10));
  return bytes;
}

// Whole steps of a register in a value, towards zero: it never shows more than it counted.
std::int64_t steps_in(const Decimal& value, const Decimal& step) {
  constexpr int most_digits = 16;
  std::int64_t steps = 0;
  Decimal rest = value.is_negative() ? Decimal(-value.digits(), value.exponent()) : value;
  const Decimal one = step.is_negative() ? Decimal(-step.digits(), step.exponent()) : step;
  for (int power = most_digits - 1; power >= 0; --power) {
    const auto size = one.shifted(power);
    if (!size) continue;
    std::int64_t weight = 1;
    for (int i = 0; i < power; ++i)
      weight *= 10;
    while (rest >= *size) {
      const auto left = rest.minus(*size);
      if (!left) break;
      rest = *left;
      steps += weight;
    }
  }
  return steps;
}

// The sign takes the highest bit, so that the first digit is 7 at most.
std::int64_t fitting(std::int64_t steps, const CodeRow& row) {
  std::int64_t most = row.with_sign ? 8 : 10;
  for (int i = 1; i < 2 * row.bytes; ++i)
    most *= 10;
  return steps % most;
}

}  // namespace

Dlt645Responder::Dlt645Responder(Options options)
    : options_(std::move(options)), address_(options_.address.value_or(default_address)) {}

std::vector<Bytes> Dlt645Responder::received(ByteView bytes) {
  constexpr std::size_t most_waiting = 1024;
  std::vector<Bytes> answers;
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  for (;;) {
    const Cut cut = find_frame(arrived_);
    if (cut.frame == 0) break;
    const auto end = arrived_.begin() + static_cast<std::ptrdiff_t>(cut.drop + cut.frame);
    const Bytes wire(arrived_.begin() + static_cast<std::ptrdiff_t>(cut.drop), end);
    arrived_.erase(arrived_.begin(), end);
    const auto frame = parse_frame(wire);
    const auto asked = frame ? request_in(*frame) : std::nullopt;
    const bool everybody = std::ranges::all_of(ByteView(wire).subspan(1, address_length),
                                               [](std::byte b) { return b == filler; });
    if (!asked || asked->version != options_.version || (!everybody && frame->address != address_))
      continue;
    answers.push_back(answer_to(*asked));
  }
  if (arrived_.size() > most_waiting) arrived_.clear();
  return answers;
}

Bytes Dlt645Responder::answer_to(const Selection& asked) const {
  const std::int64_t address = (address_ + (mischief_.foreign ? 1 : 0)) % (most_address + 1);
  const std::uint8_t control = from_meter | read_command(options_.version);
  const Bytes payload = payload_of(asked.code);
  Bytes data;
  for (std::size_t i = 0; i < code_length(options_.version); ++i)
    data.push_back(static_cast<std::byte>((asked.code >> (8 * i)) & 0xFFU));
  data.insert(data.end(), payload.begin(), payload.end());
  const Bytes frame = payload.empty()
                          ? make_frame(address, control | refused, Bytes{std::byte{no_such_value}})
                          : make_frame(address, control, data);
  // In one piece with the answer: to the line it is one transmission.
  Bytes wire;
  if (mischief_.other_master)
    wire = read_request(options_.version, (address_ + 1) % (most_address + 1), asked.code, 0);
  wire.insert(wire.end(), static_cast<std::size_t>(options_.wake_ups), wake_up);
  wire.insert(wire.end(), frame.begin(), frame.end());
  return wire;
}

Bytes Dlt645Responder::payload_of(std::uint32_t code) const {
  Bytes payload;
  for (const CodeRow& row : options_.codes) {
    if (row.code != code) continue;
    const auto width = static_cast<std::size_t>(row.bytes);
    const std::size_t at = width * static_cast<std::size_t>(row.part - 1);
    if (at + width + code_length(options_.version) > max_data) continue;
    if (payload.size() < at + width) payload.resize(at + width);
    std::ranges::copy(value_of(row), payload.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return payload;
}

Bytes Dlt645Responder::value_of(const CodeRow& row) const {
  if (row.form == Form::digits) return packed(address_, row.bytes);
  if (row.form == Form::clock) {
    const LocalTime local = to_local(face_.now);
    const auto day = std::chrono::floor<std::chrono::days>(local.at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(local.at - day);
    Bytes bytes;
    for (const std::int64_t part :
         {std::int64_t{time.seconds().count()}, std::int64_t{time.minutes().count()},
          std::int64_t{time.hours().count()}, std::int64_t{std::chrono::weekday(day).c_encoding()},
          std::int64_t{static_cast<unsigned>(date.day())},
          std::int64_t{static_cast<unsigned>(date.month())},
          std::int64_t{static_cast<int>(date.year()) % 100}})
      bytes.push_back(packed(part, 1).front());
    return bytes;
  }
  const Decimal value = shown(row.key, face_);
  // What one count is in the unit of the reading: 0.0001 kW is 0.1 W.
  const auto step = Reading::make(row.key, row.scale, row.unit);
  const auto* const counted = step ? std::get_if<Decimal>(&step->value) : nullptr;
  Bytes bytes = packed(counted == nullptr ? 0 : fitting(steps_in(value, *counted), row), row.bytes);
  if (row.with_sign && value.is_negative()) bytes.back() |= std::byte{0x80};
  return bytes;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<Dlt645Responder>(*std::move(options)));
}

}  // namespace meterbridge::protocol::dlt645
