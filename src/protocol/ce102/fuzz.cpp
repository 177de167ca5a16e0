// SPDX-License-Identifier: MIT
// The parser and a whole dialogue against hostile bytes. The first byte chooses the settings.
#include "protocol/ce102/ce102.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/hostile.hpp"

#include <algorithm>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using hostile::require;

constexpr std::string_view families[] = {"auto", "classic", "r51", "ce307"};

SettingValues settings_from(std::uint8_t choice) {
  SettingValues values = default_settings(ce102_protocol.settings);
  values.set("address", std::int64_t{13462});
  values.set("family", std::string(families[choice & 3U]));
  values.set("instant", (choice & 4U) != 0);
  return values;
}

void decode_everything(ByteView bytes, const SettingValues& settings) {
  hostile::decode(ce102_protocol, bytes, settings);
  const auto request = ce102::build_request(ce102::Station{}, ce102::Query::energy, Bytes(2));
  require(request.has_value());
  hostile::decode_answer(ce102_protocol, *request, bytes, settings);
}

void must_be_read_only(const Bytes& wire) {
  const auto request = ce102::parse_request(wire);
  require(request.has_value());
  require(ce102::find_rule(static_cast<ce102::Query>(request->command)) != nullptr);
  require(std::ranges::count(ce102::never_send, request->command) == 0);
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const SettingValues settings = settings_from(u8(bytes.front()));
  const ByteView rest = bytes.subspan(1);
  decode_everything(rest, settings);
  hostile::converse(ce102_protocol, rest, settings, nullptr, must_be_read_only);
  hostile::play_meter(ce102_protocol, rest, settings,
                      [](const Bytes& sent) { require(ce102::parse_reply(sent).has_value()); });
  return 0;
}
