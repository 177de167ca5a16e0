// SPDX-License-Identifier: MIT
// A meter of Netz NÖ that sends without a pause: two M-Bus frames, AES-128-GCM, 13 values. And the
// same with HDLC frames and a tag that is verified.
#include "protocol/dlms/dlms.hpp"
#include "protocol/dlms/receiver.hpp"
#include "protocol/dlms/responder.hpp"

#include <algorithm>
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
  constexpr std::size_t block = 4095;
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
  std::size_t good = 0;
  for (auto _ : state) {
    dlms::Memory memory;  // the same counters again
    dlms::Receiver receiver(dlms::ReceiverOptions(), memory, decipher);
    for (std::size_t at = 0; at < bytes.size(); at += block) {
      receiver.push(ByteView(bytes).subspan(at, std::min(block, bytes.size() - at)));
      while (auto decoded = receiver.next(true)) {
        if (decoded->ok()) ++good;
        benchmark::DoNotOptimize(decoded->telegram.readings.data());
      }
    }
  }
  if (good != static_cast<std::size_t>(state.iterations()) * telegrams)
    state.SkipWithError("a telegram was lost");
  state.SetItemsProcessed(static_cast<std::int64_t>(good));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

BENCHMARK_CAPTURE(stream, mbus, "kaifa-ma309m")->Name("DLMS/M-Bus encrypted");
BENCHMARK_CAPTURE(stream, hdlc, "kamstrup-omnipower")->Name("DLMS/HDLC authenticated");

}  // namespace
