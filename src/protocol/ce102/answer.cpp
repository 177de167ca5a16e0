// SPDX-License-Identifier: MIT
#include "protocol/ce102/answer.hpp"

#include "core/text.hpp"
#include "protocol/ce102/payload.hpp"

#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

Decoded good(Telegram telegram) {
  Decoded decoded = entry(Status::ok, {});
  telegram.meter.manufacturer = "Energomera";
  telegram.readings.front().identity = telegram.meter;
  decoded.telegram = std::move(telegram);
  return decoded;
}

// An item of a number without a known unit or scale.
void put_count(Telegram& telegram, std::string address, std::uint64_t count) {
  Item item(std::move(address));
  item.value = Decimal(static_cast<std::int64_t>(count));
  telegram.items.push_back(std::move(item));
}

void put_text(Telegram& telegram, std::string address, std::string text) {
  Item item(std::move(address));
  item.text = std::move(text);
  telegram.items.push_back(std::move(item));
}

void put_bytes(Telegram& telegram, std::string address, ByteView data) {
  Item item(std::move(address));
  for (const std::byte b : data)
    item.groups.push_back(to_hex_upper(ByteView(&b, 1)));
  telegram.items.push_back(std::move(item));
}

// Answers that other tools ask for on the same bus. They are never polled, so they are no queries,
// and they become no readings.
constexpr std::uint16_t battery = 0x0126;
constexpr std::uint16_t meter_code = 0x0128;
constexpr std::uint16_t average_power = 0x012E;
constexpr std::uint16_t day_energy = 0x012F;

constexpr int max_tariff = 5;  // 0 = sum

struct Asked {
  int tariff = 0;
  int depth = 0;
};

// The same two bytes mean depth, tariff in r51 and ce307, and tariff - 1, depth in classic.
Result<Asked> asked_energy(const Frame& request, bool classic) {
  const bool total = request.command == static_cast<std::uint16_t>(Query::energy_total);
  if (request.data.size() != (total ? 1U : 2U))
    return Error(Errc::malformed, "a request with wrong parameters");
  Asked asked;
  const int first = u8(request.data[0]);
  const int second = total ? 0 : u8(request.data[1]);
  asked.depth = total || !classic ? first : second;
  if (!total) asked.tariff = classic ? first + 1 : second;
  if (asked.tariff > max_tariff)
    return Error(Errc::malformed, "a request for tariff " + std::to_string(asked.tariff));
  return asked;
}

// The total is a command of classic meters only, the energy of days one of the others only.
Result<> check_form(const Frame& reply, Family family) {
  const bool classic = reply.data.size() == energy_length_classic;
  if (reply.command == static_cast<std::uint16_t>(Query::energy_total)) {
    if (reply.data.size() == energy_length_dated || family == Family::r51 ||
        family == Family::ce307) {
      return Error(Errc::mismatch, "0131 is a command of the family classic only");
    }
  } else if (reply.command == day_energy && (classic || family == Family::classic)) {
    return Error(Errc::mismatch, "012F is a command of the families r51 and ce307 only");
  }
  return {};
}

Result<> read_energy(Telegram& telegram, const Frame* request, const Frame& reply,
                     const Options& options, std::optional<int> decimals) {
  if (auto fits = check_form(reply, options.family); !fits) return fits;
  const bool classic = reply.data.size() == energy_length_classic;
  const auto kwh = parse_energy(reply.data, options.family, decimals.value_or(assumed_decimals));
  if (!kwh) return kwh.error();
  if (request != nullptr) {
    const auto asked = asked_energy(*request, classic);
    if (!asked) return asked.error();
    put_energy(telegram, address_of(reply.command, asked->tariff, asked->depth), asked->tariff,
               *kwh);
    // Of a past month, or of a day.
    if (asked->depth != 0 || reply.command == day_energy)
      telegram.readings.front().readings.clear();
  } else if (!classic || decimals) {
    put_energy(telegram, address_of(reply.command), 0, *kwh);
  } else {
    put_count(telegram, address_of(reply.command), static_cast<std::uint64_t>(kwh->digits()));
  }
  return {};
}

Result<> read_serial(Telegram& telegram, const Frame* request, const Frame& reply,
                     Bytes& first_part) {
  if (reply.data.size() != serial_part_length)
    return Error(Errc::malformed, "a serial number of the wrong length");
  const std::string part = to_text(reply.data);
  put_text(telegram, address_of(reply.command), sanitised(part.substr(0, part.find('\0'))));
  const bool second =
      request != nullptr && !request->data.empty() && u8(request->data.front()) == 1;
  if (second && !first_part.empty()) {
    telegram.items.clear();
    put_serial(telegram, join_serial(first_part, reply.data));
  }
  first_part = second || request == nullptr ? Bytes{} : reply.data;
  return {};
}

