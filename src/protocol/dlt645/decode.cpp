// SPDX-License-Identifier: MIT
#include "protocol/dlt645/decode.hpp"

#include "protocol/dlt645/answer.hpp"
#include "protocol/dlt645/options.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

Decoded entry(Status status, std::string error) {
  Decoded decoded;
  decoded.status = status;
  decoded.error = std::move(error);
  decoded.telegram.protocol = "dlt645";
  return decoded;
}

Decoded failed(const Error& error) {
  switch (error.code()) {
    case Errc::checksum:
      return entry(Status::checksum, error.detail());
    case Errc::truncated:
      return entry(Status::truncated, error.detail());
    case Errc::unsupported:
      return entry(Status::unsupported, error.detail());
    case Errc::exception:
      return entry(Status::exception, error.detail());
    case Errc::mismatch:
      return entry(Status::mismatch, error.detail());
    default:
      return entry(Status::malformed, error.detail());
  }
}

// A frame of a stream, or bytes that are none with what is wrong.
struct Found {
  std::size_t offset = 0;
  ByteView wire;
  std::optional<Error> broken;
};

std::vector<Found> frames_of(ByteView bytes) {
  constexpr std::size_t noise = 1;
  std::vector<Found> all;
  std::size_t at = 0;
  const auto put_noise = [&](std::size_t end) {
    while (at < end && bytes[at] == wake_up)
      ++at;
    while (end > at && bytes[end - 1] == wake_up)
      --end;
    if (end - at <= noise) return;
    const ByteView wire = bytes.subspan(at, end - at);
    all.push_back({at, wire, *settle(wire).broken});
  };
  while (at < bytes.size()) {
    const Cut cut = find_frame(bytes.subspan(at));
    const std::size_t begin = cut.frame == 0 ? bytes.size() : at + cut.drop;
    put_noise(begin);
    if (cut.frame != 0) all.push_back({begin, bytes.subspan(begin, cut.frame), std::nullopt});
    at = begin + cut.frame;
  }
  return all;
}

Decoded understand(const Frame& frame, const Options& options) {
  const auto answer = answer_in(frame);
  if (!answer) return failed(answer.error());
  if (options.address && frame.address != options.address)
    return entry(Status::mismatch, "an answer of the address " + address_text(frame.address));
  Decoded decoded;
  decoded.telegram = empty_telegram();
  const auto read = read_answer(decoded.telegram, *answer, options.codes);
  if (!read) return failed(read.error());
  decoded.telegram.readings.front().identity = decoded.telegram.meter;
  return decoded;
}

Decoded unasked(const Found& found, const Options& options) {
  if (found.broken) return failed(*found.broken);
  const auto frame = parse_frame(found.wire);
  return frame ? understand(*frame, options) : failed(frame.error());
}

// One exchange whose request is understood.
Decoded matched(const Found& found, ByteView request, bool answered, const Options& options) {
  if (found.broken) return failed(*found.broken);
  if (std::ranges::equal(found.wire, request))
    return entry(Status::mismatch, "the echo of the request");
  const auto asked = parse_frame(request);
  const auto frame = parse_frame(found.wire);
  if (!asked) return failed(asked.error());
  if (!frame) return failed(frame.error());
  const auto wanted = request_in(*asked);
  if (!wanted) return entry(Status::unsupported, "the request does not read a value");
  // Without an address whoever is there was asked.
  if (asked->address && frame->address != asked->address)
    return entry(Status::mismatch, "an answer of the address " + address_text(frame->address) +
                                       ", asked was " + address_text(asked->address));
  const auto answer = answer_in(*frame);
  if (answer && (answer->version != wanted->version || answer->code != wanted->code))
    return entry(Status::mismatch, "an answer to " + name_of(answer->version, answer->code) +
                                       ", asked was " + name_of(wanted->version, wanted->code));
  if (answered) return entry(Status::mismatch, "a second answer to the same request");
  return understand(*frame, options);
}

// The last whole frame among the sent bytes: an adapter may put noise around it.
Result<ByteView> request_of(ByteView sent) {
  const auto all = frames_of(sent);
  for (auto found = all.rbegin(); found != all.rend(); ++found) {
    if (!found->broken) return found->wire;
  }
  if (all.empty()) return Error(Errc::truncated, "the request: fewer bytes than any has");
  return Error(all.back().broken->code(), "the request: " + all.back().broken->detail());
}

bool wants_more(ByteView sent) {
  return !request_of(sent);
}

void decode_exchange(const TranscriptExchange& exchange, const Options& options,
                     std::vector<Decoded>& all) {
  const auto put = [&](Decoded decoded) {
    decoded.offset = exchange.offset;
    decoded.length = exchange.length;
    all.push_back(std::move(decoded));
  };
  const auto request = request_of(exchange.sent);
  if (exchange.asked && !request) put(failed(request.error()));
  if (request && exchange.heard.empty()) put(entry(Status::truncated, "the request has no answer"));
  bool answered = false;
  for (const Found& found : frames_of(exchange.heard)) {
    Decoded decoded =
        request ? matched(found, *request, answered, options) : unasked(found, options);
    answered = answered || decoded.ok();
    put(std::move(decoded));
  }
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  std::vector<Decoded> all;
  for (const Found& found : frames_of(bytes)) {
    Decoded decoded = unasked(found, *options);
    decoded.offset = found.offset;
    decoded.length = found.wire.size();
    all.push_back(std::move(decoded));
  }
  return all;
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  std::vector<Decoded> all;
  for (const TranscriptExchange& exchange : exchanges_of(lines, wants_more))
    decode_exchange(exchange, *options, all);
  return all;
}

}  // namespace meterbridge::protocol::dlt645
