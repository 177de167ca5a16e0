// SPDX-License-Identifier: MIT
// Decoder, dialogue and simulated meter of both Mercury protocols against hostile bytes. The first
// byte chooses protocol and settings; in the dialogue each further record is a length byte and that
// many bytes from "the meter", length 0 is a silence, length 255 a whole right answer of a
// simulated one.
#include "protocol/mercury/mercury.hpp"
#include "protocol/mercury/requests.hpp"
#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/mercury200.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

constexpr int polls = 3;
constexpr int most_steps = 20000;
constexpr std::size_t right_answer = 255;

void require(bool promise) {
  if (!promise) std::abort();
}

SettingValues settings_from(const Protocol& protocol, std::uint8_t choice) {
  SettingValues values = default_settings(protocol.settings);
  values.set("address", std::int64_t{72});
  values.set("tariffs", std::int64_t{(choice >> 1) & 3});
  if (protocol.name == mercury_protocol.name) {
    values.set("apply_ratio", (choice & 8U) != 0);
    values.set("extended", (choice & 16U) != 0);
    values.set("phases", std::int64_t{(choice & 32U) != 0 ? 1 : 3});
  } else {
    values.set("reactive", (choice & 8U) != 0);
  }
  return values;
}

void check(const Protocol& protocol, const std::vector<Decoded>& all) {
  for (const Decoded& decoded : all) {
    require(decoded.telegram.protocol == protocol.name);
    require(decoded.ok() == decoded.error.empty());
    require(decoded.ok() || decoded.telegram.items.empty());
    require(!decoded_json(decoded).empty());
  }
}

void decode_everything(const Protocol& protocol, ByteView bytes, const SettingValues& settings) {
  check(protocol, protocol.decode(bytes, settings));
  if (const auto lines = parse_transcript(to_text(bytes)))
    check(protocol, protocol.decode_transcript(*lines, settings));
  // The first bytes as a question, the others as its answer.
  constexpr std::size_t question = 6;
  std::vector<TranscriptLine> exchange(2);
  const auto asked = bytes.first(std::min(question, bytes.size()));
  exchange[0].sent = true;
  exchange[0].bytes = mercury::with_crc(Bytes(asked.begin(), asked.end()));
  const auto heard = bytes.subspan(asked.size());
  exchange[1].bytes.assign(heard.begin(), heard.end());
  check(protocol, protocol.decode_transcript(exchange, settings));
}

void must_be_read_only(const Protocol& protocol, const Bytes& wire) {
  require(mercury::crc_fits(wire));
  if (protocol.name == mercury_protocol.name) {
    const ByteView view(wire);
    require(bool(mercury::build_request(72, view.subspan(1, view.size() - 3))));
  } else {
    const auto request = mercury200::parse_frame(wire);
    require(request && mercury200::find_rule(request->command) != nullptr);
  }
}

void converse(const Protocol& protocol, ByteView bytes, const SettingValues& settings) {
  auto driver = protocol.driver(settings);
  auto responder = protocol.responder(settings);
  require(driver && responder);
  ByteReader script(bytes);
  for (int poll = 0; poll < polls; ++poll) {
    const auto dialogue = poll % 2 == 0 ? (*driver)->begin() : (*driver)->knock();
    Bytes sent;
    for (int steps = 0;; ++steps) {
      require(steps < most_steps);
      auto step = dialogue->next();
      if (!step || std::holds_alternative<step::Finished>(*step)) break;
      if (const auto* send = std::get_if<step::Send>(&*step)) {
        must_be_read_only(protocol, send->bytes);
        sent = send->bytes;
      }
      if (std::holds_alternative<step::Drain>(*step)) dialogue->drained(sent);
      if (!std::holds_alternative<step::Listen>(*step)) continue;
      const std::size_t length = script.u8().value_or(0);
      if (length == right_answer) {
        for (const Bytes& answer : (*responder)->received(sent))
          dialogue->received(answer);
        continue;
      }
      const auto said = script.take(std::min(length, script.left()));
      if (!said || said->empty()) {
        dialogue->silence();
      } else {
        dialogue->received(*said);
      }
    }
  }
}

void play_meter(const Protocol& protocol, ByteView bytes, const SettingValues& settings) {
  auto responder = protocol.responder(settings);
  require(responder.has_value());
  (*responder)->show(MeterFace());
  for (const Bytes& sent : (*responder)->received(bytes))
    require(mercury::crc_fits(sent));
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const std::uint8_t choice = u8(bytes.front());
  const Protocol& protocol = (choice & 1U) != 0 ? mercury200_protocol : mercury_protocol;
  const SettingValues settings = settings_from(protocol, choice);
  const ByteView rest = bytes.subspan(1);
  decode_everything(protocol, rest, settings);
  converse(protocol, rest, settings);
  play_meter(protocol, rest, settings);
  return 0;
}
