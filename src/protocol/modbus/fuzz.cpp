// SPDX-License-Identifier: MIT
// Decoders, a driver and a simulated meter against hostile bytes. The first byte chooses the
// settings; in the dialogue each further record is a length byte and that many bytes from "the
// meter", length 0 is a silence, 255 is the answer of the simulated meter.
#include "protocol/modbus/frame.hpp"
#include "protocol/modbus/modbus.hpp"
#include "protocol/modbus/register.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

constexpr int polls = 3;
constexpr int most_steps = 20000;
constexpr std::size_t honest_answer = 255;

void require(bool promise) {
  if (!promise) std::abort();
}

struct Row {
  std::string_view key;
  int function;
  int address;
  std::string_view type;
};

constexpr std::array plain_rows{
    Row{"voltage_l1", 4, 0, "f32"}, Row{"energy_import", 4, 10, "u64"}, Row{"power", 3, 5, "s16"},
    Row{"input_1", 2, 7, ""},       Row{"energy_export", 4, 30, "f64"},
};

SettingValues settings_from(std::uint8_t choice) {
  SettingValues values = default_settings(modbus_protocol.settings);
  values.set("framing", std::string((choice & 1U) != 0 ? "tcp" : "rtu"));
  values.set("identify", (choice & 2U) != 0);
  const bool sunspec = (choice & 4U) != 0;
  if ((choice & 8U) != 0) values.set("check_transaction", false);
  std::vector<SettingValues> rows;
  for (const Row& row : plain_rows) {
    SettingValues& added =
        rows.emplace_back(default_settings(modbus::register_table_spec().columns));
    added.set("key", std::string(row.key));
    added.set("address", std::int64_t{row.address});
    added.set("function", std::int64_t{row.function});
    if (!row.type.empty()) added.set("type", std::string(row.type));
    if (sunspec && row.function == 3) added.set("model", std::int64_t{103});
  }
  values.add_rows(modbus::register_table_spec(), rows);
  return values;
}

void check(const std::vector<Decoded>& all) {
  for (const Decoded& decoded : all) {
    require(decoded.telegram.protocol == "modbus");
    require(decoded.ok() == decoded.error.empty());
    require(decoded.ok() || decoded.telegram.items.empty());
    require(!decoded_json(decoded).empty());
  }
}

void decode_everything(ByteView bytes, const SettingValues& settings) {
  check(modbus_protocol.decode(bytes, settings));
  if (const auto lines = parse_transcript(to_text(bytes)))
    check(modbus_protocol.decode_transcript(*lines, settings));
  // The same bytes as the answer to a question.
  std::vector<TranscriptLine> exchange(2);
  exchange[0].sent = true;
  exchange[0].bytes = *from_hex("01040000000271cb");
  exchange[1].bytes.assign(bytes.begin(), bytes.end());
  check(modbus_protocol.decode_transcript(exchange, settings));
}

modbus::Framing framing_of(const SettingValues& settings) {
  return settings.text("framing") == "tcp" ? modbus::Framing::tcp : modbus::Framing::rtu;
}

void must_be_read_only(const Bytes& wire, modbus::Framing framing) {
  const auto frame = modbus::unwrap(framing, wire);
  require(frame.has_value());
  require(modbus::parse_request(frame->pdu).has_value());
}

void answer(Dialogue& dialogue, Responder& meter, const Bytes& asked, ByteReader& script) {
  const std::size_t length = script.u8().value_or(0);
  if (length == honest_answer) {
    for (const Bytes& sent : meter.received(asked))
      dialogue.received(sent);
    return;
  }
  const auto bytes = script.take(std::min(length, script.left()));
  if (length == 0 || !bytes || bytes->empty()) {
    dialogue.silence();
  } else {
    dialogue.received(*bytes);
  }
}

void converse(ByteView bytes, const SettingValues& settings) {
  auto driver = modbus_protocol.driver(settings);
  auto meter = modbus_protocol.responder(settings);
  require(driver.has_value() && meter.has_value());
  ByteReader script(bytes);
  for (int poll = 0; poll < polls; ++poll) {
    const auto dialogue = poll % 2 == 0 ? (*driver)->begin() : (*driver)->knock();
    Bytes asked;
    int steps = 0;
    for (;; ++steps) {
      require(steps < most_steps);
      const auto step = dialogue->next();
      if (!step || std::holds_alternative<step::Finished>(*step)) break;
      if (const auto* send = std::get_if<step::Send>(&*step)) {
        must_be_read_only(send->bytes, framing_of(settings));
        asked = send->bytes;
      }
      if (std::holds_alternative<step::Listen>(*step)) answer(*dialogue, **meter, asked, script);
    }
  }
}

void play_meter(ByteView bytes, const SettingValues& settings) {
  auto responder = modbus_protocol.responder(settings);
  require(responder.has_value());
  (*responder)->show(MeterFace());
  for (const Bytes& sent : (*responder)->received(bytes))
    require(modbus::unwrap(framing_of(settings), sent).has_value());
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
