// SPDX-License-Identifier: MIT
// Any input in any cut: nothing crashes, the cut changes nothing, and no message reaches the next.
#include "protocol/hostile.hpp"
#include "protocol/json/driver.hpp"
#include "protocol/json/json.hpp"

#include <array>
#include <string>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace meterbridge::protocol::json;

SettingValues settings_for(bool strange) {
  SettingValues values = default_settings(json_protocol.settings);
  SettingValues row;
  row.set("pointer", std::string("/p"));
  row.set("key", std::string("power"));
  row.set("unit", std::string("W"));
  values.add_rows(field_table(), std::array{row});
  if (!strange) return values;
  values.set("tolerate", std::string("okosmero"));
  values.set("carries", std::string("p1"));
  values.set("carried_as", std::string("base64"));
  values.set("carried_at", std::string("/d"));
  return values;
}

// As a stream, or as one message; in blocks of that many bytes.
std::vector<std::string> heard(ByteView bytes, bool strange, bool message, std::size_t block) {
  auto driver = json_protocol.driver(settings_for(strange));
  if (!driver) std::abort();
  const auto dialogue = (*driver)->begin();
  std::vector<std::string> said;
  while (!bytes.empty()) {
    const ByteView now = bytes.first(std::min(block, bytes.size()));
    bytes = bytes.subspan(now.size());
    if (message) {
      Envelope envelope;
      envelope.topic = "a/b";
      envelope.last = bytes.empty();
      dialogue->enclosed(envelope);
    }
    dialogue->received(now);
    hostile::listen(*dialogue, said);
  }
  dialogue->silence();
  hostile::listen(*dialogue, said);
  return said;
}

// Programs that tell of many meters: documents, and lines with topics.
void gathered(ByteView bytes) {
  for (const char* const sender : {"wmbusmeters", "rtl_433", "vzlogger", "meterbridge"}) {
    SettingValues values = default_settings(json_protocol.settings);
    values.set("sender", std::string(sender));
    for (const Decoded& decoded : json_protocol.decode(bytes, values)) {
      if (decoded.offset + decoded.length > bytes.size() || decoded_json(decoded).empty())
        std::abort();
    }
  }
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  gathered(bytes);
  for (const bool strange : {false, true}) {
    for (const bool message : {false, true}) {
      if (heard(bytes, strange, message, size + 1) != heard(bytes, strange, message, 1 + size % 7))
        std::abort();
    }
    for (const Decoded& decoded : json_protocol.decode(bytes, settings_for(strange))) {
      if (decoded.offset + decoded.length > size || decoded_json(decoded).empty()) std::abort();
      if (decoded.ok()) static_cast<void>(json_protocol.layouts.front().write(decoded.telegram));
    }
  }
  return 0;
}
