// SPDX-License-Identifier: MIT
// Any input in any cut: nothing crashes, and the cut changes nothing. The input is the stream as
// captured; its first byte says whether it is also read as bare APDUs.
#include "protocol/dlms/dialogue.hpp"
#include "protocol/dlms/settings.hpp"
#include "protocol/hostile.hpp"

#include <string>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace meterbridge::protocol::dlms;

DlmsSettings settings_for(bool bare) {
  SettingValues values = default_settings(setting_specs());
  values.set("key", Secret(std::string("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")));
  auto settings = read_settings(values);
  if (!settings) std::abort();
  settings->options.bare = bare;
  return *std::move(settings);
}

std::vector<std::string> received(ByteView bytes, bool bare, bool cut) {
  DlmsSettings settings = settings_for(bare);
  Memory memory;
  Decipher decipher(std::move(settings.keys));
  Receiver receiver(settings.options, memory, decipher);
  return hostile::received(receiver, bytes, cut, decoded_json);
}

std::vector<std::string> heard(ByteView bytes, bool bare, bool cut) {
  DlmsSettings settings = settings_for(bare);
  DlmsDriver driver(settings.options, settings.patience, std::move(settings.keys));
  return hostile::heard(driver, bytes, cut);
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool bare = (data[0] & 1U) != 0;
  const ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
  if (received(bytes, bare, false) != received(bytes, bare, true)) std::abort();
  if (heard(bytes, bare, false) != heard(bytes, bare, true)) std::abort();
  return 0;
}
