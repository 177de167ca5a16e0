// SPDX-License-Identifier: MIT
#include "protocol/dlt645/answer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::uint8_t sign_bit = 0x80;

// As people read it: the highest byte first.
std::string shown(ByteView bytes) {
  Bytes turned(bytes.rbegin(), bytes.rend());
  return to_hex_upper(turned);
}

bool is_absent(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0xFF}; });
}

Error no_bcd(const std::string& name, ByteView bytes) {
  return {Errc::malformed, name + ": digits above 9: " + shown(bytes)};
}

// Low byte first, at most eight bytes.
std::optional<std::int64_t> number_in(ByteView bytes) {
  std::int64_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    const auto digits = ByteReader(bytes.subspan(i - 1, 1)).bcd();
    if (!digits) return std::nullopt;
    number = number * 100 + *digits;
  }
  return number;
}

struct Found {
  Found() = default;
  std::vector<Item> items;
  std::vector<Reading> readings;
  std::optional<Seconds> time;
  std::string serial;
};

Result<> read_number(Found& found, const CodeRow& row, const std::string& name, ByteView bytes) {
  Bytes plain(bytes.begin(), bytes.end());
  const bool negative = row.with_sign && (u8(plain.back()) & sign_bit) != 0;
  if (row.with_sign) plain.back() &= std::byte{0x7F};
  const auto count = number_in(plain);
  if (!count) return no_bcd(name, bytes);
  const auto value = Decimal(negative ? -*count : *count).times(row.scale);
  if (!value) return value.error();
  auto reading = Reading::make(row.key, *value, row.unit);
  if (!reading) return reading.error();
  Item item(name);
  item.value = *value;
  item.unit = symbol(row.unit);
  found.items.push_back(std::move(item));
  found.readings.push_back(std::move(*reading));
  return {};
}

Result<> read_clock(Found& found, const CodeRow& row, const std::string& name, ByteView bytes) {
  std::array<int, 7> part{};
  ByteReader reader(bytes);
  for (int& p : part) {
    const auto digits = reader.bcd();
    if (!digits) return no_bcd(name, bytes);
    p = *digits;
  }
  Item item(name);
  const auto local = LocalTime::make(2000 + part[6], part[5], part[4], part[2], part[1], part[0]);
  // A clock that was never set shows impossible dates; that is no damage.
  item.text = local ? iso_local(*local) : shown(bytes);
  found.items.push_back(std::move(item));
  if (!local) return {};
  // The hour that the zone skips in spring exists on meters that know no summer time.
  if (const auto utc = to_utc(*local)) {
    found.time = *utc;
    found.readings.emplace_back(row.key, *utc);
  }
  return {};
}

Result<> read_row(Found& found, const CodeRow& row, const std::string& name, ByteView bytes) {
  if (is_absent(bytes)) return {};
  if (row.form == Form::number) return read_number(found, row, name, bytes);
  if (row.form == Form::clock) return read_clock(found, row, name, bytes);
  if (!number_in(bytes)) return no_bcd(name, bytes);
  Item item(name);
  item.text = shown(bytes);
  found.readings.emplace_back(row.key, *item.text);
  if (row.key.quantity == Quantity::serial) found.serial = *item.text;
  found.items.push_back(std::move(item));
  return {};
}

// How many values there are. A block may end with AA.
Result<std::size_t> values_in(const CodeRow& row, const std::string& name, ByteView payload) {
  const auto width = static_cast<std::size_t>(row.bytes);
  const std::size_t count = payload.size() / width;
  const std::size_t rest = payload.size() % width;
  const bool ended = rest == 0 || (rest == 1 && width > 1 && payload.back() == filler);
  if (row.block ? count > 0 && ended : payload.size() == width) return count;
  return Error(Errc::malformed, "the answer to " + name + " has " + std::to_string(payload.size()) +
                                    " bytes, and " +
                                    (row.block ? "is no block of values of " : "should have ") +
                                    std::to_string(width));
}

}  // namespace

Telegram empty_telegram() {
  Telegram telegram;
  telegram.protocol = "dlt645";
  telegram.readings.emplace_back();
  return telegram;
}

Result<> read_answer(Telegram& telegram, const Selection& answer, const CodeTable& table) {
  const std::string name = name_of(answer.version, answer.code);
  const auto any = std::ranges::find(table, answer.code, &CodeRow::code);
  if (any == table.end()) {
    Item item(name);
    item.text = shown(answer.payload);
    telegram.items.push_back(std::move(item));
    return {};
  }
  const auto count = values_in(*any, name, answer.payload);
  if (!count) return count.error();
  Found found;
  for (const CodeRow& row : table) {
    if (row.code != answer.code || static_cast<std::size_t>(row.part) > *count) continue;
    const auto width = static_cast<std::size_t>(row.bytes);
    const auto bytes =
        answer.payload.subspan(width * static_cast<std::size_t>(row.part - 1), width);
    const auto read =
        read_row(found, row, row.block ? name + ":" + std::to_string(row.part) : name, bytes);
    if (!read) return read.error();
  }
  std::ranges::move(found.items, std::back_inserter(telegram.items));
  std::ranges::move(found.readings, std::back_inserter(telegram.readings.front().readings));
  if (found.time) telegram.time = found.time;
  if (!found.serial.empty()) telegram.meter.serial = found.serial;
  return {};
}

}  // namespace meterbridge::protocol::dlt645
