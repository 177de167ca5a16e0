// SPDX-License-Identifier: MIT
#include "protocol/frame_decode.hpp"

#include <utility>

namespace meterbridge::protocol {
namespace {

// The last whole frame among the sent bytes: an adapter may put noise around it.
Result<ByteView> request_in(ByteView sent, const FrameDecoder& decoder) {
  const auto all = decoder.frames_of(sent);
  for (auto found = all.rbegin(); found != all.rend(); ++found) {
    if (!found->broken) return found->wire;
  }
  if (all.empty()) return Error(Errc::truncated, "the request: fewer bytes than any has");
  return Error(all.back().broken->code(), "the request: " + all.back().broken->detail());
}

void decode_exchange(const TranscriptExchange& exchange, const FrameDecoder& decoder,
                     std::vector<Decoded>& all) {
  const auto put = [&](Decoded decoded) {
    decoded.offset = exchange.offset;
    decoded.length = exchange.length;
    all.push_back(std::move(decoded));
  };
  const auto request = request_in(exchange.sent, decoder);
  if (exchange.asked && !request) put(no_telegram(decoder.protocol, request.error()));
  if (request && exchange.heard.empty())
    put(no_telegram(decoder.protocol, Status::truncated, "the request has no answer"));
  bool answered = false;
  for (const FoundFrame& found : decoder.frames_of(exchange.heard)) {
    Decoded decoded = request ? decoder.matched(found, *request, answered) : decoder.unasked(found);
    answered = answered || decoded.ok();
    put(std::move(decoded));
  }
}

}  // namespace

std::vector<Decoded> decode_frames(ByteView bytes, const FrameDecoder& decoder) {
  std::vector<Decoded> all;
  for (const FoundFrame& found : decoder.frames_of(bytes)) {
    Decoded decoded = decoder.unasked(found);
    decoded.offset = found.offset;
    decoded.length = found.wire.size();
    all.push_back(std::move(decoded));
  }
  return all;
}

std::vector<Decoded> decode_exchanges(std::span<const TranscriptLine> lines,
                                      const FrameDecoder& decoder) {
  const auto wants_more = [&decoder](ByteView sent) { return !request_in(sent, decoder); };
  std::vector<Decoded> all;
  for (const TranscriptExchange& exchange : exchanges_of(lines, wants_more))
    decode_exchange(exchange, decoder, all);
  return all;
}

}  // namespace meterbridge::protocol
