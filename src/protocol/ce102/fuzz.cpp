// SPDX-License-Identifier: MIT
// The parser and a whole dialogue against hostile bytes. The first byte chooses the settings; in
// the dialogue each further record is a length byte and that many bytes from "the meter", length 0
// is a silence.
#include "protocol/ce102/ce102.hpp"
#include "protocol/ce102/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

constexpr std::string_view families[] = {"auto", "classic", "r51", "ce307"};
constexpr int polls = 3;
constexpr int most_steps = 20000;

void require(bool promise) {
  if (!promise) std::abort();
}

SettingValues settings_from(std::uint8_t choice) {
  SettingValues values = default_settings(ce102_protocol.settings);
  values.set("address", std::int64_t{13462});
  values.set("family", std::string(families[choice & 3U]));
  values.set("instant", (choice & 4U) != 0);
  return values;
}

void check(const std::vector<Decoded>& all) {
  for (const Decoded& decoded : all) {
    require(decoded.telegram.protocol == "ce102");
    require(decoded.ok() == decoded.error.empty());
    require(decoded.ok() || decoded.telegram.items.empty());
    require(!decoded_json(decoded).empty());
  }
}

void decode_everything(ByteView bytes, const SettingValues& settings) {
  check(ce102_protocol.decode(bytes, settings));
  const std::string text = to_text(bytes);
  if (const auto lines = parse_transcript(text))
    check(ce102_protocol.decode_transcript(*lines, settings));
  // The same bytes as the answer to a question.
  std::vector<TranscriptLine> exchange(2);
  exchange[0].sent = true;
  const auto request = ce102::build_request(ce102::Station{}, ce102::Query::energy, Bytes(2));
  require(request.has_value());
  exchange[0].bytes = *request;
  exchange[1].bytes.assign(bytes.begin(), bytes.end());
  check(ce102_protocol.decode_transcript(exchange, settings));
}

void must_be_read_only(const Bytes& wire) {
  const auto request = ce102::parse_request(wire);
  require(request.has_value());
  require(ce102::find_rule(static_cast<ce102::Query>(request->command)) != nullptr);
  require(std::ranges::count(ce102::never_send, request->command) == 0);
}

// Returns what was answered.
ByteView answer(Dialogue& dialogue, ByteReader& script) {
  const std::size_t length = script.u8().value_or(0);
  const auto bytes = script.take(std::min(length, script.left()));
  if (length == 0 || !bytes || bytes->empty()) {
    dialogue.silence();
    return {};
  }
  dialogue.received(*bytes);
  return *bytes;
}

void converse(ByteView bytes, const SettingValues& settings) {
  auto driver = ce102_protocol.driver(settings);
  require(driver.has_value());
  ByteReader script(bytes);
  for (int poll = 0; poll < polls; ++poll) {
    const auto dialogue = poll % 2 == 0 ? (*driver)->begin() : (*driver)->knock();
    ByteView heard;
    int steps = 0;
    for (;; ++steps) {
      require(steps < most_steps);
      const auto step = dialogue->next();
      if (!step || std::holds_alternative<step::Finished>(*step)) break;
      if (const auto* send = std::get_if<step::Send>(&*step)) must_be_read_only(send->bytes);
      if (std::holds_alternative<step::Drain>(*step)) dialogue->drained(heard);
      if (std::holds_alternative<step::Listen>(*step)) heard = answer(*dialogue, script);
    }
  }
}

void play_meter(ByteView bytes, const SettingValues& settings) {
  auto responder = ce102_protocol.responder(settings);
  require(responder.has_value());
  (*responder)->show(MeterFace());
  for (const Bytes& sent : (*responder)->received(bytes))
    require(ce102::parse_reply(sent).has_value());
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const SettingValues settings = settings_from(u8(bytes.front()));
  const ByteView rest = bytes.subspan(1);
  decode_everything(rest, settings);
  converse(rest, settings);
  play_meter(rest, settings);
  return 0;
}
