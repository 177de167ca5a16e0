// SPDX-License-Identifier: MIT
// A meter of Netz NÖ that sends without a pause: two M-Bus frames, AES-128-GCM, 13 values. And the
// same with HDLC frames and a tag that is verified.
#include "protocol/dlms/dlms.hpp"
#include "protocol/dlms/receiver.hpp"
#include "protocol/dlms/responder.hpp"
#include "stream.hpp"

#include <string>

#include <benchmark/benchmark.h>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

dlms::CipherKeys keys() {
  dlms::CipherKeys made;
  for (unsigned i = 0; i < gcm_key_size; ++i) {
    made.key.push_back(static_cast<std::byte>(0xA0U + i));
    made.authentication.push_back(static_cast<std::byte>(0xD0U + i));
  }
  return made;
}

void stream(benchmark::State& state, const char* model) {
  constexpr std::size_t telegrams = 100;
  Bytes bytes;
  dlms::DlmsResponder responder(dlms::model_of(model), keys());
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'784'000'000));
  face.energy_import = {Decimal(21'340'430), Decimal(), Decimal(), Decimal()};
  responder.show(face);
  for (std::size_t i = 0; i < telegrams; ++i) {
    const Bytes one = responder.push();
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  dlms::Decipher decipher(keys());
  dlms::Memory memory;
  bench::read_stream(state, bytes, telegrams, [&] {
    memory = dlms::Memory();  // the same counters again
    return dlms::Receiver(dlms::ReceiverOptions(), memory, decipher);
  });
}

BENCHMARK_CAPTURE(stream, mbus, "kaifa-ma309m")->Name("DLMS/M-Bus encrypted");
BENCHMARK_CAPTURE(stream, hdlc, "kamstrup-omnipower")->Name("DLMS/HDLC authenticated");

}  // namespace
