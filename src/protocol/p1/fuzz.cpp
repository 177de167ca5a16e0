// SPDX-License-Identifier: MIT
// Any input in any cut: nothing crashes, and the cut changes nothing. The input is the stream as
// captured.
#include "protocol/hostile.hpp"
#include "protocol/p1/dialogue.hpp"
#include "protocol/p1/okosmero.hpp"
#include "protocol/p1/p1.hpp"
#include "protocol/p1/settings.hpp"

#include <string>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace meterbridge::protocol::p1;

P1Settings settings_for(bool strange) {
  SettingValues values = default_settings(setting_specs());
  values.set("key", Secret(std::string("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")));
  if (strange) {
    values.set("crc", std::string("off"));
    values.set("seven_bit", true);
  }
  auto settings = read_settings(values);
  if (!settings) std::abort();
  return *std::move(settings);
}

std::string told(const Decoded& decoded) {
  if (decoded.ok() && !okosmero_json(decoded.telegram)) std::abort();
  return decoded_json(decoded);
}

std::vector<std::string> received(ByteView bytes, bool strange, bool cut) {
  P1Settings settings = settings_for(strange);
  Memory memory;
  Cipher cipher(std::move(settings.keys));
  Receiver receiver(settings.options, memory, cipher);
  return hostile::received(receiver, bytes, cut, told);
}

std::vector<std::string> heard(ByteView bytes, bool strange, bool cut) {
  P1Settings settings = settings_for(strange);
  P1Driver driver(settings.options, settings.patience, std::move(settings.keys));
  return hostile::heard(driver, bytes, cut);
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  for (const bool strange : {false, true}) {
    if (received(bytes, strange, false) != received(bytes, strange, true)) std::abort();
    if (heard(bytes, strange, false) != heard(bytes, strange, true)) std::abort();
  }
  return 0;
}
