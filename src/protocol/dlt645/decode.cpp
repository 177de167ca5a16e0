// SPDX-License-Identifier: MIT
#include "protocol/dlt645/decode.hpp"

#include "protocol/dlt645/answer.hpp"
#include "protocol/dlt645/options.hpp"
#include "protocol/frame_decode.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

Decoded entry(Status status, std::string error) {
  return no_telegram("dlt645", status, std::move(error));
}

Decoded failed(const Error& error) {
  return no_telegram("dlt645", error);
}

std::vector<FoundFrame> frames_of(ByteView bytes) {
  constexpr std::size_t noise = 1;
  std::vector<FoundFrame> all;
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

Decoded unasked(const FoundFrame& found, const Options& options) {
  if (found.broken) return failed(*found.broken);
  const auto frame = parse_frame(found.wire);
  return frame ? understand(*frame, options) : failed(frame.error());
}

// One exchange whose request is understood.
Decoded matched(const FoundFrame& found, ByteView request, bool answered, const Options& options) {
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

FrameDecoder decoder_of(const Options& options) {
  FrameDecoder decoder;
  decoder.protocol = "dlt645";
  decoder.frames_of = frames_of;
  decoder.unasked = [&options](const FoundFrame& found) { return unasked(found, options); };
  decoder.matched = [&options](const FoundFrame& found, ByteView request, bool answered) {
    return matched(found, request, answered, options);
  };
  return decoder;
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  return decode_frames(bytes, decoder_of(*options));
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  return decode_exchanges(lines, decoder_of(*options));
}

}  // namespace meterbridge::protocol::dlt645
