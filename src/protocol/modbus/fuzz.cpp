// SPDX-License-Identifier: MIT
// Decoders, a driver and a simulated meter against hostile bytes. The first byte chooses the
// settings.
#include "protocol/hostile.hpp"
#include "protocol/modbus/frame.hpp"
#include "protocol/modbus/modbus.hpp"
#include "protocol/modbus/register.hpp"

#include <array>
#include <string>
#include <string_view>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using hostile::require;

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

modbus::Framing framing_of(const SettingValues& settings) {
  return settings.text("framing") == "tcp" ? modbus::Framing::tcp : modbus::Framing::rtu;
}

void must_be_read_only(const Bytes& wire, modbus::Framing framing) {
  const auto frame = modbus::unwrap(framing, wire);
  require(frame.has_value());
  require(modbus::parse_request(frame->pdu).has_value());
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const SettingValues settings = settings_from(u8(bytes.front()));
  const ByteView rest = bytes.subspan(1);
  const modbus::Framing framing = framing_of(settings);
  hostile::decode(modbus_protocol, rest, settings);
  hostile::decode_answer(modbus_protocol, *from_hex("01040000000271cb"), rest, settings);
  auto meter = modbus_protocol.responder(settings);
  require(meter.has_value());
  hostile::converse(modbus_protocol, rest, settings, meter->get(),
                    [&](const Bytes& wire) { must_be_read_only(wire, framing); });
  hostile::play_meter(modbus_protocol, rest, settings, [&](const Bytes& sent) {
    require(modbus::unwrap(framing, sent).has_value());
  });
  return 0;
}
