// SPDX-License-Identifier: MIT
#include "protocol/p1/submeters.hpp"

#include "core/text.hpp"
#include "protocol/p1/stamp.hpp"

#include <array>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::size_t channels = 4;

struct Medium {
  std::string_view name;
  ReadingKey key;
  ReadingKey other;  // when the unit does not fit `key`: the volume that a heat meter counts too
};

// M-Bus device types.
std::optional<Medium> medium_of(int type) noexcept {
  const ReadingKey volume = make_key(Quantity::volume);
  switch (type) {
    case 2:
      return Medium{"electricity", make_key(Quantity::energy, Direction::import), volume};
    case 3:
      return Medium{"gas", make_key(Quantity::gas), volume};
    case 6:  // warm
    case 7:
      return Medium{"water", make_key(Quantity::water), volume};
    case 4:
    case 12:  // at the inlet
    case 13:  // heat and cold
      return Medium{"heat", make_key(Quantity::heat), volume};
    default:
      return std::nullopt;
  }
}

struct Channel {
  int type = 0;
  std::string_view serial;  // as sent
  std::optional<Decimal> value;
  std::string_view unit;
  std::optional<Seconds> time;
  bool stamped = false;  // the value came with a stamp, good or not
};

int small_number(std::string_view digits) noexcept {
  constexpr std::size_t longest = 4;
  if (digits.empty() || digits.size() > longest) return 0;
  int number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

void take_value(Channel& channel, const Item& item) {
  if (channel.value || !item.value || item.unit.empty()) return;
  channel.value = item.value;
  channel.unit = item.unit;
  channel.time = item.time;
  channel.stamped = item.time.has_value();
}

// DSMR 2.2 and 3.0: (stamp)(status)(60)(1)(0-n:24.2.1)(unit), then the value on a line of its own.
void take_old_value(Channel& channel, const Item& item, std::chrono::minutes offset) {
  constexpr std::size_t unit_at = 5;
  constexpr std::size_t value_at = 6;
  if (channel.value || item.groups.size() <= value_at) return;
  const auto value = Decimal::parse(item.groups[value_at]);
  if (!value) return;
  channel.value = *value;
  channel.unit = item.groups[unit_at];
  channel.time = parse_stamp_without_season(item.groups[0], offset);
  if (!channel.time) channel.time = parse_stamp(item.groups[0], offset);
  channel.stamped = true;
}

void take(Channel& channel, const Obis& code, const Item& item, std::chrono::minutes offset) {
  const std::string_view text = item.text ? std::string_view(*item.text) : std::string_view();
  if (code.c() == 24 && code.d() == 1 && code.e() == 0) {
    channel.type = small_number(text);
  } else if (code.c() == 96 && code.d() == 1 && code.e() <= 1) {
    if (channel.serial.empty()) channel.serial = text;
  } else if (code.c() == 24 && code.d() == 2 && (code.e() == 1 || code.e() == 3)) {
    take_value(channel, item);
  } else if (code.c() == 24 && code.d() == 3 && code.e() == 0) {
    take_old_value(channel, item, offset);
  }
}

std::string readable(std::string_view sent) {
  const auto decoded = hex_text(sent);
  return sanitised(decoded ? std::string_view(*decoded) : sent);
}

std::string for_identity(std::string_view sent) {
  std::string out;
  for (const char c : sent) {
    const bool allowed = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                         (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    if (allowed) out += c;
  }
  return out;
}

bool has_bad_time(const Channel& channel) {
  if (!channel.stamped) return false;
  // The epoch of meters that never had a clock: 1970, which two digits also print as 2070.
  const auto first_believable = Seconds(std::chrono::sys_days(std::chrono::year(1971) / 1 / 1));
  return !channel.time || *channel.time < first_believable;
}

std::optional<MeterReadings> readings_of(const Channel& channel) {
  const auto medium = medium_of(channel.type);
  const auto unit = unit_from(channel.unit);
  if (!medium || !channel.value || !unit || has_bad_time(channel)) return std::nullopt;
  const std::string serial = readable(channel.serial);
  const std::string identity = for_identity(channel.serial);
  if (serial.empty() || identity.empty()) return std::nullopt;
  auto reading = Reading::make(medium->key, *channel.value, *unit);
  if (!reading) reading = Reading::make(medium->other, *channel.value, *unit);
  if (!reading) return std::nullopt;
  reading->time = channel.time;
  MeterReadings meter;
  meter.submeter = std::string(medium->name) + "_" + identity;
  meter.identity.serial = serial;
  meter.time = channel.time;
  meter.readings.push_back(*std::move(reading));
  return meter;
}

}  // namespace

void add_submeters(Telegram& telegram, Codes codes, std::chrono::minutes normal_offset) {
  std::array<Channel, channels> found{};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto& code = codes[i].obis;
    if (!code || code->a() != 0 || code->b() < 1 || code->b() > channels) continue;
    take(found[code->b() - 1U], *code, telegram.items[i], normal_offset);
  }
  for (const Channel& channel : found) {
    auto meter = readings_of(channel);
    if (!meter) continue;
    bool known = false;
    for (const MeterReadings& other : telegram.readings) {
      known = known || other.submeter == meter->submeter;
    }
    if (!known) telegram.readings.push_back(*std::move(meter));
  }
}

}  // namespace meterbridge::protocol::p1
