// SPDX-License-Identifier: MIT
#include "protocol/ce102/decode.hpp"

#include "core/text.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/options.hpp"
#include "protocol/ce102/payload.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

// What earlier exchanges of the same transcript told, and what is configured.
struct Context {
  Context() = default;
  Options options;
  std::optional<int> decimals;
  Bytes serial_part;  // the first, when it was the last one read
};

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
  if (asked.tariff > 8)
    return Error(Errc::malformed, "a request for tariff " + std::to_string(asked.tariff));
  return asked;
}

Result<> read_energy(Telegram& telegram, const Frame* request, const Frame& reply,
                     const Context& context) {
  const bool classic = reply.data.size() == energy_length_classic;
  const bool scale_known = !classic || context.decimals || request != nullptr;
  const auto kwh =
      parse_energy(reply.data, context.options.family, context.decimals.value_or(assumed_decimals));
  if (!kwh) return kwh.error();
  if (request != nullptr) {
    const auto asked = asked_energy(*request, classic);
    if (!asked) return asked.error();
    put_energy(telegram, address_of(reply.command, asked->tariff, asked->depth), asked->tariff,
               *kwh);
    if (asked->depth != 0) telegram.readings.front().readings.clear();  // of a past month
  } else if (scale_known) {
    put_energy(telegram, address_of(reply.command), 0, *kwh);
  } else {
    put_count(telegram, address_of(reply.command), static_cast<std::uint64_t>(kwh->digits()));
  }
  return {};
}

