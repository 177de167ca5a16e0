// SPDX-License-Identifier: MIT
#include "protocol/ce102/responder.hpp"

#include "protocol/ce102/payload.hpp"

#include <algorithm>
#include <chrono>

namespace meterbridge::protocol::ce102 {
namespace {

constexpr std::uint8_t unknown_command = 0x00;
constexpr std::uint8_t access_refused = 0x02;
constexpr std::uint8_t wrong_count = 0x03;
constexpr std::uint8_t bad_parameter = 0x10;
constexpr int wrong_passwords_allowed = 3;
constexpr std::size_t serial_length = 15;
constexpr int tariffs_of_face = 4;

std::byte bcd(unsigned value) {
  return static_cast<std::byte>(((value / 10 % 10) << 4U) | (value % 10));
}

// The lowest `width` bytes, low byte first.
Bytes little(std::int64_t value, std::size_t width) {
  Bytes bytes;
  for (std::size_t i = 0; i < width; ++i)
    bytes.push_back(static_cast<std::byte>((value >> (8U * i)) & 0xFF));
  return bytes;
}

// How many whole `step` x 10^power are in a value; a register never shows more than it counted.
std::int64_t counts(const Decimal& value, int power) {
  const auto moved = value.shifted(-power);
  if (!moved) return 0;
  const auto rounded = moved->rounded(0);
  if (!rounded) return 0;
  return *rounded > *moved ? rounded->digits() - 1 : rounded->digits();
}

constexpr std::uint16_t other_master = 1;

// Somebody else reads the sum of the next meter.
Bytes request_of_another(const Station& ours) {
  Station theirs;
  theirs.meter = static_cast<std::uint16_t>(ours.meter + 1);
  theirs.bridge = other_master;
  const Bytes sum{std::byte{0}, std::byte{0}};
  const auto request = build_request(theirs, Query::energy, sum);
  return request ? *request : Bytes{};
}

struct Date {
  unsigned day = 0, month = 0, year = 0, weekday = 0;
};

Date date_of(const LocalTime& local) {
  const auto day = std::chrono::floor<std::chrono::days>(local.at);
  const std::chrono::year_month_day date(day);
  const int year = static_cast<int>(date.year());
  return {static_cast<unsigned>(date.day()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(year < 0 ? 0 : year % 100), std::chrono::weekday(day).c_encoding()};
}

}  // namespace

Ce102Responder::Ce102Responder(const Options& options)
    : options_(options), serial_(options.serial) {
  if (options_.family == Family::automatic) options_.family = Family::ce307;
  if (!options_.address) options_.station.meter = default_address;
  if (serial_.size() > serial_length || serial_.empty()) {
    const std::string digits = std::to_string(options_.station.meter);
    serial_ = "0117911658" + std::string(5 - digits.size(), '0') + digits;
  }
}

std::vector<Bytes> Ce102Responder::received(ByteView bytes) {
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  std::vector<Bytes> answers;
  while (!arrived_.empty()) {
    const Cut cut = find_frame(arrived_);
    if (cut.drop + cut.frame == 0) break;
    const auto begin = arrived_.begin() + static_cast<std::ptrdiff_t>(cut.drop);
    const Bytes wire(begin, begin + static_cast<std::ptrdiff_t>(cut.frame));
    arrived_.erase(arrived_.begin(), begin + static_cast<std::ptrdiff_t>(cut.frame));
    if (wire.empty()) continue;
    auto sent = answer(wire);
    if (!sent) continue;
    // In one piece with the answer: to the line it is one transmission.
    if (mischief_.other_master) {
      Bytes both = request_of_another(options_.station);
      both.insert(both.end(), sent->begin(), sent->end());
      sent = std::move(both);
    }
    answers.push_back(std::move(*sent));
  }
  return answers;
}

std::optional<Bytes> Ce102Responder::answer(ByteView wire) {
  const auto request = parse_request(wire);
  // The paper of the CE307 lets it answer who asks everybody; the others do not.
  constexpr std::uint16_t everybody = 0xFFFF;
  const bool ours = request && (request->to == options_.station.meter ||
                                (request->to == everybody && options_.family == Family::ce307));
  if (!ours) return std::nullopt;
  Answer answer;
  if (admitted(*request)) {
    answer = execute(*request);
  } else {
    answer.error = access_refused;
  }
  Frame reply;
  reply.to = request->from;
  reply.from = static_cast<std::uint16_t>(options_.station.meter + (mischief_.foreign ? 1 : 0));
  reply.command = request->command;
  reply.access = answer.error ? class_error : class_execute;
  reply.data = answer.error ? Bytes{std::byte{*answer.error}} : answer.data;
  return build_reply(reply);
}

// The user without password may always read; three wrong passwords lock the interface.
bool Ce102Responder::admitted(const Frame& request) {
  if (wrong_passwords_ >= wrong_passwords_allowed) return false;
  if (request.password == 0 || request.password == options_.station.password) return true;
  ++wrong_passwords_;
  return false;
}

Ce102Responder::Answer Ce102Responder::execute(const Frame& request) const {
  const auto query = static_cast<Query>(request.command);
  const QueryRule* rule = find_rule(query);
  Answer answer;
  answer.error = unknown_command;
  if (rule == nullptr) return answer;
  if (request.data.size() < rule->shortest || request.data.size() > rule->longest) {
    answer.error = wrong_count;
    return answer;
  }
  switch (query) {
    case Query::ping:
      answer.data = little(options_.station.meter, 2);
      answer.error.reset();
      return answer;
    case Query::version:
      return version(request.data);
    case Query::serial:
      return serial_part(request.data);
    case Query::date_time:
      return date_time();
    case Query::energy:
      return energy(request.data);
    case Query::energy_total:
      return energy_total(request.data);
    case Query::config:
      if (!classic()) return answer;
      answer.data = {
          std::byte{0},
          std::byte{static_cast<std::uint8_t>(options_.decimals.value_or(assumed_decimals))},
          std::byte{0}, std::byte{0}, std::byte{0}};
      answer.error.reset();
      return answer;
    case Query::status:
      return classic() ? answer : status();
    case Query::power:
    case Query::phase_voltage:
    case Query::phase_current:
    case Query::phase_power:
      return phases(query);
  }
  return answer;
}

Ce102Responder::Answer Ce102Responder::version(ByteView parameters) const {
  Answer answer;
  if (!parameters.empty()) {
    answer.data = {std::byte{1}, std::byte{0}};
    return answer;
  }
  const std::uint8_t core = classic() ? 2 : 10;
  const std::uint8_t type = options_.family == Family::ce307 ? 2 : 1;
  answer.data = {std::byte{core}, std::byte{type}, std::byte{3}, bcd(17), bcd(5), bcd(12)};
  return answer;
}

Ce102Responder::Answer Ce102Responder::serial_part(ByteView parameters) const {
  Answer answer;
  const std::size_t part = u8(parameters.front());
  if (part > 1) {
    answer.error = bad_parameter;
    return answer;
  }
  std::string reversed(serial_.rbegin(), serial_.rend());
  reversed.resize(2 * serial_part_length, '\0');
  answer.data = to_bytes(reversed.substr(part * serial_part_length, serial_part_length));
  return answer;
}

Ce102Responder::Answer Ce102Responder::date_time() const {
  const LocalTime local = to_local(face_.now);
  const Date date = date_of(local);
  const auto time =
      std::chrono::hh_mm_ss(local.at - std::chrono::floor<std::chrono::days>(local.at));
  Answer answer;
  answer.data = {bcd(static_cast<unsigned>(time.seconds().count())),
                 bcd(static_cast<unsigned>(time.minutes().count())),
                 bcd(static_cast<unsigned>(time.hours().count())),
                 bcd(date.weekday),
                 bcd(date.day),
                 bcd(date.month),
                 bcd(date.year)};
  return answer;
}

// Tariff 0 = the sum. Classic registers have the configured decimals, the others 0.01 kWh.
Bytes Ce102Responder::count_of(int tariff) const {
  Decimal wh;
  for (int t = 1; t <= tariffs_of_face; ++t) {
    if (tariff != 0 && tariff != t) continue;
    const auto sum = wh.plus(face_.energy_import[static_cast<std::size_t>(t - 1)]);
    if (sum) wh = *sum;
  }
  const int decimals = classic() ? options_.decimals.value_or(assumed_decimals) : 2;
  return little(counts(wh, 3 - decimals), 4);
}

Ce102Responder::Answer Ce102Responder::energy(ByteView parameters) const {
  const int tariff = classic() ? u8(parameters[0]) + 1 : u8(parameters[1]);
  const int depth = classic() ? u8(parameters[1]) : u8(parameters[0]);
  Answer answer;
  if (tariff > std::min(options_.tariffs, tariffs_of_face) ||
      depth != 0) {  // past months are not played
    answer.error = bad_parameter;
    return answer;
  }
  if (!classic()) {
    const Date date = date_of(to_local(face_.now));
    answer.data = {bcd(0), bcd(date.month), bcd(date.year)};
  }
  const Bytes count = count_of(tariff);
  answer.data.insert(answer.data.end(), count.begin(), count.end());
  return answer;
}

Ce102Responder::Answer Ce102Responder::energy_total(ByteView parameters) const {
  Answer answer;
  if (!classic()) {
    answer.error = unknown_command;
  } else if (u8(parameters.front()) != 0) {
    answer.error = bad_parameter;
  } else {
    answer.data = count_of(0);
  }
  return answer;
}

Ce102Responder::Answer Ce102Responder::status() const {
  const std::byte tariff{static_cast<std::uint8_t>(face_.tariff)};
  const std::byte none{0};
  Answer answer;
  answer.data = {none,   none,   none, std::byte{29}, std::byte{0x0F},
                 tariff, tariff, none, none,          none};
  return answer;
}

Ce102Responder::Answer Ce102Responder::phases(Query query) const {
  Answer answer;
  const bool known =
      classic() ? query == Query::power : options_.family == Family::r51 && query != Query::power;
  if (!known) {
    answer.error = unknown_command;
    return answer;
  }
  const Decimal power_scale = options_.instant.power_scale.value_or(Decimal(1, classic() ? 0 : -3));
  if (query == Query::phase_voltage) {
    answer.data = little(counts(face_.voltage[0], -2), 2);
  } else if (query == Query::phase_current) {
    answer.data = little(counts(face_.current[0], options_.instant.current_scale.exponent()), 2);
  } else {
    answer.data =
        little(counts(face_.power[0], power_scale.exponent()), query == Query::power ? 3 : 4);
  }
  if (options_.instant.high_byte_first && query != Query::power) std::ranges::reverse(answer.data);
  return answer;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<Ce102Responder>(*options));
}

}  // namespace meterbridge::protocol::ce102
