// SPDX-License-Identifier: MIT
// The parsers and a whole dialogue against hostile bytes. The first byte chooses the settings.
#include "protocol/hostile.hpp"
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/code_table.hpp"
#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"
#include "protocol/iec62056_21/receiver.hpp"

#include <algorithm>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using hostile::require;

constexpr std::string_view families[] = {"auto", "energomera-dlms", "neva", "none"};
constexpr std::string_view checks[] = {"auto", "xor", "sum", "off"};
constexpr std::string_view modes[] = {"auto", "a", "b", "c"};

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

void decode_everything(ByteView bytes, const SettingValues& settings) {
  hostile::decode(iec62056_21_protocol, bytes, settings);
  // The same bytes as the answer to a question, and as the readout behind an option select.
  const auto ask = [&](const Bytes& request) {
    hostile::decode_answer(iec62056_21_protocol, request, bytes, settings);
  };
  using namespace iec62056_21;
  ask(sign_on({}));
  ask(option_select('5', '0'));
  ask(password_request("777777", Check::sum));
  ask(read_request(Read::r1, "ET0PE", {}, Check::sum));
  ask(read_request(Read::r2, "C900", {}, Check::exclusive_or));
}

// Of a meter that sends by itself.
std::vector<std::string> pushed(ByteView bytes, bool cut) {
  iec62056_21::Receiver receiver{iec62056_21::Options()};
  return hostile::received(receiver, bytes, cut, decoded_json);
}

void must_be_read_only(const Bytes& wire) {
  using iec62056_21::Request;
  const bool wake_up = std::ranges::all_of(wire, [](std::byte b) { return b == std::byte{0}; });
  const auto request = iec62056_21::parse_request(
      iec62056_21::with_parity(wire) == wire ? iec62056_21::without_parity(wire) : wire);
  require(wake_up || (request && request->kind != Request::Kind::other));
  require(wake_up || request->kind != Request::Kind::read || request->command.starts_with("R"));
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const SettingValues settings = settings_from(u8(bytes.front()));
  const ByteView rest = bytes.subspan(1);
  decode_everything(rest, settings);
  require(pushed(rest, false) == pushed(rest, true));
  hostile::converse(iec62056_21_protocol, rest, settings, nullptr, must_be_read_only);
  hostile::play_meter(iec62056_21_protocol, rest, settings,
                      [](const Bytes& sent) { require(!sent.empty()); });
  return 0;
}
