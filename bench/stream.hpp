// SPDX-License-Identifier: MIT
// A meter that sends without a pause: its telegrams in blocks of a serial port's size, through the
// receiver of its protocol.
#pragma once

#include "core/bytes.hpp"

#include <algorithm>

#include <benchmark/benchmark.h>

namespace meterbridge::bench {

// make() gives a receiver for each round; `telegrams` of them are in `bytes`, all good.
template <class Make>
void read_stream(benchmark::State& state, ByteView bytes, std::size_t telegrams, const Make& make) {
  constexpr std::size_t block = 4095;
  std::size_t good = 0;
  for (auto _ : state) {
    auto receiver = make();
    for (std::size_t at = 0; at < bytes.size(); at += block) {
      receiver.push(bytes.subspan(at, std::min(block, bytes.size() - at)));
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

}  // namespace meterbridge::bench