Result<> read_version(Telegram& telegram, const Frame& reply) {
  if (reply.data.size() == 2) {  // VersionEx
    put_text(telegram, address_of(reply.command),
             std::to_string(u8(reply.data[0])) + "." + std::to_string(u8(reply.data[1])));
    return {};
  }
  const auto version = parse_version(reply.data);
  if (!version) return version.error();
  put_version(telegram, reply.data, *version);
  return {};
}

Result<> read_config(Telegram& telegram, const Frame* request, const Frame& reply, Told& told) {
  const auto decimals = parse_decimals(reply.data);
  if (!decimals) return decimals.error();
  if (request != nullptr) told.decimals = *decimals;
  put_bytes(telegram, address_of(reply.command), reply.data);
  return {};
}

Result<> read_clock(Telegram& telegram, const Frame& reply) {
  const auto local = parse_date_time(reply.data);
  if (!local) return local.error();
  put_clock(telegram, *local);
  if (const auto utc = to_utc(*local)) telegram.time = *utc;
  return {};
}

Result<> read_instant(Telegram& telegram, Query query, const Frame& reply, const Instant& instant) {
  if (instant.on && (query != Query::power || instant.power_scale)) {
    const auto values = parse_phases(query, reply.data, instant);
    if (!values) return values.error();
    put_phases(telegram, query, *values);
  } else if (!reply.data.empty() && reply.data.size() <= 4) {
    put_count(telegram, address_of(reply.command),
              *ByteReader(reply.data).little(reply.data.size()));
  } else {
    put_text(telegram, address_of(reply.command), to_hex_upper(reply.data));
  }
  return {};
}

Result<> read_count(Telegram& telegram, const Frame& reply, std::size_t length) {
  if (reply.data.size() != length) return Error(Errc::malformed, "an answer of the wrong length");
  put_count(telegram, address_of(reply.command), *ByteReader(reply.data).little(length));
  return {};
}

Result<> read_meter_code(Telegram& telegram, const Frame& reply) {
  if (reply.data.size() != 15 && reply.data.size() != 1)
    return Error(Errc::malformed, "a meter code of the wrong length");
  put_bytes(telegram, address_of(reply.command), reply.data);
  return {};
}

Result<> read_answer(Telegram& telegram, const Frame* request, const Frame& reply,
                     Context& context) {
  const Options& options = context.options;
  Told& told = context.told[reply.from];
  const std::optional<int> decimals = options.decimals ? options.decimals : told.decimals;
  const Query query = static_cast<Query>(reply.command);
  switch (query) {
    case Query::ping:
      return read_count(telegram, reply, 2);
    case Query::version:
      return read_version(telegram, reply);
    case Query::config:
      return read_config(telegram, request, reply, told);
    case Query::status: {
      const auto status = parse_status(reply.data);
      if (!status) return status.error();
      put_status(telegram, reply.data, *status);
      return {};
    }
    case Query::serial:
      return read_serial(telegram, request, reply, told.serial_part);
    case Query::date_time:
      return read_clock(telegram, reply);
    case Query::energy:
    case Query::energy_total:
      return read_energy(telegram, request, reply, options, decimals);
    case Query::power:
    case Query::phase_voltage:
    case Query::phase_current:
    case Query::phase_power:
      return read_instant(telegram, query, reply, options.instant);
  }
  switch (reply.command) {
    case battery:
      return read_count(telegram, reply, 2);
    case average_power:
      return read_count(telegram, reply, 3);
    case meter_code:
      return read_meter_code(telegram, reply);
    case day_energy:
      return read_energy(telegram, request, reply, options, decimals);
    default:
      // Nobody says what it means (0160 of the R5.1): shown as it came, and no reading.
      put_bytes(telegram, address_of(reply.command), reply.data);
      return {};
  }
}

}  // namespace

Decoded entry(Status status, std::string error) {
  Decoded decoded;
  decoded.status = status;
  decoded.error = std::move(error);
  decoded.telegram.protocol = "ce102";
  return decoded;
}

Decoded failed(const Error& error) {
  switch (error.code()) {
    case Errc::checksum:
      return entry(Status::checksum, error.detail());
    case Errc::mismatch:
      return entry(Status::mismatch, error.detail());
    case Errc::unsupported:
    case Errc::refused:
      return entry(Status::unsupported, error.detail());
    default:
      return entry(Status::malformed, error.detail());
  }
}

Decoded understand(const Frame* request, const Frame& reply, Context& context) {
  if (context.options.address && reply.from != *context.options.address) {
    return entry(Status::mismatch, "an answer of the address " + std::to_string(reply.from));
  }
  if (reply.access == class_error) return entry(Status::exception, refusal(reply.data).words);
  Telegram telegram = empty_telegram();
  const auto read = read_answer(telegram, request, reply, context);
  if (!read) return failed(read.error());
  if (request == nullptr) telegram.readings.front().readings.clear();
  return good(std::move(telegram));
}

}  // namespace meterbridge::protocol::ce102
