// SPDX-License-Identifier: MIT
#include "protocol/mercury200/decode.hpp"

#include "protocol/frame_decode.hpp"
#include "protocol/mercury200/answer.hpp"
#include "protocol/mercury200/frame.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::mercury200 {
namespace {

Decoded entry(Status status, std::string error) {
  return no_telegram("mercury200", status, std::move(error));
}

Decoded failed(const Error& error) {
  return no_telegram("mercury200", error);
}

// Zeros behind a frame with a right CRC make longer frames with a right CRC: an echo and the first
// bytes of the answer of meter 00000012 would be 82.90 V of its battery.
bool is_whole(ByteView wire) {
  if (wire.size() < overhead || !mercury::crc_fits(wire)) return false;
  const ByteView shorter = wire.first(wire.size() - 2);
  const bool zeros = u8(wire[wire.size() - 1]) == 0 && u8(wire[wire.size() - 2]) == 0;
  return !zeros || !mercury::crc_fits(shorter);
}

// The length of the frame of a known command that begins here: an answer, or a request. 0 = none.
// Not of any length: zeros and FF would give frames that nobody sent.
std::size_t frame_at(ByteView bytes) {
  if (bytes.size() < overhead) return 0;
  const auto whole = [bytes](std::size_t data) {
    const std::size_t length = data + overhead;
    return length <= bytes.size() && is_whole(bytes.first(length)) ? length : 0;
  };
  const std::uint8_t command = u8(bytes[header_length - 1]);
  for (const Rule* rule : {find_rule(command), find_rule(command, 2)}) {
    if (rule == nullptr) continue;
    for (const std::size_t data : rule->reply) {
      if (const std::size_t length = data == 0 ? 0 : whole(data)) return length;
    }
    if (const std::size_t length = whole(rule->parameters)) return length;
  }
  return 0;
}

std::vector<FoundFrame> frames_of(ByteView bytes) {
  constexpr std::size_t noise = 1;
  std::vector<FoundFrame> all;
  std::size_t rest = 0;  // where bytes begin that belong to no frame
  const auto put_until = [&](std::size_t end) {
    const ByteView wire = bytes.subspan(rest, end - rest);
    if (wire.size() <= noise) return;
    all.push_back({rest, wire,
                   wire.size() < overhead
                       ? Error(Errc::truncated, "fewer bytes than any frame has")
                       : Error(Errc::checksum, "no frame with a right checksum")});
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const ByteView left = bytes.subspan(at);
    std::size_t length = frame_at(left);
    // One frame and nothing else, whatever it is.
    if (at == rest && is_whole(left)) length = left.size();
    if (length == 0) {
      ++at;
      continue;
    }
    put_until(at);
    all.push_back({at, bytes.subspan(at, length), std::nullopt});
    at += length;
    rest = at;
  }
  put_until(bytes.size());
  return all;
}

Decoded understand(const Frame& frame, std::optional<std::uint8_t> parameter, bool asked,
                   const Options& options) {
  if (options.address && frame.address != *options.address)
    return entry(Status::mismatch, "an answer of the address " + std::to_string(frame.address));
  Decoded decoded;
  decoded.telegram = empty_telegram();
  if (asked && !writes(frame.command) && find_rule(frame.command) == nullptr) {
    // Limits, tables, seasons: shown as they came, and no reading.
    Item item(name_of(frame.command));
    item.text = to_hex_upper(frame.data);
    decoded.telegram.items.push_back(std::move(item));
    decoded.telegram.meter.manufacturer = "Incotex";
    return decoded;
  }
  const auto read = read_answer(decoded.telegram, frame.command, parameter, frame.data, options);
  if (!read) return failed(read.error());
  decoded.telegram.meter.manufacturer = "Incotex";
  if (!asked) decoded.telegram.readings.front().readings.clear();
  decoded.telegram.readings.front().identity = decoded.telegram.meter;
  return decoded;
}

Decoded unasked(const FoundFrame& found, const Options& options) {
  if (found.broken) return failed(*found.broken);
  const auto frame = parse_frame(found.wire);
  if (!frame) return failed(frame.error());
  const Rule* rule = find_rule(frame->command);
  if (rule != nullptr && frame->data.size() == rule->parameters)
    return entry(Status::mismatch, "a request, not an answer");
  return understand(*frame, std::nullopt, false, options);
}

bool is(ByteView a, ByteView b) {
  return std::ranges::equal(a, b);
}

// One exchange whose request is understood.
Decoded matched(const FoundFrame& found, ByteView request, bool answered, const Options& options) {
  if (is(found.wire, request)) return entry(Status::mismatch, "the echo of the request");
  const auto asked = parse_frame(request);
  if (found.broken || !asked) {
    // How much is missing can be said: the question tells how long the answer is.
    const Cut cut = settle_answer(found.wire, request);
    return failed(cut.broken ? *cut.broken : *found.broken);
  }
  const auto frame = parse_frame(found.wire);
  if (!frame) return failed(frame.error());
  if (frame->address != asked->address)
    return entry(Status::mismatch, "an answer of the address " + std::to_string(frame->address) +
                                       ", asked was " + std::to_string(asked->address));
  if (frame->command != asked->command)
    return entry(Status::mismatch, "an answer to the command " + name_of(frame->command) +
                                       ", asked was " + name_of(asked->command));
  if (answered) return entry(Status::mismatch, "a second answer to the same request");
  const auto parameter =
      asked->data.empty() ? std::nullopt : std::optional(u8(asked->data.front()));
  return understand(*frame, parameter, true, options);
}

FrameDecoder decoder_of(const Options& options) {
  FrameDecoder decoder;
  decoder.protocol = "mercury200";
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

}  // namespace meterbridge::protocol::mercury200
