// SPDX-License-Identifier: MIT
// Any input in any cut: nothing crashes, and the cut changes nothing. The input is the stream as
// captured; its first byte says whether it is the payload of a file with a right check sum instead.
#include "protocol/hostile.hpp"
#include "protocol/sml/dialogue.hpp"
#include "protocol/sml/responder.hpp"

#include <string>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace meterbridge::protocol::sml;

std::vector<std::string> sml_received(ByteView bytes, bool cut) {
  Receiver receiver{DecodeOptions()};
  return hostile::received(receiver, bytes, cut, decoded_json);
}

std::vector<std::string> sml_heard(ByteView bytes, bool cut) {
  SmlDriver driver(DecodeOptions(), std::chrono::seconds(30));
  return hostile::heard(driver, bytes, cut);
}

}  // namespace

// The name is given by libFuzzer.  NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
  Bytes file;
  if ((data[0] & 1U) != 0) {
    file = file_of(bytes, (data[0] & 2U) != 0 ? CheckKind::kermit : CheckKind::x25);
    bytes = file;
  }
  if (sml_received(bytes, false) != sml_received(bytes, true)) std::abort();
  if (sml_heard(bytes, false) != sml_heard(bytes, true)) std::abort();
  return 0;
}
