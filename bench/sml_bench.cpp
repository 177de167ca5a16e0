// SPDX-License-Identifier: MIT
// Meters that send without a pause: a new one with five values, and one with twelve.
#include "protocol/sml/receiver.hpp"
#include "protocol/sml/responder.hpp"
#include "stream.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;

void sml_stream(benchmark::State& state, const char* model) {
  constexpr std::size_t telegrams = 100;
  Bytes bytes;
  sml::SmlResponder responder(sml::model_of(model));
  MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'784'000'000));
  face.energy_import = {Decimal(21'340'430), Decimal(), Decimal(), Decimal()};
  responder.show(face);
  for (std::size_t i = 0; i < telegrams; ++i) {
    const Bytes one = responder.push();
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  bench::read_stream(state, bytes, telegrams, [] { return sml::Receiver(sml::DecodeOptions()); });
}

BENCHMARK_CAPTURE(sml_stream, five, "iskra-mt691")->Name("SML/five values");
BENCHMARK_CAPTURE(sml_stream, twelve, "iskra-mt175")->Name("SML/twelve values");

}  // namespace
