// SPDX-License-Identifier: MIT
// Decoder, dialogue and simulated meter of both Mercury protocols against hostile bytes. The first
// byte chooses protocol and settings.
#include "protocol/hostile.hpp"
#include "protocol/mercury/mercury.hpp"
#include "protocol/mercury/requests.hpp"
#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/mercury200.hpp"

#include <algorithm>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using hostile::require;

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

void decode_everything(const Protocol& protocol, ByteView bytes, const SettingValues& settings) {
  hostile::decode(protocol, bytes, settings);
  // The first bytes as a question, the others as its answer.
  constexpr std::size_t question = 6;
  const auto asked = bytes.first(std::min(question, bytes.size()));
  hostile::decode_answer(protocol, mercury::with_crc(Bytes(asked.begin(), asked.end())),
                         bytes.subspan(asked.size()), settings);
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
  auto meter = protocol.responder(settings);
  require(meter.has_value());
  hostile::converse(protocol, rest, settings, meter->get(),
                    [&](const Bytes& wire) { must_be_read_only(protocol, wire); });
  hostile::play_meter(protocol, rest, settings,
                      [](const Bytes& sent) { require(mercury::crc_fits(sent)); });
  return 0;
}
