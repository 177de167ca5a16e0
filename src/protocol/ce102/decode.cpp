// SPDX-License-Identifier: MIT
#include "protocol/ce102/decode.hpp"

#include "protocol/ce102/answer.hpp"
#include "protocol/ce102/frame.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

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

// A frame that was written in pieces: noise, or an opening mark without its end.
bool wants_more(ByteView sent) {
  return std::ranges::all_of(frames_of(sent), [](const Found& found) {
    return found.broken && found.broken->code() == Errc::truncated;
  });
}

struct Asking {
  Asking() = default;
  Frame frame;
  ByteView wire;
};

// The last whole request among the sent bytes: an adapter may put noise or a second mark in front.
Result<Asking> request_in(ByteView sent) {
  const auto all = frames_of(sent);
  std::optional<Error> why;
  for (auto found = all.rbegin(); found != all.rend(); ++found) {
    auto parsed = found->broken ? Result<Frame>(*found->broken) : parse_request(found->wire);
    if (!parsed) {
      if (!why) why = parsed.error();
      continue;
    }
    Asking asking;
    asking.frame = std::move(*parsed);
    asking.wire = found->wire;
    return asking;
  }
  return why.value_or(Error(Errc::malformed, "not between two end marks"));
}

Decoded matched(const Asking& asking, const Found& found, bool answered, Context& context) {
  const Frame& request = asking.frame;
  if (found.broken) return broken_entry(*found.broken);
  if (std::ranges::equal(found.wire, asking.wire))
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

void decode_exchange(const TranscriptExchange& exchange, Context& context,
                     std::vector<Decoded>& all) {
  const auto put = [&](Decoded decoded) {
    decoded.offset = exchange.offset;
    decoded.length = exchange.length;
    all.push_back(std::move(decoded));
  };
  const auto found = frames_of(exchange.heard);
  std::optional<Asking> request;
  if (exchange.asked) {
    auto asking = request_in(exchange.sent);
    if (asking) {
      request = std::move(*asking);
    } else {
      put(failed(std::move(asking.error()).within("the request")));
    }
  }
  if (request && found.empty()) put(entry(Status::truncated, "the request has no answer"));
  bool answered = false;
  for (const Found& frame : found) {
    Decoded decoded =
        request ? matched(*request, frame, answered, context) : stream_entry(frame, context);
    answered = answered || decoded.ok() || decoded.status == Status::exception;
    put(std::move(decoded));
  }
}

Result<Context> context_of(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  Context context;
  context.options = *options;
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
  for (const TranscriptExchange& exchange : exchanges_of(lines, wants_more))
    decode_exchange(exchange, *context, all);
  return all;
}

}  // namespace meterbridge::protocol::ce102
