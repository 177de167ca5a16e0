// SPDX-License-Identifier: MIT
// Decoder, dialogue and simulated meter of DL/T 645 against hostile bytes. The first byte chooses
// the version.
#include "protocol/dlt645/dlt645.hpp"
#include "protocol/dlt645/frame.hpp"
#include "protocol/hostile.hpp"

#include <algorithm>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using hostile::require;

struct Row {
  const char* code;
  const char* key;
  std::int64_t bytes;
  std::int64_t part;  // 0 = none
  bool with_sign;
};

SettingValues settings_for(bool old) {
  SettingValues values = default_settings(dlt645_protocol.settings);
  values.set("address", std::int64_t{844718});
  values.set("version", std::string(old ? "1997" : "2007"));
  std::vector<SettingValues> rows;
  for (const Row& row : {Row{old ? "B630" : "02030000", "power", 3, 0, !old},
                         Row{old ? "901F" : "0000FF00", "energy_import", 4, 1, false},
                         Row{old ? "901F" : "0000FF00", "energy_import_t1", 4, 2, false},
                         Row{old ? "C012" : "0400010C", "clock", 7, 0, false},
                         Row{old ? "C032" : "04000402", "serial", 6, 0, false}}) {
    SettingValues& one = rows.emplace_back();
    one.set("code", std::string(row.code));
    one.set("key", std::string(row.key));
    one.set("bytes", row.bytes);
    if (row.part != 0) one.set("part", row.part);
    if (row.with_sign) one.set("signed", true);
  }
  values.add_rows(dlt645_protocol.tables.front(), rows);
  return values;
}

void must_be_read_only(const Bytes& wire) {
  const auto cut = dlt645::find_frame(wire);
  require(cut.frame != 0 && cut.drop + cut.frame == wire.size());
  const auto frame = dlt645::parse_frame(ByteView(wire).subspan(cut.drop));
  require(frame && dlt645::request_in(*frame));
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (bytes.empty()) return 0;
  const bool old = (u8(bytes.front()) & 1U) != 0;
  const SettingValues settings = settings_for(old);
  const ByteView rest = bytes.subspan(1);
  hostile::decode(dlt645_protocol, rest, settings);
  const auto version = old ? dlt645::Version::v1997 : dlt645::Version::v2007;
  const std::uint32_t code = old ? 0xB630 : 0x02030000;
  hostile::decode_answer(dlt645_protocol, dlt645::read_request(version, 844718, code, 3), rest,
                         settings);
  auto meter = dlt645_protocol.responder(settings);
  require(meter.has_value());
  hostile::converse(dlt645_protocol, rest, settings, meter->get(), must_be_read_only);
  hostile::play_meter(dlt645_protocol, rest, settings,
                      [](const Bytes& sent) { require(dlt645::find_frame(sent).frame != 0); });
  return 0;
}
