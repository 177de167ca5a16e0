// SPDX-License-Identifier: MIT
// Any input in any cut: nothing crashes, and the cut changes nothing. The input is the stream as
// captured; its first byte says whether it is also read as bare APDUs.
#include "protocol/dlms/dialogue.hpp"
#include "protocol/dlms/settings.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace meterbridge::protocol::dlms;

constexpr std::size_t most_steps = 1'000'000;

// Cuts that depend on the input alone, so that a finding can be repeated.
class Cuts {
 public:
  explicit Cuts(ByteView bytes) {
    for (const std::byte b : bytes)
      state_ = (state_ ^ u8(b)) * 1099511628211U;
  }

  std::size_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return 1 + (state_ >> 33U) % ((state_ >> 60U) == 0 ? 700 : 40);
  }

 private:
  std::uint64_t state_ = 1469598103934665603U;
};

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
  Cuts cuts(bytes);
  std::vector<std::string> found;
  const auto drain = [&] {
    while (const auto decoded = receiver.next())
      found.push_back(decoded_json(*decoded));
  };
  while (!bytes.empty()) {
    const std::size_t size = cut ? std::min(cuts.next(), bytes.size()) : bytes.size();
    receiver.push(bytes.first(size));
    bytes = bytes.subspan(size);
    if (!bytes.empty()) drain();
  }
  receiver.finish();
  drain();
  return found;
}

// Everything the dialogue says until it wants to listen.
void listen(Dialogue& dialogue, std::vector<std::string>& said) {
  for (std::size_t i = 0; i < most_steps; ++i) {
    auto step = dialogue.next();
    if (!step) {
      said.push_back(std::string(name(step.error().code())) + ": " + step.error().detail());
    } else if (const auto* finished = std::get_if<step::Finished>(&*step)) {
      said.push_back(telegram_json(finished->telegram));
    } else if (std::holds_alternative<step::Listen>(*step)) {
      return;
    } else {
      std::abort();  // a listening dialogue does nothing else
    }
  }
  std::abort();
}

std::vector<std::string> heard(ByteView bytes, bool bare, bool cut) {
  DlmsSettings settings = settings_for(bare);
  DlmsDriver driver(settings.options, settings.patience, std::move(settings.keys));
  const auto dialogue = driver.begin();
  Cuts cuts(bytes);
  std::vector<std::string> said;
  listen(*dialogue, said);
  while (!bytes.empty()) {
    const std::size_t size = cut ? std::min(cuts.next(), bytes.size()) : bytes.size();
    dialogue->received(bytes.first(size));
    bytes = bytes.subspan(size);
    listen(*dialogue, said);
  }
  dialogue->silence();
  listen(*dialogue, said);
  return said;
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