Result<> read_serial(Telegram& telegram, const Frame* request, const Frame& reply,
                     Context& context) {
  if (reply.data.size() != serial_part_length)
    return Error(Errc::malformed, "a serial number of the wrong length");
  const std::string part = to_text(reply.data);
  put_text(telegram, address_of(reply.command), sanitised(part.substr(0, part.find('\0'))));
  const bool second =
      request != nullptr && !request->data.empty() && u8(request->data.front()) == 1;
  if (second && !context.serial_part.empty()) {
    telegram.items.clear();
    put_serial(telegram, join_serial(context.serial_part, reply.data));
  }
  context.serial_part = second || request == nullptr ? Bytes{} : reply.data;
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

Result<> read_config(Telegram& telegram, const Frame* request, const Frame& reply,
                     Context& context) {
  const auto decimals = parse_decimals(reply.data);
  if (!decimals) return decimals.error();
  if (request != nullptr && !context.options.decimals) context.decimals = *decimals;
  Item item(address_of(reply.command));
  for (const std::byte b : reply.data)
    item.groups.push_back(to_hex_upper(ByteView(&b, 1)));
  telegram.items.push_back(std::move(item));
  return {};
}

Result<> read_clock(Telegram& telegram, const Frame& reply) {
  const auto local = parse_date_time(reply.data);
  if (!local) return local.error();
  put_clock(telegram, *local);
  if (const auto utc = to_utc(*local)) telegram.time = *utc;
  return {};
}

Result<> read_instant(Telegram& telegram, Query query, const Frame& reply, const Context& context) {
  const Instant& instant = context.options.instant;
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

Result<> read_answer(Telegram& telegram, const Frame* request, const Frame& reply,
                     Context& context) {
  const Query query = static_cast<Query>(reply.command);
  switch (query) {
    case Query::ping:
      if (reply.data.size() != 2) return Error(Errc::malformed, "a ping of the wrong length");
      put_count(telegram, address_of(reply.command), *ByteReader(reply.data).little(2));
      return {};
    case Query::version:
      return read_version(telegram, reply);
    case Query::config:
      return read_config(telegram, request, reply, context);
    case Query::status: {
      const auto status = parse_status(reply.data);
      if (!status) return status.error();
      put_status(telegram, reply.data, *status);
      return {};
    }
    case Query::serial:
      return read_serial(telegram, request, reply, context);
    case Query::date_time:
      return read_clock(telegram, reply);
    case Query::energy:
    case Query::energy_total:
      return read_energy(telegram, request, reply, context);
    case Query::power:
    case Query::phase_voltage:
    case Query::phase_current:
    case Query::phase_power:
      return read_instant(telegram, query, reply, context);
  }
  return Error(Errc::unsupported,
               "an answer to the command " + address_of(reply.command) + ", which is not read");
}

// `request` is null when it was not captured.
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

// A frame of a stream, or a damaged one with what is wrong.
struct Found {
  std::size_t offset = 0;
  ByteView wire;
  std::optional<Error> broken;
};

std::vector<Found> frames_of(ByteView bytes) {
  std::vector<Found> all;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const Cut cut = find_frame(bytes.subspan(at));
    if (cut.drop + cut.frame == 0) break;
    Found found;
    found.offset = at + (cut.frame != 0 ? cut.drop : 0);
    found.broken = cut.broken;
    // The mark that closes a broken frame is left for the next, and still belongs to what is shown.
    const std::size_t length =
        cut.frame != 0 ? cut.frame : std::min(cut.drop + 1, bytes.size() - at);
    found.wire = bytes.subspan(found.offset, length);
    if (cut.frame != 0 || cut.broken) all.push_back(found);
    at += cut.drop + cut.frame;
  }
  if (bytes.size() - at > 1) {  // a lone mark is the end of what went before
    Found rest;
    rest.offset = at;
    rest.wire = bytes.subspan(at);
    rest.broken = Error(Errc::truncated, "the end mark is missing");
    all.push_back(rest);
  }
  return all;
}

Decoded broken_entry(const Error& why) {
  return why.code() == Errc::truncated ? entry(Status::truncated, why.detail()) : failed(why);
}

Decoded stream_entry(const Found& found, Context& context) {
  if (found.broken) return broken_entry(*found.broken);
  if (is_request(found.wire, context.options.station.bridge)) {
    return entry(Status::mismatch, "a request, not an answer");
  }
  const auto reply = parse_reply(found.wire);
  return reply ? understand(nullptr, *reply, context) : failed(reply.error());
}

// One `>` line and all `<` lines up to the next.
struct Group {
  Group() = default;
  bool asked = false;
  Bytes sent;
  Bytes heard;
  std::size_t offset = 0;
  std::size_t end = 0;
};

std::vector<Group> groups_of(std::span<const TranscriptLine> lines) {
  std::vector<Group> groups;
  for (const TranscriptLine& line : lines) {
    if (line.sent || groups.empty()) {
      groups.emplace_back();
      groups.back().asked = line.sent;
      groups.back().offset = line.offset;
    }
    Bytes& bytes = line.sent ? groups.back().sent : groups.back().heard;
    bytes.insert(bytes.end(), line.bytes.begin(), line.bytes.end());
    groups.back().end = line.offset + line.length;
  }
  return groups;
}

Decoded matched(const Frame& request, ByteView sent, const Found& found, bool answered,
                Context& context) {
  if (found.broken) return broken_entry(*found.broken);
  if (std::ranges::equal(found.wire, sent))
    return entry(Status::mismatch, "the echo of the request");
  if (is_request(found.wire, request.from))
    return entry(Status::mismatch, "another request, not an answer");
  const auto reply = parse_reply(found.wire);
  if (!reply) return failed(reply.error());
  if (reply->to != request.from || reply->from != request.to) {
    return entry(Status::mismatch, "an answer of the address " + std::to_string(reply->from) +
                                       " to " + std::to_string(reply->to));
  }
  if (reply->command != request.command) {
    return entry(Status::mismatch, "an answer to the command " + address_of(reply->command) +
                                       ", asked was " + address_of(request.command));
  }
  if (answered) return entry(Status::mismatch, "a second answer to the same request");
  return understand(&request, *reply, context);
}

void decode_group(const Group& group, Context& context, std::vector<Decoded>& all) {
  const auto put = [&](Decoded decoded) {
    decoded.offset = group.offset;
    decoded.length = group.end - group.offset;
    all.push_back(std::move(decoded));
  };
  const auto found = frames_of(group.heard);
  std::optional<Frame> request;
  if (group.asked) {
    auto parsed = parse_request(group.sent);
    if (parsed) {
      request = std::move(*parsed);
    } else {
      put(failed(std::move(parsed.error()).within("the request")));
    }
  }
  if (request && found.empty()) put(entry(Status::truncated, "the request has no answer"));
  bool answered = false;
  for (const Found& frame : found) {
    Decoded decoded = request ? matched(*request, group.sent, frame, answered, context)
                              : stream_entry(frame, context);
    answered = answered || decoded.ok() || decoded.status == Status::exception;
    put(std::move(decoded));
  }
}

Result<Context> context_of(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  Context context;
  context.options = *options;
  context.decimals = options->decimals;
  return context;
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  std::vector<Decoded> all;
  auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  for (const Found& found : frames_of(bytes)) {
    Decoded decoded = stream_entry(found, *context);
    decoded.offset = found.offset;
    decoded.length = found.wire.size();
    all.push_back(std::move(decoded));
  }
  return all;
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  std::vector<Decoded> all;
  auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  for (const Group& group : groups_of(lines))
    decode_group(group, *context, all);
  return all;
}

}  // namespace meterbridge::protocol::ce102
