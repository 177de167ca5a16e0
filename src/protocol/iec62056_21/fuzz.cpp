// SPDX-License-Identifier: MIT
// The parsers and a whole dialogue against hostile bytes. The first byte chooses the settings; in
// the dialogue each further record is a length byte and that many bytes from "the meter", length 0
// is a silence.
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/code_table.hpp"
#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

constexpr std::string_view families[] = {"auto", "energomera", "neva", "none"};
constexpr std::string_view checks[] = {"auto", "xor", "sum", "off"};
constexpr std::string_view modes[] = {"auto", "a", "b", "c"};
constexpr int polls = 3;
constexpr int most_steps = 20000;

void require(bool promise) {
  if (!promise) std::abort();
}

SettingValues settings_from(std::uint8_t choice) {
  SettingValues values = default_settings(iec62056_21_protocol.settings);
  values.set("family", std::string(families[choice & 3U]));
  values.set("bcc", std::string(checks[(choice >> 2U) & 3U]));
  values.set("mode", std::string(modes[(choice >> 4U) & 3U]));
  values.set("software_parity", (choice & 0x40U) != 0);
  values.set("password", Secret("777777"));
  if ((choice & 0x80U) == 0) return values;
  SettingValues row;
  row.set("code", std::string("C900"));
  row.set("key", std::string("voltage_l1"));
  row.set("form", std::string("counts"));
  row.set("digits", std::int64_t{8});
  values.add_rows(iec62056_21::code_tables().front(), std::span(&row, 1));
  return values;
}

void check(const std::vector<Decoded>& all) {
  for (const Decoded& decoded : all) {
    require(decoded.telegram.protocol == "iec62056-21");
    require(decoded.ok() == decoded.error.empty());
    require(decoded.ok() || decoded.telegram.items.empty());
    require(!decoded_json(decoded).empty());
  }
}

void decode_everything(ByteView bytes, const SettingValues& settings) {
  check(iec62056_21_protocol.decode(bytes, settings));
  const std::string text = to_text(bytes);
  if (const auto lines = parse_transcript(text))
    check(iec62056_21_protocol.decode_transcript(*lines, settings));
  // The same bytes as the answer to a question, and as the readout behind an option select.
  const auto ask = [&](const Bytes& request) {
    std::vector<TranscriptLine> exchange(2);
    exchange[0].sent = true;
    exchange[0].bytes = request;
    exchange[1].bytes.assign(bytes.begin(), bytes.end());
    check(iec62056_21_protocol.decode_transcript(exchange, settings));
  };
  using namespace iec62056_21;
  ask(sign_on({}));
  ask(option_select('5', '0'));
  ask(password_request("777777", Check::sum));
  ask(read_request(Read::r1, "ET0PE", {}, Check::sum));
  ask(read_request(Read::r2, "C900", {}, Check::exclusive_or));
}

void must_be_read_only(const Bytes& wire) {
  using iec62056_21::Request;
  const bool wake_up = std::ranges::all_of(wire, [](std::byte b) { return b == std::byte{0}; });
  const auto request = iec62056_21::parse_request(
      iec62056_21::with_parity(wire) == wire ? iec62056_21::without_parity(wire) : wire);
  require(wake_up || (request && request->kind != Request::Kind::other));
  require(wake_up || request->kind != Request::Kind::read || request->command.starts_with("R"));
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
  auto driver = iec62056_21_protocol.driver(settings);
  require(driver.has_value());
  ByteReader script(bytes);
  for (int poll = 0; poll < polls; ++poll) {
    const auto dialogue = poll % 2 == 0 ? (*driver)->begin() : (*driver)->knock();
    ByteView heard;
    for (int steps = 0;; ++steps) {
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
  auto responder = iec62056_21_protocol.responder(settings);
  require(responder.has_value());
  (*responder)->show(MeterFace());
  for (const Bytes& sent : (*responder)->received(bytes))
    require(!sent.empty());
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
